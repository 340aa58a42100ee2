import { findRoot } from '../pki/bundle.ts';
import { encodePrivateKey, readPrivateKey } from '../pki/keys.ts';
import { certificatesOf, type FoundFiles, readCertificateFile } from '../pki/reading.ts';

/** What a list of backups tells of each without opening it. */
export interface SavedRoot {
  readonly fingerprint: string;
  readonly notAfter: string;
}

/** Null where no anchor carries the issuer. */
export function describeSavedRoot({ anchors, issuerChain }: FoundFiles): SavedRoot | null {
  if (!anchors || !issuerChain) return null;
  const roots = certificatesOf(readCertificateFile('anchors', anchors));
  const root = findRoot(roots, certificatesOf(readCertificateFile('issuerChain', issuerChain)));
  return root ? { fingerprint: root.fingerprint, notAfter: root.notAfter.toISOString() } : null;
}

/** Encrypted where there is a passphrase. @throws DaprMtlsError `key.unreadable` for what cannot even be read */
export function protectKey(key: Buffer, name: string, passphrase: string | undefined): Buffer {
  if (passphrase === undefined) return key;
  return Buffer.from(encodePrivateKey(readPrivateKey(key, name, passphrase), passphrase));
}

/** In clear again. @throws DaprMtlsError `key.passphrase` */
export function revealKey(key: Buffer, name: string, passphrase: string | undefined): Buffer {
  return Buffer.from(encodePrivateKey(readPrivateKey(key, name, passphrase)));
}
