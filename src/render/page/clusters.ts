import type { SiteReport, TrustReport } from '../../app/trust-report/report.ts';
import { foreign, type Html, html } from './escape.ts';
import { table } from './table.ts';
import { badge, day, figure, resultWords } from './words.ts';

/** A row for each cluster, the worst first, and the way to its section. */
export function renderClusterTable({ sites, summary }: TrustReport): Html {
  const columns = [
    { title: 'Cluster' },
    { title: 'Result' },
    { title: 'Root ends', numeric: true },
    { title: 'Issuer ends', numeric: true },
    { title: 'Errors', numeric: true },
    { title: 'Warnings', numeric: true },
    { title: 'Sidecars behind', numeric: true },
  ];
  return html`<section class="part" aria-labelledby="clusters">
<h2 id="clusters">Clusters</h2>
<p class="note">${figure('summary.well', summary.well)} well, ${figure('summary.findings', summary.findings)} with findings, ${figure('summary.failed', summary.failed)} not looked at. The worst stand first.</p>
${table(html`<span class="hidden">Every cluster and what was found</span>`, columns, sites.map(describeRow))}
</section>
`;
}

function describeRow({ name, result, expiry, audit, summary, error }: SiteReport, index: number) {
  const path = `sites.${index}`;
  const link = html`<a href="#site-${index + 1}">${foreign(name)}</a>`;
  const looked = error === null;
  return [
    link,
    badge(result, resultWords[result]),
    expiry ? day(expiry.root.notAfter) : missing,
    expiry?.issuer ? day(expiry.issuer.notAfter) : missing,
    looked ? figure(`${path}.summary.error`, summary.error) : missing,
    looked ? figure(`${path}.summary.warning`, summary.warning) : missing,
    audit ? html`${audit.totals.sidecars - audit.totals.current} of ${audit.totals.sidecars}` : missing,
  ];
}

const missing = html`<span class="quiet" title="not known">–</span><span class="hidden">not known</span>`;
