import type { InspectedCertificate, InspectedKey } from '../../app/inspect.ts';
import { shortName } from '../text.ts';
import { type Content, foreign, type Html, html } from './escape.ts';
import { idOfCertificate, linkTo, type SiteView, section } from './site-view.ts';
import { instant, named, shortFingerprint } from './words.ts';

/** Each certificate in full, and of each key what it belongs to. */
export function renderCertificates(view: SiteView): Html | undefined {
  const { inspect } = view.site;
  if (!inspect) return undefined;
  const { certificates, keys, problems } = inspect;
  return section(
    view,
    'certificates',
    'Certificates in full',
    html`${certificates.map((certificate, index) => renderCertificate(certificate, idOfCertificate(view.id, index)))}
${keys.map((key) => renderKey(view, key))}
${problems.length > 0 ? html`<ul>${problems.map(({ file, line, message }) => html`<li>${foreign(file)}:${line}: ${message}</li>`)}</ul>` : undefined}`,
  );
}

function renderCertificate(certificate: InspectedCertificate, id: string): Html {
  const { role, subject, fingerprint, file, line } = certificate;
  return html`<details class="certificate" id="${id}">
<summary><span class="role">${role}</span> ${named(subject, shortName(subject))} <code class="fingerprint">${shortFingerprint(fingerprint)}</code> <span class="quiet">${foreign(file)}:${line}</span></summary>
<dl class="fields">${fieldsOf(certificate).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
</details>
`;
}

function fieldsOf(certificate: InspectedCertificate): [string, Content][] {
  const { certificateAuthority, pathLength } = certificate;
  const names = [...certificate.dnsNames, ...certificate.uris];
  const usage = [...certificate.keyUsage, ...certificate.extendedKeyUsage];
  const fields: [string, Content][] = [
    ['Subject', foreign(certificate.subject)],
    ['Issuer', certificate.selfSigned ? 'itself' : foreign(certificate.issuer)],
    ['Valid', html`${instant(certificate.notBefore)} to ${instant(certificate.notAfter)}`],
    ['SHA-256', html`<code>${certificate.fingerprint}</code>`],
    ['Serial', html`<code>${certificate.serial}</code>`],
    ['Key', certificate.keyAlgorithm],
    ['Authority', certificateAuthority ? `yes${pathLength === null ? '' : `, path length ${pathLength}`}` : 'no'],
    ['Usage', usage.join(', ')],
    ['Names', names.length > 0 ? foreign(names.join(', ')) : ''],
    ['Key id', certificate.subjectKeyId ?? ''],
    ['Signer id', certificate.authorityKeyId ?? ''],
    ['Sentry', certificate.seenBySentry ? '' : 'does not see this certificate'],
  ];
  return fields.filter(([, value]) => value !== '');
}

/** Never more of it than whose it is. */
function renderKey(view: SiteView, { file, line, encrypted, algorithm, belongsTo }: InspectedKey): Html {
  const [fingerprint] = belongsTo;
  const owner = fingerprint === undefined ? 'none of these certificates' : linkTo(view, fingerprint);
  const whose = encrypted ? 'encrypted' : html`${algorithm ?? 'cannot be read'}, belongs to ${owner}`;
  return html`<p class="key"><span class="role">private key</span> ${whose} <span class="quiet">${foreign(file)}:${line}; its content is not part of this page</span></p>`;
}
