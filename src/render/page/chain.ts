import type { InspectedCertificate } from '../../app/inspect.ts';
import { shortName } from '../text.ts';
import { type Html, html } from './escape.ts';
import { linkTo, type SiteView, section } from './site-view.ts';
import { badge, named, statusKinds, tellRest } from './words.ts';

/** Who signed whom. */
export function renderChain(view: SiteView): Html | undefined {
  const certificates = view.site.inspect?.certificates ?? [];
  if (certificates.length === 0) return undefined;
  return section(
    view,
    'chain',
    'Chain',
    html`<p class="note">A certificate stands below the one whose key has signed it; one with two signers stands below both.</p>
${branches(view, plantTrees(certificates))}`,
  );
}

type Link = Pick<InspectedCertificate, 'fingerprint' | 'signedBy' | 'selfSigned'>;

interface Branch<Certificate extends Link> {
  readonly certificate: Certificate;
  readonly below: readonly Branch<Certificate>[];
}

/** What stands in two files is one certificate; a circle of signers is cut. */
export function plantTrees<Certificate extends Link>(
  certificates: readonly Certificate[],
): readonly Branch<Certificate>[] {
  const unique = [...new Map(certificates.map((one) => [one.fingerprint, one])).values()];
  const grow = (certificate: Certificate, above: readonly string[]): Branch<Certificate> => ({
    certificate,
    below: unique
      .filter(
        ({ signedBy, fingerprint, selfSigned }) =>
          !selfSigned && signedBy.includes(certificate.fingerprint) && !above.includes(fingerprint),
      )
      .map((child) => grow(child, [...above, child.fingerprint])),
  });
  const tops = unique.filter(({ selfSigned, signedBy }) => selfSigned || signedBy.length === 0);
  return (tops.length > 0 ? tops : unique).map((top) => grow(top, [top.fingerprint]));
}

function branches(view: SiteView, trees: readonly Branch<InspectedCertificate>[]): Html {
  return html`<ul class="tree">${trees.map((branch) => renderBranch(view, branch))}</ul>`;
}

function renderBranch(view: SiteView, { certificate, below }: Branch<InspectedCertificate>): Html {
  const { role, subject, fingerprint, status, selfSigned, signedBy } = certificate;
  const orphan =
    !selfSigned && signedBy.length === 0 ? html` <span class="quiet">its signer is not here</span>` : undefined;
  return html`<li><div class="node"><span class="role">${role}</span> ${named(subject, shortName(subject))} ${linkTo(view, fingerprint)} ${badge(statusKinds[status], tellRest(certificate))}${orphan}</div>${
    below.length > 0 ? html`<span class="hidden">It has signed:</span>${branches(view, below)}` : undefined
  }</li>`;
}
