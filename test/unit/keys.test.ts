import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { DaprMtlsError } from '../../src/errors.ts';
import { describeKeyAlgorithm } from '../../src/pki/certificate.ts';
import { readChildren, readOid, readTlv, type Tlv } from '../../src/pki/der.ts';
import { encodePrivateKey, generateKey, keyTypes, publicKeyOf, readPrivateKey } from '../../src/pki/keys.ts';
import { encodePem, readPem } from '../../src/pki/pem.ts';
import { newKey } from '../support/bundles.ts';
import { readFixture } from '../support/fixtures.ts';

const ec = generateKey('p256');
const rsa = newKey('rsa2048');
const ed25519 = generateKey('ed25519');
const pem = (key: KeyObject, type: 'pkcs8' | 'sec1' | 'pkcs1') => key.export({ type, format: 'pem' }).toString();
const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
const hasOpenssl = isOnPath('openssl');

test.each([
  ['p256', 'ECDSA P-256'],
  ['p384', 'ECDSA P-384'],
  ['ed25519', 'Ed25519'],
  ['rsa2048', 'RSA 2048'],
  ['rsa4096', 'RSA 4096'],
] as const)('generateKey makes a fresh %s key', (type, description) => {
  const key = generateKey(type);
  expect(describeKeyAlgorithm(key)).toBe(description);
  expect(readPrivateKey(Buffer.from(encodePrivateKey(key)), 'made').equals(key)).toBe(true);
});

test('the key types are those of the flag', () => {
  expect(keyTypes).toEqual(['p256', 'p384', 'ed25519', 'rsa2048', 'rsa4096']);
});

describe('readPrivateKey', () => {
  test.each([
    ['PKCS#8 of EC', ec, pem(ec, 'pkcs8')],
    ['PKCS#8 of RSA', rsa, pem(rsa, 'pkcs8')],
    ['PKCS#8 of Ed25519', ed25519, pem(ed25519, 'pkcs8')],
    ['SEC1', ec, pem(ec, 'sec1')],
    ['SEC1 behind its parameters', ec, parameters + pem(ec, 'sec1')],
    ['PKCS#1', rsa, pem(rsa, 'pkcs1')],
    ['CRLF line ends', ec, pem(ec, 'pkcs8').replaceAll('\n', '\r\n')],
    ['text around it', ec, `the key:\n${pem(ec, 'pkcs8')}that is all\n`],
    ['its certificate beside it', ec, readFixture('pki/step/ca.crt') + pem(ec, 'pkcs8')],
  ])('reads %s', (_, key, text) => {
    expect(readPrivateKey(Buffer.from(text), 'a.key').equals(key)).toBe(true);
  });

  test('reads the key of the documentation behind its parameters as the one without', () => {
    const [behind, alone] = ['root-with-ec-parameters.key', 'root.key'].map((name) =>
      readPrivateKey(readFixture(`pki/openssl-docs/${name}`), name),
    );
    expect(behind && alone?.equals(behind)).toBe(true);
  });

  test.each([
    ['nothing', '', 'holds no private key'],
    ['a certificate', readFixture('pki/step/ca.crt').toString(), 'holds no private key'],
    ['a public key', createPublicKey(ec).export({ type: 'spki', format: 'pem' }).toString(), 'holds no private key'],
    ['two keys', pem(ec, 'pkcs8') + pem(rsa, 'pkcs1'), 'holds 2 private keys (lines 1, 6)'],
    ['a key twice', pem(ec, 'pkcs8').repeat(2), 'holds 2 private keys'],
    ['a key cut short', pem(ec, 'pkcs8').slice(0, 100), 'holds no private key'],
    [
      'a key with bytes lost',
      encodePem('PRIVATE KEY', ec.export({ type: 'pkcs8', format: 'der' }).subarray(0, 60)),
      'not a readable key',
    ],
    ['bytes that are no key', encodePem('PRIVATE KEY', Buffer.from('no key')), 'not a readable key'],
    ['X25519', pem(generateKeyPairSync('x25519').privateKey, 'pkcs8'), 'of a kind'],
    ['Ed448', pem(generateKeyPairSync('ed448').privateKey, 'pkcs8'), 'of a kind'],
    ['secp256k1', pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey, 'sec1'), 'of a kind'],
    ['P-224', pem(generateKeyPairSync('ec', { namedCurve: 'secp224r1' }).privateKey, 'pkcs8'), 'of a kind'],
    ['RSA 1024', pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey, 'pkcs8'), 'of a kind'],
    ['RSA-PSS', pem(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey, 'pkcs8'), 'of a kind'],
    [
      'the old encryption of OpenSSL',
      ec.export({ type: 'sec1', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' }).toString(),
      'the old OpenSSL format',
    ],
  ])('refuses %s and never quotes it', (_, text, words) => {
    const error = errorOf(() => readPrivateKey(Buffer.from(text), 'a.key', 'x'));
    expect([error.code, error.exitCode, error.cause]).toEqual(['key.unreadable', 4, undefined]);
    expect(error.message).toMatch(/^a\.key/);
    expect(error.message).toContain(words);
    for (const line of text.split('\n').filter((line) => line.length > 20)) expect(error.message).not.toContain(line);
  });
});

