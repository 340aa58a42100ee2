import type { InspectedCertificate } from '../../app/inspect.ts';
import type { SiteReport } from '../../app/trust-report/report.ts';
import { type Content, type Html, html } from './escape.ts';
import { shortFingerprint } from './words.ts';

/** One site, and how its place on the page is called. */
export interface SiteView {
  readonly site: SiteReport;
  /** Begins every id of its parts: `site-1`. */
  readonly id: string;
  /** Where it stands in the document: `sites.0`. */
  readonly path: string;
  /** Of the headings of its sections. */
  readonly level: 2 | 3;
}

/** A part of a site under a heading of its own. Those of many sites are no landmarks, which have to be few and each to have its name. */
export function section({ id, level }: SiteView, name: string, title: string, body: Content): Html {
  const heading = `${id}-${name}`;
  if (level === 3)
    return html`<section class="part">
<h3 id="${heading}">${title}</h3>
${body}
</section>
`;
  return html`<section class="part" aria-labelledby="${heading}">
<h2 id="${heading}">${title}</h2>
${body}
</section>
`;
}

/** The short fingerprint, and a way to the whole one where the certificate is on the page. */
export function linkTo({ site, id }: SiteView, fingerprint: string): Html {
  const index = indexOf(site.inspect?.certificates ?? [], fingerprint);
  const short = html`<code class="fingerprint">${shortFingerprint(fingerprint)}</code>`;
  return index < 0 ? short : html`<a href="#${idOfCertificate(id, index)}">${short}</a>`;
}

export function idOfCertificate(id: string, index: number): string {
  return `${id}-certificate-${index + 1}`;
}

function indexOf(certificates: readonly InspectedCertificate[], fingerprint: string): number {
  return certificates.findIndex((certificate) => certificate.fingerprint === fingerprint);
}
