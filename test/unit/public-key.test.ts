import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { encodeTlv, readTlv } from '../../src/pki/der.ts';
import { assertPublicKey } from '../../src/pki/public-key.ts';
import { bitString, oid, sequence } from '../support/forged-certificate.ts';

const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'der' });
const ec = (namedCurve: string) => spki(generateKeyPairSync('ec', { namedCurve }).publicKey);
const rsa = (parameters: Buffer[], ...numbers: Buffer[]) =>
  sequence(
    sequence(oid('1.2.840.113549.1.1.1'), ...parameters),
    bitString(sequence(...numbers.map((number) => encodeTlv(0x02, number)))),
  );
const none = encodeTlv(0x05);
const [modulus, exponent] = [Buffer.alloc(129, 1), Buffer.from([1, 0, 1])];
const curve = (id: string, point: Buffer) => sequence(sequence(oid('1.2.840.10045.2.1'), oid(id)), bitString(point));

describe('a public key that Go verifies with', () => {
  test.each([
    ['P-224', ec('secp224r1')],
    ['P-256', ec('prime256v1')],
    ['P-384', ec('secp384r1')],
    ['P-521', ec('secp521r1')],
    ['Ed25519', spki(generateKeyPairSync('ed25519').publicKey)],
    ['RSA', spki(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)],
    ['RSA by hand', rsa([none], modulus, exponent)],
  ])('%s', (_, der) => {
    expect(() => assertPublicKey(readTlv(der))).not.toThrow();
  });
});

describe('one that it does not', () => {
  test.each([
    ['secp256k1', ec('secp256k1')],
    ['X25519', spki(generateKeyPairSync('x25519').publicKey)],
    ['Ed448', spki(generateKeyPairSync('ed448').publicKey)],
    ['RSA-PSS', spki(generateKeyPairSync('rsa-pss', { modulusLength: 1024 }).publicKey)],
    ['RSA without parameters', rsa([], modulus, exponent)],
    ['RSA of a negative modulus', rsa([none], Buffer.alloc(128, 0x81), exponent)],
    ['RSA without an exponent', rsa([none], modulus)],
    ['a compressed point', curve('1.2.840.10045.3.1.7', Buffer.alloc(33, 2))],
    ['a point that is too short', curve('1.2.840.10045.3.1.7', Buffer.alloc(64, 4))],
    ['Ed25519 with parameters', sequence(sequence(oid('1.3.101.112'), none), bitString(Buffer.alloc(32)))],
    ['Ed25519 of 31 bytes', sequence(sequence(oid('1.3.101.112')), bitString(Buffer.alloc(31)))],
    ['no key', sequence(sequence(oid('1.3.101.112')))],
  ])('%s', (_, der) => {
    expect(() => assertPublicKey(readTlv(der))).toThrow();
  });
});
