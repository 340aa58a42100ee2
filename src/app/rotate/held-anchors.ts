import type { Certificate } from '../../pki/certificate.ts';
import { readCertificateFile, visibleCertificatesOf } from '../../pki/reading.ts';

/** The anchors that a process takes from a text, as Sentry and daprd read it. */
export function readAnchors(pem: string | Buffer): Certificate[] {
  return visibleCertificatesOf(readCertificateFile('anchors', Buffer.from(pem)));
}

/** @param needed SHA-256 of anchors */
export function holdsAll(anchors: readonly Pick<Certificate, 'fingerprint'>[], needed: readonly string[]): boolean {
  return needed.every((wanted) => anchors.some(({ fingerprint }) => fingerprint === wanted));
}
