import type { SiteReport, TrustReport } from '../../app/trust-report/report.ts';
import { renderClusterTable } from './clusters.ts';
import { type Content, foreign, type Html, html, print } from './escape.ts';
import { renderSite } from './site.ts';
import type { SiteView } from './site-view.ts';
import { style, styleHash } from './style.ts';
import { badge, instant, resultWords } from './words.ts';

/** One page that needs nothing else: no network, no script, no font. */
export function renderPage(report: TrustReport): string {
  const { at, result, verdict, sites } = report;
  const [only] = sites.length === 1 ? sites : [];
  const title = `${capital(resultWords[result])}: ${only ? only.name : `${sites.length} clusters`}, ${at.slice(0, 10)}`;
  return print(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '${styleHash()}'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>${title}</title>
${style()}
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="${result}">
<p class="kicker">Trust report of <strong>${only ? foreign(only.name) : `${sites.length} clusters`}</strong>, as of ${instant(at)}</p>
<h1>${badge(result, capital(only ? headlines[result] : headlineOfMany(report)))}</h1>
<p class="verdict">${capital(verdict)}.</p>
</header>
${renderContents(sites)}
<main id="content" tabindex="-1">
${only ? renderSite(viewOf(only, 0, 2)) : html`${renderClusterTable(report)}${sites.map(renderOneOfMany)}`}
</main>
<footer><p>Made by <code>dapr-mtls report</code>. It holds certificates, which are public, and no key.</p></footer>
</body>
</html>
`);
}

const headlines: Record<SiteReport['result'], string> = {
  well: 'All is well',
  warning: 'Needs attention',
  error: 'Broken',
  failed: 'Could not be looked at',
};

function headlineOfMany({ sites, summary }: TrustReport): string {
  const broken = sites.filter(({ result }) => result === 'error').length;
  const parts = [
    ...(broken > 0 ? [`${broken} broken`] : []),
    ...(summary.findings > broken ? [`${summary.findings - broken} to attend to`] : []),
    ...(summary.failed > 0 ? [`${summary.failed} not looked at`] : []),
  ];
  return parts.length === 0 ? headlines.well : parts.join(', ');
}

function viewOf(site: SiteReport, index: number, level: 2 | 3): SiteView {
  return { site, id: `site-${index + 1}`, path: `sites.${index}`, level };
}

function renderOneOfMany(site: SiteReport, index: number): Html {
  const id = `site-${index + 1}`;
  return html`<section class="site ${site.result}" aria-labelledby="${id}">
<h2 id="${id}">${foreign(site.name)}</h2>
${site.error ? undefined : html`<p class="verdict">${badge(site.result, capital(resultWords[site.result]))} ${capital(site.verdict)}.</p>`}
${renderSite(viewOf(site, index, 3))}
<p class="back"><a href="#clusters">Back to all clusters</a></p>
</section>
`;
}

/** The ways into the page. */
function renderContents(sites: readonly SiteReport[]): Html {
  const [only] = sites.length === 1 ? sites : [];
  const links: Content[] = only
    ? partsOf(only).map(([name, title]) => html`<li><a href="#site-1-${name}">${title}</a></li>`)
    : [html`<li><a href="#clusters">Clusters</a></li>`];
  return links.length > 1 ? html`<nav aria-label="On this page"><ul>${links}</ul></nav>` : html``;
}

function partsOf({ inspect, audit, configuration, error }: SiteReport): [string, string][] {
  if (error) return [];
  const hasCertificates = inspect !== null && inspect.certificates.length > 0;
  return [
    ['findings', 'Findings'],
    ...(hasCertificates
      ? ([
          ['validity', 'Validity'],
          ['chain', 'Chain'],
        ] as [string, string][])
      : []),
    ...(audit ? ([['sidecars', 'Sidecars']] as [string, string][]) : []),
    ...(configuration ? ([['settings', 'Settings']] as [string, string][]) : []),
    ...(inspect ? ([['certificates', 'Certificates in full']] as [string, string][]) : []),
  ];
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
