import type { AuditReport } from '../../app/audit/report.ts';
import type { Holding, WorkloadHolding } from '../../app/trust-report/holdings.ts';
import { count, shortName } from '../text.ts';
import { foreign, type Html, html } from './escape.ts';
import { linkTo, type SiteView, section } from './site-view.ts';
import { table } from './table.ts';
import { badge, day, figure, named, stateKinds } from './words.ts';

const states = ['broken', 'stale', 'unknown', 'current'] as const;

/** Beyond them the page would be long and tell nothing new; the counts are those of all. */
const mostWorkloads = 40;
const mostHoldings = 25;

/** Which sidecars hold which anchors, the gravest first. */
export function renderSidecars(view: SiteView): Html | undefined {
  const { audit, holdings } = view.site;
  if (!audit) return undefined;
  const { totals } = audit;
  const body =
    totals.sidecars === 0
      ? html`<p>No sidecar was found${audit.scope.pods === 'labelled' ? ": no pod bears the injector's label" : ''}.</p>`
      : html`${renderTotals(view, audit)}${renderAnchors(view, audit)}
<p class="note">By the anchors that the sidecars were born with:</p>
${holdings.slice(0, mostHoldings).map((holding) => renderHolding(view, audit, holding))}${tellRestOfHoldings(holdings)}`;
  return section(view, 'sidecars', 'Sidecars', body);
}

function renderTotals({ path }: SiteView, { totals }: AuditReport): Html {
  let x = 0;
  const bars = states.map((state) => {
    const width = Math.round((totals[state] / totals.sidecars) * 10_000) / 100;
    const bar =
      width > 0
        ? html`<rect class="${stateKinds[state]}" x="${x}%" y="0" width="${width}%" height="100%"/>`
        : undefined;
    x = Math.round((x + width) * 100) / 100;
    return bar;
  });
  return html`<p class="counts">${figure(`${path}.audit.totals.sidecars`, totals.sidecars)} in ${figure(`${path}.audit.totals.workloads`, totals.workloads)} workloads: ${states.map(
    (state) =>
      html`<span class="count">${badge(stateKinds[state], '')}${figure(`${path}.audit.totals.${state}`, totals[state])} ${state}</span> `,
  )}</p>
<svg class="share" aria-hidden="true" focusable="false">${bars}</svg>
<p class="note">current: holds the root. stale: lacks it and verifies its peers all the same, as under a bridge. broken: verifies none of them. unknown: the pod does not tell.</p>`;
}

function renderAnchors(view: SiteView, { against, totals }: AuditReport): Html {
  const rows = against.anchors.map(({ role, needed, fingerprint, subject, notAfter, heldBy }, index) => [
    html`<span class="role">${role === 'anchor' && needed ? 'needed' : role}</span> ${named(subject, shortName(subject))} ${linkTo(view, fingerprint)}`,
    day(notAfter),
    html`${figure(`${view.path}.audit.against.anchors.${index}.heldBy`, heldBy)} of ${totals.sidecars}`,
  ]);
  const columns = [{ title: 'Anchor' }, { title: 'Ends' }, { title: 'Held by', numeric: true }];
  return table('The anchors of the bundle', columns, rows);
}

function renderHolding(view: SiteView, audit: AuditReport, holding: Holding): Html {
  const { state, reasons, anchors, sidecars, workloads } = holding;
  const isOpen = state === 'current' ? html`` : html` open`;
  const known = new Map(audit.against.anchors.map((anchor) => [anchor.fingerprint, anchor]));
  const held = anchors.map((fingerprint) => {
    const anchor = known.get(fingerprint);
    const name = anchor ? html`${anchor.role} ` : html`a stranger `;
    return html`<li>${name}${linkTo(view, fingerprint)}</li>`;
  });
  return html`<details class="holding"${isOpen}>
<summary>${badge(stateKinds[state], state)} <strong>${count(sidecars, 'sidecar')}</strong> in ${count(workloads.length, 'workload')}</summary>
${reasons.map((reason) => html`<p>${reason}</p>`)}
${held.length > 0 ? html`<ul class="held">${held}</ul>` : undefined}
${table(html`<span class="hidden">Workloads with these anchors</span>`, holders, workloads.slice(0, mostWorkloads).map(describeHolder))}
${tellRestOfWorkloads(workloads)}
</details>
`;
}

const holders = [{ title: 'Workload' }, { title: 'Namespace' }, { title: 'Sidecars', numeric: true }];

function describeHolder({ namespace, kind, name, sidecars, of }: WorkloadHolding) {
  return [foreign(`${kind}/${name}`), foreign(namespace), `${sidecars} of ${of}`];
}

function tellRestOfWorkloads(workloads: readonly WorkloadHolding[]): Html | undefined {
  const rest = workloads.slice(mostWorkloads);
  if (rest.length === 0) return undefined;
  const sidecars = rest.reduce((sum, workload) => sum + workload.sidecars, 0);
  return html`<p class="note">And ${count(rest.length, 'workload')} more with ${count(sidecars, 'sidecar')}, which the page leaves out; <code>dapr-mtls report --format json</code> names them all.</p>`;
}

function tellRestOfHoldings(holdings: readonly Holding[]): Html | undefined {
  const rest = holdings.slice(mostHoldings);
  if (rest.length === 0) return undefined;
  const sidecars = rest.reduce((sum, holding) => sum + holding.sidecars, 0);
  return html`<p class="note">And ${count(rest.length, 'other set')} of anchors with ${count(sidecars, 'sidecar')}, which the page leaves out; <code>dapr-mtls report --format json</code> names them all.</p>`;
}
