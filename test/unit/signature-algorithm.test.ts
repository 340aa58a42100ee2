import { describe, expect, test } from 'vitest';
import { readCertificate } from '../../src/pki/certificate.ts';
import { encodeTlv } from '../../src/pki/der.ts';
import { isVerifiedByGo } from '../../src/pki/signature-algorithm.ts';
import { forgeRoot, oid, sequence, signatureAlgorithms } from '../support/forged-certificate.ts';

const none = encodeTlv(0x05);
const sha256 = sequence(oid('2.16.840.1.101.3.4.2.1'), none);
const sha512 = sequence(oid('2.16.840.1.101.3.4.2.3'), none);

function pss(hash: Buffer, maskHash: Buffer, saltLength: number): Buffer {
  const mask = sequence(oid('1.2.840.113549.1.1.8'), maskHash);
  const salt = encodeTlv(0x02, Buffer.from([saltLength]));
  return sequence(
    oid('1.2.840.113549.1.1.10'),
    sequence(encodeTlv(0xa0, hash), encodeTlv(0xa1, mask), encodeTlv(0xa2, salt)),
  );
}

function accepts(algorithm: Buffer): boolean {
  const der = forgeRoot({ signature: { algorithm, sign: () => Buffer.alloc(64) } });
  return isVerifiedByGo(readCertificate(der).detail);
}

describe('isVerifiedByGo', () => {
  test.each([
    ['RSA with SHA-256', signatureAlgorithms.sha256WithRsa],
    ['ECDSA with SHA-256', signatureAlgorithms.ecdsaWithSha256],
    ['ECDSA with SHA-384', signatureAlgorithms.ecdsaWithSha384],
    ['ECDSA with SHA-512', sequence(oid('1.2.840.10045.4.3.4'))],
    ['Ed25519', signatureAlgorithms.ed25519],
    ['PSS with SHA-256', pss(sha256, sha256, 32)],
    ['PSS with SHA-512', pss(sha512, sha512, 64)],
  ])('takes %s', (_, algorithm) => {
    expect(accepts(algorithm)).toBe(true);
  });

  test.each([
    ['RSA with SHA-1', signatureAlgorithms.sha1WithRsa],
    ['RSA with MD5', sequence(oid('1.2.840.113549.1.1.4'), none)],
    ['ECDSA with SHA-1', signatureAlgorithms.ecdsaWithSha1],
    ['ECDSA with SHA-224', sequence(oid('1.2.840.10045.4.3.1'))],
    ['Ed25519 with parameters', sequence(oid('1.3.101.112'), none)],
    ['Ed448', sequence(oid('1.3.101.113'))],
    ['PSS with a salt of another length', pss(sha256, sha256, 20)],
    ['PSS with two hashes', pss(sha256, sha512, 32)],
    ['PSS without parameters', sequence(oid('1.2.840.113549.1.1.10'))],
  ])('refuses %s', (_, algorithm) => {
    expect(accepts(algorithm)).toBe(false);
  });
});
