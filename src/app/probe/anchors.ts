import type { Certificate } from '../../pki/certificate.ts';
import { readCertificateFile, visibleCertificatesOf } from '../../pki/reading.ts';
import type { ProbeFacts } from './facts.ts';

/** The certificates that daprd and the API server see in a PEM text. */
export function anchorsIn(pem: Buffer | undefined): Certificate[] {
  return pem ? visibleCertificatesOf(readCertificateFile('anchors', pem)) : [];
}

/** The anchors that the sidecar of the next pod would be born with; undefined where that is not known. */
export function anchorsOfNextPod({ rehearsal: { outcome } }: ProbeFacts): Buffer | undefined {
  const variable = outcome.kind === 'made' ? outcome.daprd?.trustAnchors : undefined;
  return variable?.source === 'value' && variable.pem !== '' ? Buffer.from(variable.pem) : undefined;
}

export function isSameSet(some: readonly Certificate[], others: readonly Certificate[]): boolean {
  const fingerprints = new Set(some.map(({ fingerprint }) => fingerprint));
  return (
    others.every(({ fingerprint }) => fingerprints.has(fingerprint)) &&
    fingerprints.size === new Set(others.map(({ fingerprint }) => fingerprint)).size
  );
}
