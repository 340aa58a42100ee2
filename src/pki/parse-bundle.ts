import { DaprMtlsError } from '../errors.ts';
import type { TrustBundle } from './bundle.ts';
import { readPrivateKey } from './keys.ts';
import { certificatesOf, type FoundFiles, readCertificateFile } from './reading.ts';

/** A bundle from files that must be whole. @throws DaprMtlsError `trust.unreadable`, `key.*` */
export function parseBundle({ anchors, issuerChain, issuerKey }: FoundFiles): TrustBundle {
  const roots = certificatesOf(anchors && readCertificateFile('anchors', anchors));
  const [issuer, ...rest] = certificatesOf(issuerChain && readCertificateFile('issuerChain', issuerChain));
  if (roots.length > 0 && issuer && issuerKey) {
    return { anchors: roots, issuerChain: [issuer, ...rest], issuerKey: readPrivateKey(issuerKey, 'the issuer key') };
  }
  throw new DaprMtlsError('trust.unreadable', {
    message: 'the bundle is not whole: anchors, issuer chain or issuer key are missing or unreadable',
    hint: 'Choose another backup; `dapr-mtls backup list` shows which there are.',
  });
}
