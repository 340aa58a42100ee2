import { count } from '../text.ts';
import { renderCertificates } from './certificates.ts';
import { renderChain } from './chain.ts';
import { foreign, type Html, html } from './escape.ts';
import { renderFindings } from './findings.ts';
import { renderSettings } from './settings.ts';
import { renderSidecars } from './sidecars.ts';
import type { SiteView } from './site-view.ts';
import { renderTimeAxis } from './time-axis.ts';
import { badge, instant, mend, stateKinds, statusKinds, tellRest } from './words.ts';

/** What is known of one place, the most pressing first. */
export function renderSite(view: SiteView): Html {
  const { error } = view.site;
  if (error)
    return html`<div class="findings"><p class="finding">${badge('failed', 'Could not be looked at')} <code class="code">${error.code}</code></p>
<p>${error.message}</p>
${mend(error.hint)}</div>`;
  return html`${renderFacts(view)}${renderUnread(view)}${renderFindings(view)}${renderTimeAxis(view)}${renderChain(view)}${renderSidecars(view)}${renderSettings(view)}${renderCertificates(view)}`;
}

/** What one would ask first. */
function renderFacts({ site }: SiteView): Html {
  const { kind, name, cluster, expiry, inspect } = site;
  const where = cluster
    ? html`${foreign(cluster.context ?? cluster.server)}<span class="quiet">${cluster.context === null ? undefined : html`${foreign(cluster.server)}, `}namespace ${foreign(cluster.namespace)}</span>`
    : foreign(name);
  const ends = (['root', 'issuer'] as const).map((role) => {
    const end = expiry?.[role];
    return html`<div><dt>${role === 'root' ? 'Root' : 'Issuer'}</dt><dd>${
      end
        ? html`<span class="big">${badge(statusKinds[end.status], tellRest(end))}</span><span class="quiet">until ${instant(end.notAfter)}</span>`
        : html`<span class="big">not known</span><span class="quiet">${inspect && role === 'root' ? 'no anchor here is known to carry the issuer' : 'it was not read'}</span>`
    }</dd></div>`;
  });
  return html`<dl class="facts"><div><dt>${kind === 'cluster' ? 'Cluster' : 'Directory'}</dt><dd>${where}</dd></div>${ends}${tellSidecars(site)}</dl>
`;
}

function tellSidecars({ audit }: SiteView['site']): Html | undefined {
  if (!audit) return undefined;
  const { sidecars, current } = audit.totals;
  const worst = (['broken', 'stale', 'unknown'] as const).find((state) => audit.totals[state] > 0) ?? 'current';
  const words = sidecars === 0 ? 'none found' : badge(stateKinds[worst], `${current} of ${sidecars} current`);
  return html`<div><dt>Sidecars</dt><dd><span class="big">${words}</span><span class="quiet">in ${count(audit.totals.workloads, 'workload')}</span></dd></div>`;
}

const parts = {
  bundle: 'The bundle as a whole',
  issuer: 'The issuer',
  sidecars: 'The sidecars',
  settings: 'The settings',
};

/** What is missing from the page, and why. */
function renderUnread({ site }: SiteView): Html | undefined {
  if (site.unread.length === 0) return undefined;
  return html`<ul class="findings unread">${site.unread.map(
    ({ part, message, hint }) =>
      html`<li><p class="finding">${badge('failed', `${parts[part]} could not be looked at`)}</p><p>${message}</p>${mend(hint)}</li>`,
  )}</ul>`;
}
