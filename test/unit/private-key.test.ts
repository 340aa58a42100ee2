import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { encodeTlv, readChildren, readTlv } from '../../src/pki/der.ts';
import { isConsistent, parsePrivateKey } from '../../src/pki/private-key.ts';
import { oid, sequence } from '../support/forged-certificate.ts';

const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const ed25519 = generateKeyPairSync('ed25519').privateKey;
const x25519 = generateKeyPairSync('x25519').privateKey;
const der = (key: KeyObject, type: 'pkcs8' | 'sec1' | 'pkcs1') => key.export({ type, format: 'der' }) as Buffer;
const one = encodeTlv(0x02, Buffer.from([1]));
const zero = encodeTlv(0x02, Buffer.from([0]));

describe('parsePrivateKey', () => {
  test.each([
    ['PRIVATE KEY', ec, 'pkcs8'],
    ['PRIVATE KEY', rsa, 'pkcs8'],
    ['PRIVATE KEY', ed25519, 'pkcs8'],
    ['PRIVATE KEY', x25519, 'pkcs8'],
    ['EC PRIVATE KEY', ec, 'sec1'],
    ['RSA PRIVATE KEY', rsa, 'pkcs1'],
  ] as const)('reads a %s of %o as %s', (label, key, type) => {
    expect(parsePrivateKey(label, der(key, type)).equals(key)).toBe(true);
  });

  test.each([
    ['PRIVATE KEY', ec, 'sec1'],
    ['PRIVATE KEY', rsa, 'pkcs1'],
    ['EC PRIVATE KEY', ec, 'pkcs8'],
    ['RSA PRIVATE KEY', rsa, 'pkcs8'],
    ['EC PRIVATE KEY', rsa, 'pkcs1'],
    ['ED25519 PRIVATE KEY', ed25519, 'pkcs8'],
  ] as const)('refuses as %s what is another form (%o, %s)', (label, key, type) => {
    expect(() => parsePrivateKey(label, der(key, type))).toThrow();
  });

  test('passes over what stands behind a key, as Go does, but not behind PKCS#1', () => {
    const behind = Buffer.from('behind');
    expect(parsePrivateKey('PRIVATE KEY', Buffer.concat([der(ec, 'pkcs8'), behind])).equals(ec)).toBe(true);
    expect(parsePrivateKey('EC PRIVATE KEY', Buffer.concat([der(ec, 'sec1'), behind])).equals(ec)).toBe(true);
    expect(() => parsePrivateKey('RSA PRIVATE KEY', Buffer.concat([der(rsa, 'pkcs1'), behind]))).toThrow();
  });

  test('refuses an EC key whose private half was damaged beside a sound public half', () => {
    const damaged = Buffer.from(der(ec, 'sec1'));
    damaged.writeUInt8(damaged.readUInt8(20) ^ 1, 20);
    const asOpensslReadsIt = createPublicKey(createPrivateKey({ key: damaged, format: 'der', type: 'sec1' }));
    expect(asOpensslReadsIt.equals(createPublicKey(ec))).toBe(true);
    expect(() => parsePrivateKey('EC PRIVATE KEY', damaged)).toThrow('does not belong');
  });

  test.each([4, 5, 6, 7, 8])('refuses an RSA key whose number %d was damaged', (place) => {
    const numbers = readChildren(readTlv(der(rsa, 'pkcs1')).content).map(({ raw }) => Buffer.from(raw));
    const number = numbers[place];
    number?.writeUInt8(number.readUInt8(number.length - 1) ^ 2, number.length - 1);
    expect(() => parsePrivateKey('RSA PRIVATE KEY', sequence(...numbers))).toThrow();
  });

  test.each([
    ['nothing', 'PRIVATE KEY', Buffer.alloc(0)],
    ['an unknown version of PKCS#8', 'PRIVATE KEY', replaceFirst(der(ec, 'pkcs8'), encodeTlv(0x02, Buffer.from([2])))],
    ['an unknown version of SEC1', 'EC PRIVATE KEY', replaceFirst(der(ec, 'sec1'), zero)],
    ['RSA of three primes', 'RSA PRIVATE KEY', replaceFirst(der(rsa, 'pkcs1'), one)],
    ['RSA without its coefficient', 'RSA PRIVATE KEY', sequence(...childrenOf(der(rsa, 'pkcs1')).slice(0, 8))],
    ['an Ed25519 seed without its frame', 'PRIVATE KEY', pkcs8(sequence(oid('1.3.101.112')), Buffer.alloc(32))],
    [
      'Ed25519 with parameters',
      'PRIVATE KEY',
      pkcs8(sequence(oid('1.3.101.112'), encodeTlv(0x05)), encodeTlv(0x04, Buffer.alloc(32))),
    ],
    ['an EC key without a curve', 'PRIVATE KEY', pkcs8(sequence(oid('1.2.840.10045.2.1')), der(ec, 'sec1'))],
    ['a length that is not minimal', 'PRIVATE KEY', widen(der(ec, 'pkcs8'))],
  ])('refuses %s', (_, label, bytes) => {
    expect(() => parsePrivateKey(label, bytes)).toThrow();
  });
});

test.each([
  ['EC', ec],
  ['RSA', rsa],
  ['Ed25519', ed25519],
  ['X25519, which does not sign', x25519],
])('a key as it was made is consistent: %s', (_, key) => {
  expect(isConsistent(key)).toBe(true);
});

function childrenOf(bytes: Buffer): Buffer[] {
  return readChildren(readTlv(bytes).content).map(({ raw }) => Buffer.from(raw));
}

function replaceFirst(bytes: Buffer, first: Buffer): Buffer {
  return sequence(first, ...childrenOf(bytes).slice(1));
}

function pkcs8(algorithm: Buffer, key: Buffer): Buffer {
  return sequence(zero, algorithm, encodeTlv(0x04, key));
}

function widen(bytes: Buffer): Buffer {
  const { content } = readTlv(bytes);
  return Buffer.concat([Buffer.from([0x30, 0x82, content.length >> 8, content.length & 0xff]), content]);
}
