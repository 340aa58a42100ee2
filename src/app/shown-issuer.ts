import { DaprMtlsError } from '../errors.ts';
import { findRoot } from '../pki/bundle.ts';
import { type Certificate, isSelfSigned, readCertificate } from '../pki/certificate.ts';
import { whyNotSigned } from '../pki/chain.ts';
import { encodePem } from '../pki/pem.ts';
import { readCertificateFile, visibleCertificatesOf } from '../pki/reading.ts';

/** Who answered in Sentry's place. */
export interface ShownChain {
  readonly address: string;
  /** DER, leaf first. */
  readonly chain: readonly Buffer[];
}

export interface BelievedSentry {
  readonly namespace: string;
  /** Undefined where it may not be read: then any, of an issuer that is under the anchors all the same. */
  readonly trustDomain: string | undefined;
  /** PEM. */
  readonly anchors: Buffer;
  readonly now: Date;
}

/**
 * The issuer chain that Sentry shows behind its own certificate, as PEM. Whoever answers on that port
 * is believed only where daprd would take it for Sentry: its SPIFFE ID, signed by the issuer shown,
 * and that under an anchor. When these end is not asked: it is what the report is about.
 * @throws DaprMtlsError `trust.refused`
 */
export function readShownIssuer({ address, chain }: ShownChain, sentry: BelievedSentry): Buffer {
  const [leaf, ...shown] = chain.map((der) => readShown(der, address));
  // Who sends the root, too, has it passed over, as Sentry does with a stored chain.
  const links = shown.filter((link) => !isSelfSigned(link));
  const [issuer] = links;
  if (!leaf || !issuer) throw notSentry(address, 'it shows no issuer behind its certificate');
  const reason = whyNotSentry(leaf, sentry) ?? whyNotOneChain([leaf, ...links]);
  if (reason !== undefined) throw notSentry(address, reason);
  // Who has ended can be played by anybody who came by its key, unless Sentry cannot renew it any more.
  if (sentry.now > leaf.notAfter && sentry.now <= issuer.notAfter)
    throw notSentry(address, `its own certificate has ended on ${leaf.notAfter.toISOString()}`);
  const anchors = visibleCertificatesOf(readCertificateFile('anchors', sentry.anchors));
  if (anchors.length > 0 && !findRoot(anchors, links)) throw notUnderAnchors(address);
  return Buffer.from(links.map(({ der }) => encodePem('CERTIFICATE', der)).join(''));
}

function readShown(der: Buffer, address: string): Certificate {
  try {
    return readCertificate(der);
  } catch (error) {
    if (!(error instanceof DaprMtlsError)) throw error;
    throw notSentry(address, error.message);
  }
}

/** As go-spiffe reads an identity: exactly one URI, and no authority. */
function whyNotSentry({ detail }: Certificate, { namespace, trustDomain }: BelievedSentry): string | undefined {
  const { uris, basicConstraints, keyUsage } = detail;
  const path = `/ns/${namespace}/dapr-sentry`;
  const [, domain, rest] = /^spiffe:\/\/([^/]+)(\/.*)$/.exec(uris[0] ?? '') ?? [];
  if (uris.length !== 1 || rest !== path || (trustDomain !== undefined && domain !== trustDomain)) {
    const shown = uris.length === 0 ? 'no SPIFFE ID' : uris.join(' and ');
    return `it is of ${shown}, not of spiffe://${trustDomain ?? 'TRUST-DOMAIN'}${path}`;
  }
  if (basicConstraints?.ca || keyUsage?.includes('keyCertSign')) return 'its certificate is that of an authority';
  return undefined;
}

function whyNotOneChain(chain: readonly Certificate[]): string | undefined {
  return chain
    .slice(1)
    .map((parent, index) => whyNotSigned(chain[index] as Certificate, parent))
    .find((reason) => reason !== undefined);
}

function notSentry(address: string, reason: string): DaprMtlsError {
  return new DaprMtlsError('trust.refused', {
    message: `who answers at ${address} is not taken for Sentry: ${reason}`,
    hint: 'Check the address, the port-forward and --sentry-address, and Sentry itself: `dapr-mtls status -k`.',
  });
}

function notUnderAnchors(address: string): DaprMtlsError {
  return new DaprMtlsError('trust.refused', {
    message: `none of the anchors in the ConfigMap has signed the issuer that Sentry at ${address} shows, so there is no root to tell the end of`,
    hint: 'New sidecars do not verify this Sentry. Who may read the Secret sees more: `dapr-mtls check -k`. If the bundle is sound, Sentry runs on an older one: `dapr-mtls restart -k`.',
  });
}
