import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { DaprMtlsError } from '../errors.ts';
import { decryptPkcs8, encryptPkcs8 } from './key-encryption.ts';
import { encodePem, type PemBlock, readPem } from './pem.ts';
import { isConsistent, parsePrivateKey, plainKeyLabels } from './private-key.ts';

/** The key types that a Sentry of some version takes; P-256 is taken by all of them. */
export const keyTypes = ['p256', 'p384', 'ed25519', 'rsa2048', 'rsa4096'] as const;
export type KeyType = (typeof keyTypes)[number];

/** A fresh private key, from the operating system's randomness. */
export function generateKey(type: KeyType): KeyObject {
  switch (type) {
    case 'p256':
      return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
    case 'p384':
      return generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey;
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey;
    case 'rsa2048':
      return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    case 'rsa4096':
      return generateKeyPairSync('rsa', { modulusLength: 4096 }).privateKey;
  }
}

const encryptedLabel = 'ENCRYPTED PRIVATE KEY';

/**
 * Reads a private key file: PKCS#8, SEC1 (also behind `EC PARAMETERS`), PKCS#1, encrypted PKCS#8.
 * The words of OpenSSL never reach the message: they may quote the input.
 * @param name how the file is called in messages
 * @throws DaprMtlsError `key.unreadable`, or `key.passphrase` for an encrypted key
 */
export function readPrivateKey(bytes: Uint8Array, name: string, passphrase?: string): KeyObject {
  const blocks = readPem(bytes).blocks.filter(isPrivateKey);
  const [block, second] = blocks;
  if (!block) {
    throw new DaprMtlsError('key.unreadable', {
      message: `${name} holds no private key`,
      hint: 'Give a PEM file with one PRIVATE KEY, EC PRIVATE KEY, RSA PRIVATE KEY or ENCRYPTED PRIVATE KEY block.',
    });
  }
  if (second) {
    throw new DaprMtlsError('key.unreadable', {
      message: `${name} holds ${blocks.length} private keys (lines ${blocks.map(({ line }) => line).join(', ')})`,
      hint: 'Keep one key in the file: programs differ in which one they take.',
    });
  }
  const key = isEncrypted(block) ? decrypt(block, name, passphrase) : parsePlain(block, name);
  assertUsable(key, name);
  return key;
}

export function isPrivateKey({ label }: PemBlock): boolean {
  return plainKeyLabels.includes(label) || label === encryptedLabel;
}

export function isEncrypted(block: PemBlock): boolean {
  return block.label === encryptedLabel || block.hasHeaders;
}

function parsePlain(block: PemBlock, name: string): KeyObject {
  try {
    return parsePrivateKey(block.label, block.der);
  } catch {
    throw new DaprMtlsError('key.unreadable', {
      message: `${name} holds a ${block.label} block that is not a readable key`,
      hint: 'The file is damaged or cut short. Restore it from where it came.',
    });
  }
}

function decrypt(block: PemBlock, name: string, passphrase: string | undefined): KeyObject {
  if (block.label !== encryptedLabel) {
    throw new DaprMtlsError('key.unreadable', {
      message: `${name} is encrypted in the old OpenSSL format, which is too weak to be used`,
      hint: `Convert it first: openssl pkcs8 -topk8 -in ${name} -out new.key`,
    });
  }
  if (passphrase === undefined) {
    throw new DaprMtlsError('key.passphrase', {
      message: `${name} is encrypted`,
      hint: 'Give the file that holds its passphrase with --passphrase-file.',
    });
  }
  const key = decryptPkcs8(block.der, passphrase);
  if (key && isConsistent(key)) return key;
  throw new DaprMtlsError('key.passphrase', {
    message: `${name}: wrong passphrase or damaged key`,
    hint: 'Check the passphrase file; a line break at its end does not count.',
  });
}

function assertUsable(key: KeyObject, name: string): void {
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  const isKnown =
    asymmetricKeyType === 'ed25519' ||
    (asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048) ||
    (asymmetricKeyType === 'ec' && /^(prime256v1|secp384r1|secp521r1)$/.test(asymmetricKeyDetails?.namedCurve ?? ''));
  if (isKnown) return;
  throw new DaprMtlsError('key.unreadable', {
    message: `${name} holds a key of a kind that Go's TLS does not take`,
    hint: 'Use ECDSA P-256 (best), P-384 or P-521, Ed25519, or RSA of at least 2048 bits.',
  });
}

/** PKCS#8 PEM: in clear, or encrypted when a passphrase is given. */
export function encodePrivateKey(key: KeyObject, passphrase?: string): string {
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' });
  if (passphrase === undefined) return encodePem('PRIVATE KEY', pkcs8);
  return encodePem(encryptedLabel, encryptPkcs8(pkcs8, passphrase));
}

export function publicKeyOf(key: KeyObject): KeyObject {
  return createPublicKey(key);
}
