import type { CertificateDetail } from './extensions.ts';

/** RSA PKCS#1 v1.5 and ECDSA, each with SHA-256, SHA-384, SHA-512. Go refuses SHA-1 and MD5. */
const withAnyParameters = new Set([
  '1.2.840.113549.1.1.11',
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
  '1.2.840.10045.4.3.2',
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
]);

/** Where the parameters count, the whole AlgorithmIdentifier: Ed25519 has none. */
const exact = new Set(['300506032b6570', ...[1, 2, 3].map(encodePss)]);

/** RSA PSS with one hash throughout and a salt of its length (RFC 4055, section 3): Go takes no other. */
function encodePss(hash: number): string {
  const hashDer = `300d06096086480165030402${hash.toString(16).padStart(2, '0')}0500`;
  const saltLength = (16 + 16 * hash).toString(16);
  return `304106092a864886f70d01010a3034a00f${hashDer}a11c301a06092a864886f70d010108${hashDer}a2030201${saltLength}`;
}

/** Whether Go's x509 verifies signatures of this kind (`getSignatureAlgorithmFromAI`, `checkSignature`). */
export function isVerifiedByGo({ signatureAlgorithm, signatureAlgorithmDer }: CertificateDetail): boolean {
  return withAnyParameters.has(signatureAlgorithm) || exact.has(signatureAlgorithmDer.toString('hex'));
}
