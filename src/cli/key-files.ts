import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { RootKeyWish } from '../app/root-key.ts';
import { DaprMtlsError, isSystemError } from '../errors.ts';
import type { TrustBundle } from '../pki/bundle.ts';
import { belongsTo } from '../pki/bundle.ts';
import { generateKey, readPrivateKey } from '../pki/keys.ts';
import { type CertificateFile, certificatesOf, readCertificateFile } from '../pki/reading.ts';
import type { Place } from '../store/directory/place.ts';
import { readStore } from '../store/directory/read.ts';

/** The flags that name keys and certificates. */
export interface KeyFlags {
  readonly 'private-key': string | undefined;
  readonly 'ca-root-certificate': string | undefined;
  readonly 'issuer-private-key': string | undefined;
  readonly 'issuer-public-certificate': string | undefined;
  readonly 'save-root-key': string | undefined;
  readonly 'insecure-plaintext-key': boolean;
  readonly 'passphrase-file': string | undefined;
}

/** Randomness as the use cases want it: the one place where it is chosen. */
export const randomness = { newKey: generateKey, newSerial };

/** 128 bits, positive and not beginning with a zero byte (RFC 5280, section 4.1.2.2). */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

/** The first line of the file. @throws DaprMtlsError `file.missing`, `key.passphrase` */
export function readPassphrase(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const [line = ''] = readNamedFile(path, 'the passphrase file').toString('utf8').split(/\r?\n/, 1);
  if (line !== '') return line;
  throw new DaprMtlsError('key.passphrase', {
    message: `${path} holds no passphrase`,
    hint: 'Its first line is the passphrase; an empty one protects nothing.',
  });
}

const sizeLimit = 1024 * 1024;

function tooLarge(path: string, size: number): DaprMtlsError {
  return new DaprMtlsError('file.io', {
    message: `certificate rotation failed: ${path} is ${size} bytes long`,
    hint: 'Keys and certificates are a few kilobytes: check the path.',
  });
}

/** Upstream's words for a missing file: scripts look for them. */
function readNamedFile(path: string, what: string): Buffer {
  try {
    const { size } = statSync(path);
    if (size <= sizeLimit) return readFileSync(path);
    throw tooLarge(path, size);
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    const reason = cause.code === 'ENOENT' ? 'no such file or directory' : cause.message;
    throw new DaprMtlsError('file.missing', {
      message: `certificate rotation failed: open ${path}: ${reason}`,
      hint: `Check the path of ${what}.`,
      cause,
    });
  }
}

export function readRootKey(flags: KeyFlags, passphrase: string | undefined) {
  const path = flags['private-key'];
  return path === undefined ? undefined : readPrivateKey(readNamedFile(path, '--private-key'), path, passphrase);
}

const ownFlags = ['ca-root-certificate', 'issuer-private-key', 'issuer-public-certificate'] as const;

/**
 * Own certificates: all three files or none. They are read with everything in them and written anew
 * as CERTIFICATE blocks and a PKCS#8 key, so that what Sentry would trip over is mended on the way.
 * @throws DaprMtlsError `usage.invalid`, `trust.unreadable`, `key.*`
 */
export function readOwnBundle(flags: KeyFlags, passphrase: string | undefined): TrustBundle | undefined {
  const [root, key, certificate] = ownFlags.map((name) => flags[name] || undefined);
  if (!ownFlags.some((name) => flags[name] !== undefined)) return undefined;
  if (!root || !key || !certificate) {
    throw new DaprMtlsError('usage.invalid', {
      message:
        'certificate rotation failed: all required flags for this certificate rotation path, "ca-root-certificate", "issuer-private-key" and "issuer-public-certificate" are not present',
      hint: 'Give all three, or none to have certificates made.',
    });
  }
  if (flags['private-key'] !== undefined) {
    throw new DaprMtlsError('usage.invalid', {
      message: 'certificate rotation failed: own certificates and --private-key exclude each other',
      hint: 'Own certificates are written as they are; --private-key makes new ones. Choose one way.',
    });
  }
  const anchors = readOwnCertificates('anchors', root);
  const [issuer, ...rest] = readOwnCertificates('issuerChain', certificate);
  const issuerKey = readPrivateKey(readNamedFile(key, '--issuer-private-key'), key, passphrase);
  if (issuer && !belongsTo(issuerKey, issuer)) {
    throw new DaprMtlsError('key.mismatch', {
      message: `certificate rotation failed: ${key} is not the key of the certificate in ${certificate}`,
      hint: 'Give the key that the issuer certificate was made for.',
    });
  }
  return issuer && { anchors, issuerChain: [issuer, ...rest], issuerKey };
}

function readOwnCertificates(part: CertificateFile['part'], path: string) {
  const file = readCertificateFile(
    part,
    readNamedFile(path, `the ${part === 'anchors' ? 'root' : 'issuer'} certificate`),
  );
  const bad = file.entries.find(({ certificate }) => !certificate);
  const [problem] = file.problems;
  const certificates = certificatesOf(file);
  if (certificates.length > 0 && !bad && !problem) return certificates;
  const line = bad?.line ?? problem?.line ?? 1;
  throw new DaprMtlsError('trust.unreadable', {
    message: `certificate rotation failed: ${path}:${line}: ${bad?.problem ?? problem?.message ?? 'no certificate in the file'}`,
    hint: 'Give a PEM file with CERTIFICATE blocks, undamaged.',
  });
}

/**
 * @param place the directory of the bundle; undefined where it lives in a cluster
 * @throws DaprMtlsError `usage.invalid` where the key would lie in clear unasked, or in Sentry's directory
 */
export function readRootKeyWish(
  flags: KeyFlags,
  passphrase: string | undefined,
  place: Place | undefined,
): RootKeyWish | undefined {
  if (flags['save-root-key'] === undefined) return undefined;
  const path = resolve(flags['save-root-key']);
  if (place && (dirname(path) === place.directory || path.startsWith(`${place.workDirectory}/`))) {
    throw new DaprMtlsError('usage.invalid', {
      message: `the root key may not lie in ${dirname(path)}`,
      hint: 'Keep it away from what Sentry reads, best on another machine.',
    });
  }
  if (passphrase === undefined && !flags['insecure-plaintext-key']) {
    throw new DaprMtlsError('usage.invalid', {
      message: 'the root key would be written in clear',
      hint: 'Encrypt it with --passphrase-file FILE, or say --insecure-plaintext-key.',
    });
  }
  // Behind an interrupted run it may be what that run has put there; the store tells when it writes.
  if (place && existsSync(path) && readStore(place).state === 'settled') {
    throw new DaprMtlsError('file.exists', {
      message: `${path} exists already`,
      hint: 'Name a new file for the root key; an old key is never overwritten.',
    });
  }
  if (existsSync(dirname(path))) return { path, passphrase };
  throw new DaprMtlsError('file.missing', {
    message: `there is no folder ${dirname(path)}`,
    hint: 'Make the folder for the root key first.',
  });
}
