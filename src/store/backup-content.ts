import { findRoot } from '../pki/bundle.ts';
import { encodePrivateKey, readPrivateKey } from '../pki/keys.ts';
import { certificatesOf, type FoundFiles, readCertificateFile } from '../pki/reading.ts';
import type { Backup, BackupOptions } from './port.ts';

/** What the record of every backup begins with: a list of them tells it without opening one. */
export interface BackupRecord {
  readonly version: 1;
  readonly createdAt: string;
  readonly reason: string;
  readonly encrypted: boolean;
  /** Null where no anchor carries the issuer. */
  readonly root: { readonly fingerprint: string; readonly notAfter: string } | null;
}

export function recordBackup(files: FoundFiles, { reason, passphrase }: BackupOptions, now: Date): BackupRecord {
  return {
    version: 1,
    createdAt: now.toISOString(),
    reason,
    encrypted: passphrase !== undefined && files.issuerKey !== undefined,
    root: describeRoot(files),
  };
}

function describeRoot({ anchors, issuerChain }: FoundFiles): BackupRecord['root'] {
  if (!anchors || !issuerChain) return null;
  const roots = certificatesOf(readCertificateFile('anchors', anchors));
  const root = findRoot(roots, certificatesOf(readCertificateFile('issuerChain', issuerChain)));
  return root ? { fingerprint: root.fingerprint, notAfter: root.notAfter.toISOString() } : null;
}

export function describeRecord({ createdAt, reason, encrypted, root }: BackupRecord): Omit<Backup, 'id' | 'path'> {
  return {
    createdAt: new Date(createdAt),
    reason,
    encrypted,
    rootFingerprint: root?.fingerprint,
    rootNotAfter: root ? new Date(root.notAfter) : undefined,
  };
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
