import { describe, expect, test } from 'vitest';
import { readCertificate } from '../../src/pki/certificate.ts';
import { encodeTlv } from '../../src/pki/der.ts';
import { parseDetail } from '../../src/pki/extensions.ts';
import {
  alternativeName,
  authorityKeyId,
  basicConstraints,
  bitString,
  commonName,
  extendedKeyUsage,
  extension,
  extensionIds,
  forgeRoot,
  keyUsage,
  oid,
  purposes,
  sequence,
  subjectKeyId,
} from '../support/forged-certificate.ts';

const keyId = Buffer.alloc(20, 9);
const detailOf = (...extensions: Buffer[]) => parseDetail(forgeRoot({ extensions }));

describe('parseDetail reads', () => {
  test('the fields of an authority', () => {
    const detail = detailOf(
      basicConstraints(true, 3),
      keyUsage('digitalSignature', 'keyCertSign', 'cRLSign'),
      extendedKeyUsage('server', 'any'),
      subjectKeyId(keyId),
      authorityKeyId(keyId),
      alternativeName('dns', 'cluster.local'),
    );
    expect(detail).toMatchObject({
      version: 3,
      subjectDer: commonName('root'),
      issuerDer: commonName('root'),
      signatureAlgorithm: '1.2.840.10045.4.3.2',
      basicConstraints: { ca: true, pathLength: 3, critical: true },
      keyUsage: ['digitalSignature', 'keyCertSign', 'cRLSign'],
      extendedKeyUsage: [purposes.server, purposes.any],
      subjectKeyId: keyId,
      authorityKeyId: keyId,
      dnsNames: ['cluster.local'],
      uris: [],
      unweighed: [],
      unhandledCritical: [],
    });
  });

  test('nothing where there is nothing', () => {
    expect(detailOf()).toMatchObject({
      basicConstraints: undefined,
      keyUsage: undefined,
      extendedKeyUsage: undefined,
      subjectKeyId: undefined,
      authorityKeyId: undefined,
      subjectAlternativeName: undefined,
      dnsNames: [],
    });
  });

  test.each([
    [
      'an explicit CA:FALSE',
      basicConstraints(false),
      { basicConstraints: { ca: false, pathLength: undefined, critical: true } },
    ],
    ['an empty key usage', keyUsage(), { keyUsage: [] }],
    [
      'a ninth bit of the key usage',
      extension('keyUsage', bitString(Buffer.from([0, 0x80]), 7)),
      { keyUsage: ['decipherOnly'] },
    ],
    ['an authority key id without an id', extension('authorityKeyId', sequence()), { authorityKeyId: undefined }],
    [
      'a critical extension that Go does not know',
      extension('unknown', sequence(), true),
      { unhandledCritical: [extensionIds.unknown] },
    ],
    ['one that is not critical', extension('unknown', sequence()), { unhandledCritical: [] }],
    [
      'critical names of a kind that Go does not know',
      alternativeName('directory', commonName('a'), true),
      { unhandledCritical: [extensionIds.subjectAlternativeName] },
    ],
    [
      'critical names that it knows',
      alternativeName('uri', 'spiffe://a', true),
      { unhandledCritical: [], uris: ['spiffe://a'] },
    ],
    [
      'name constraints',
      extension('nameConstraints', sequence(), true),
      { unweighed: ['name constraints'], unhandledCritical: [] },
    ],
    ['policy constraints', extension('policyConstraints', sequence(), true), { unweighed: ['policies'] }],
    ['policy mappings', extension('policyMappings', sequence()), { unweighed: ['policies'] }],
  ])('%s', (_, encoded, expected) => {
    expect(detailOf(encoded)).toMatchObject(expected);
  });

  test.each([1, 2])('version %d without its extensions, as Go does', (version) => {
    const detail = parseDetail(forgeRoot({ version }));
    expect(detail).toMatchObject({ version, basicConstraints: undefined, keyUsage: undefined });
  });
});

describe('parseDetail refuses', () => {
  test.each([
    ['an extension twice', detailOf, [basicConstraints(true), basicConstraints(true)]],
    ['a critical subject key id', detailOf, [extension('subjectKeyId', encodeTlv(0x04, keyId), true)]],
    ['a critical authority key id', detailOf, [extension('authorityKeyId', sequence(encodeTlv(0x80, keyId)), true)]],
    ['a critical authority information', detailOf, [extension('authorityInformation', sequence(), true)]],
    ['a subject key id that is no octet string', detailOf, [extension('subjectKeyId', sequence())]],
    ['unused bits that are set', detailOf, [extension('keyUsage', bitString(Buffer.from([0xff]), 3))]],
    [
      'a negative path length',
      detailOf,
      [extension('basicConstraints', sequence(encodeTlv(0x02, Buffer.from([0xff]))))],
    ],
    ['a usage that is no identifier', detailOf, [extension('extendedKeyUsage', sequence(encodeTlv(0x04)))]],
    ['an extension without a value', detailOf, [sequence(oid(extensionIds.unknown))]],
    ['an extension whose value is no octet string', detailOf, [sequence(oid(extensionIds.unknown), sequence())]],
  ])('%s', (_, parse, extensions) => {
    expect(() => parse(...extensions)).toThrow();
  });

  test.each([
    ['version 4', { version: 4 }],
    ['a serial number that is negative', { serial: Buffer.from([0xfe]) }],
    ['a name that Go does not take', { issuer: commonName('a_b', 'printable') }],
    ['a name that is no sequence', { subject: encodeTlv(0x31) }],
    ['validity without an end', { validity: sequence() }],
    ['a key that is none', { spki: sequence() }],
  ])('%s', (_, oddity) => {
    expect(() => parseDetail(forgeRoot(oddity))).toThrow();
  });

  test('two signature algorithms that differ', () => {
    const der = Buffer.from(forgeRoot());
    const last = der.lastIndexOf(Buffer.from('06082a8648ce3d040302', 'hex'));
    der.writeUInt8(3, last + 9);
    expect(() => parseDetail(der)).toThrow('signature algorithm differ');
  });
});

test('a certificate carries its detail', () => {
  expect(readCertificate(forgeRoot()).detail.keyUsage).toEqual(['keyCertSign']);
});
