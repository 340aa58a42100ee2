import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { DaprMtlsError } from '../../src/errors.ts';
import {
  describeKeyAlgorithm,
  hasSameKey,
  isSameCertificate,
  isSelfSigned,
  isSignedBy,
  readCertificate,
} from '../../src/pki/certificate.ts';
import { encodeTlv } from '../../src/pki/der.ts';
import { decodeAsGo } from '../../src/pki/pem.ts';
import { readFixture } from '../support/fixtures.ts';
import { commonName, forgeRoot, name, sequence } from '../support/forged-certificate.ts';

const otherKey = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;

function derOf(path: string): Buffer {
  const [block] = decodeAsGo(readFixture(path));
  if (!block) throw new Error(`no block in ${path}`);
  return block.der;
}

test('comparing keys of two types leaves nothing behind that spoils the next key that is read', () => {
  const keys = [generateKeyPairSync('ed25519'), generateKeyPairSync('ec', { namedCurve: 'prime256v1' })];
  const [one, other] = keys.map(({ publicKey }) => publicKey);
  expect(one && other && hasSameKey(one, other)).toBe(false);
  for (const { privateKey } of keys) {
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    expect(() => createPrivateKey(pem)).not.toThrow();
  }
});

describe('readCertificate', () => {
  test('reads what the commands show', () => {
    const certificate = readCertificate(derOf('pki/openssl-docs/ca.crt'));
    const { x509 } = certificate;
    expect(certificate).toMatchObject({
      fingerprint: x509.fingerprint256.replaceAll(':', '').toLowerCase(),
      serial: x509.serialNumber.toLowerCase(),
      subject: 'C=US, ST=VA, L=Daprville, O=dapr.io/sentry, OU=dapr.io/sentry, CN=cluster.local',
      issuer: 'C=US, ST=VA, L=Daprville, O=dapr.io/sentry, OU=dapr.io/sentry, CN=cluster.local',
      notBefore: new Date(x509.validFrom),
      notAfter: new Date(x509.validTo),
      keyAlgorithm: 'ECDSA P-256',
    });
  });

  // What node:crypto takes and Go does not.
  test.each([
    ['a byte behind it', Buffer.concat([forgeRoot(), Buffer.from([0])])],
    ['a date that is none', forgeRoot({ validity: sequence(time('260231000000Z'), time('270101000000Z')) })],
    ['an underscore in a PrintableString', forgeRoot({ subject: commonName('a_b', 'printable') })],
    ['a negative serial number', forgeRoot({ serial: Buffer.from([0x80]) })],
    ['a key on secp256k1', forgeRoot({ key: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey })],
  ])('refuses %s, which node:crypto takes', (_, der) => {
    expect(() => new X509Certificate(der)).not.toThrow();
    expect(() => readCertificate(der)).toThrow(DaprMtlsError);
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['half of it', forgeRoot().subarray(0, 200)],
    ['text', Buffer.from('-----BEGIN CERTIFICATE-----')],
  ])('refuses %s with a code and a mend', (_, der) => {
    expect(() => readCertificate(der)).toThrow(
      expect.objectContaining({ code: 'trust.unreadable', hint: expect.stringContaining('Restore') }),
    );
  });
});

test('self-signed means that its own key verifies it, whatever the names say', () => {
  const root = readCertificate(forgeRoot());
  const sameName = readCertificate(forgeRoot({ signer: otherKey }));
  const otherName = readCertificate(forgeRoot({ issuer: commonName('somebody') }));
  expect([isSelfSigned(root), isSelfSigned(sameName), isSelfSigned(otherName)]).toEqual([true, false, true]);
  expect(isSignedBy(sameName, root)).toBe(false);
  expect(isSignedBy(sameName, readCertificate(forgeRoot({ key: otherKey })))).toBe(true);
});

test('two certificates are the same when their bytes are', () => {
  const der = forgeRoot();
  expect(isSameCertificate(readCertificate(der), readCertificate(der))).toBe(true);
  expect(isSameCertificate(readCertificate(der), readCertificate(forgeRoot({ serial: Buffer.from([2]) })))).toBe(false);
});

test('keys are compared by what they are', () => {
  const [root, again] = [readCertificate(forgeRoot()), readCertificate(forgeRoot({ subject: name() }))];
  const ed25519 = generateKeyPairSync('ed25519').publicKey;
  expect(hasSameKey(root.publicKey, again.publicKey)).toBe(true);
  expect(hasSameKey(root.publicKey, ed25519)).toBe(false);
  // KeyObject.equals would leave an error in OpenSSL's queue here, which the next key then stumbles over.
  expect(() => createPrivateKey(otherKey.export({ type: 'pkcs8', format: 'pem' }))).not.toThrow();
});

test.each([
  [generateKeyPairSync('ec', { namedCurve: 'secp521r1' }).publicKey, 'ECDSA P-521'],
  [generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey, 'ECDSA secp256k1'],
  [generateKeyPairSync('x25519').publicKey, 'x25519'],
])('describeKeyAlgorithm names a key', (key, description) => {
  expect(describeKeyAlgorithm(key)).toBe(description);
});

function time(text: string): Buffer {
  return encodeTlv(0x17, Buffer.from(text));
}