describe('an encrypted key', () => {
  const passphrase = 'pass phrase äöü';
  const encrypted = encodePrivateKey(ec, passphrase);

  test('is read with its passphrase', () => {
    expect(readPrivateKey(Buffer.from(encrypted), 'a.key', passphrase).equals(ec)).toBe(true);
  });

  test.each([
    ['without a passphrase', undefined, 'a.key is encrypted'],
    ['with the wrong one', 'wrong', 'wrong passphrase or damaged key'],
    ['with an empty one', '', 'wrong passphrase or damaged key'],
  ])('is refused %s', (_, given, words) => {
    const error = errorOf(() => readPrivateKey(Buffer.from(encrypted), 'a.key', given));
    expect([error.code, error.exitCode]).toEqual(['key.passphrase', 4]);
    expect(error.message).toContain(words);
  });

  test('is refused when it was damaged', () => {
    const [block] = readPem(Buffer.from(encrypted)).blocks;
    const der = Buffer.from(block?.der ?? []);
    for (const place of [der.length - 1, der.length - 20, der.length - 60]) {
      const damaged = Buffer.from(der);
      damaged.writeUInt8(damaged.readUInt8(place) ^ 1, place);
      const file = Buffer.from(encodePem('ENCRYPTED PRIVATE KEY', damaged));
      expect(errorOf(() => readPrivateKey(file, 'a.key', passphrase)).code).toBe('key.passphrase');
    }
  });

  test('is refused by its kind, too', () => {
    const { privateKey } = generateKeyPairSync('x25519');
    const text = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase });
    expect(errorOf(() => readPrivateKey(Buffer.from(text), 'a.key', passphrase)).code).toBe('key.unreadable');
  });

  test('is PBES2 with AES-256-CBC and 600,000 rounds of PBKDF2 with SHA-256', () => {
    const [block] = readPem(Buffer.from(encrypted)).blocks;
    const [algorithm] = childrenOf(readTlv(block?.der ?? Buffer.alloc(0)));
    const [pbes2, schemes] = childrenOf(algorithm);
    const [kdf, cipher] = childrenOf(schemes);
    const [pbkdf2, kdfParameters] = childrenOf(kdf);
    const [salt, iterations, prf] = childrenOf(kdfParameters);
    expect([pbes2, pbkdf2, childrenOf(prf)[0], childrenOf(cipher)[0]].map((id) => readOid(id))).toEqual([
      '1.2.840.113549.1.5.13',
      '1.2.840.113549.1.5.12',
      '1.2.840.113549.2.9',
      '2.16.840.1.101.3.4.1.42',
    ]);
    expect(salt?.content).toHaveLength(16);
    expect(Number(`0x${Buffer.from(iterations?.content ?? []).toString('hex')}`)).toBe(600_000);
  });

  test('differs each time in salt and vector', () => {
    expect(encodePrivateKey(ec, passphrase)).not.toBe(encrypted);
  });

  test.skipIf(!hasOpenssl)('is opened by openssl (openssl on the PATH)', () => {
    const options = { input: encrypted, env: { ...process.env, SECRET: passphrase } };
    const text = execFileSync('openssl', ['pkey', '-passin', 'env:SECRET'], options);
    expect(createPrivateKey(text).equals(ec)).toBe(true);
  });
});

test('publicKeyOf gives the public half', () => {
  expect(publicKeyOf(ec).equals(createPublicKey(ec))).toBe(true);
});

function childrenOf(tlv: Tlv | undefined): Tlv[] {
  return readChildren(tlv?.content ?? new Uint8Array());
}

function errorOf(action: () => unknown): DaprMtlsError {
  try {
    action();
  } catch (error) {
    if (error instanceof DaprMtlsError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

function isOnPath(program: string): boolean {
  try {
    execFileSync(program, ['version']);
    return true;
  } catch {
    return false;
  }
}
