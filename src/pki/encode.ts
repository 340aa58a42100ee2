import type { BundleFiles, TrustBundle } from './bundle.ts';
import type { Certificate } from './certificate.ts';
import { encodePrivateKey } from './keys.ts';
import { encodePem } from './pem.ts';

/** CERTIFICATE blocks and nothing else: readers stop at whatever else stands there. */
export function encodeCertificates(certificates: readonly Certificate[]): Buffer {
  return Buffer.from(certificates.map(({ der }) => encodePem('CERTIFICATE', der)).join(''));
}

/** The three files of a bundle as every Sentry reads them; the key as PKCS#8 alone. */
export function encodeBundle({ anchors, issuerChain, issuerKey }: TrustBundle): BundleFiles {
  return {
    anchors: encodeCertificates(anchors),
    issuerChain: encodeCertificates(issuerChain),
    issuerKey: Buffer.from(encodePrivateKey(issuerKey)),
  };
}
