import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { isSelfSigned, isSignedBy, readCertificate } from '../../src/pki/certificate.ts';
import { extendedKeyUsages } from '../../src/pki/extensions.ts';
import { type Authority, issueBridge, issueIssuer, issueRoot, renewRoot } from '../../src/pki/issue.ts';
import { generateKey } from '../../src/pki/keys.ts';
import { contextAt, dayMs, newKey } from '../support/bundles.ts';
import { forgeRoot, name, spkiOf } from '../support/forged-certificate.ts';

const at = new Date('2026-12-01T12:00:00.789Z');
const context = contextAt(at);
const end = new Date(at.getTime() + 365 * dayMs);
const rootKey = generateKey('p256');
const root = await issueRoot(rootKey, end, context);
const issuer = await issueIssuer(root, generateKey('p256'), end, context);

describe('a root', () => {
  test("is as the profile says, which is the documentation's", () => {
    expect(root.key).toBe(rootKey);
    expect(isSelfSigned(root.certificate)).toBe(true);
    expect(root.certificate).toMatchObject({
      subject: 'C=US, ST=VA, L=Daprville, O=dapr.io/sentry, OU=dapr.io/sentry, CN=cluster.local',
      issuer: 'C=US, ST=VA, L=Daprville, O=dapr.io/sentry, OU=dapr.io/sentry, CN=cluster.local',
      notBefore: new Date('2026-12-01T11:45:00Z'),
      notAfter: new Date('2027-12-01T12:00:00Z'),
      keyAlgorithm: 'ECDSA P-256',
      detail: {
        version: 3,
        basicConstraints: { ca: true, pathLength: undefined, critical: true },
        keyUsage: ['digitalSignature', 'keyCertSign', 'cRLSign'],
        extendedKeyUsage: [extendedKeyUsages.serverAuth, extendedKeyUsages.clientAuth],
        dnsNames: ['cluster.local'],
        uris: [],
        unhandledCritical: [],
      },
    });
  });

  test('has a positive serial number of 128 bits, another one each time', async () => {
    const again = await issueRoot(rootKey, end, context);
    expect(root.certificate.serial).toMatch(/^4[0-9a-f]{31}$/);
    expect(again.certificate.serial).not.toBe(root.certificate.serial);
  });

  test('names its key by the hash of RFC 7093', () => {
    // The bits of a P-256 key are the last 65 bytes of its encoding.
    const id = createHash('sha256').update(spkiOf(rootKey).subarray(-65)).digest().subarray(0, 20);
    const { subjectKeyId, authorityKeyId } = root.certificate.detail;
    expect([subjectKeyId, authorityKeyId]).toEqual([id, id]);
  });
});

describe('an issuer', () => {
  test('stands under the root with another name and key', () => {
    const { certificate } = issuer;
    expect(isSignedBy(certificate, root.certificate)).toBe(true);
    expect(certificate.subject).toMatch(/CN=cluster\.local issuer$/);
    expect(certificate.detail.issuerDer).toEqual(root.certificate.detail.subjectDer);
    expect(certificate.detail.authorityKeyId).toEqual(root.certificate.detail.subjectKeyId);
    expect(certificate.detail.subjectKeyId).not.toEqual(root.certificate.detail.subjectKeyId);
    expect(certificate.detail.basicConstraints).toEqual({ ca: true, pathLength: undefined, critical: true });
  });

  test('has a path length only when one is asked for', async () => {
    const { certificate } = await issueIssuer(root, generateKey('p256'), end, context, 2);
    expect(certificate.detail.basicConstraints?.pathLength).toBe(2);
  });

  test('ends with its root at the latest', async () => {
    const { certificate } = await issueIssuer(root, generateKey('p256'), new Date(end.getTime() + dayMs), context);
    expect(certificate.notAfter).toEqual(root.certificate.notAfter);
  });

  test('is not made under a root that has ended', async () => {
    const late = contextAt(new Date(end.getTime() + dayMs));
    await expect(issueIssuer(root, generateKey('p256'), new Date(end.getTime() + 2 * dayMs), late)).rejects.toThrow(
      expect.objectContaining({ code: 'trust.impossible' }),
    );
  });
});

describe('a bridge', () => {
  test('is the new root under the old issuer, within the time of both', async () => {
    const newRoot = await issueRoot(generateKey('ed25519'), new Date(end.getTime() + 365 * dayMs), context);
    const bridge = await issueBridge(issuer, newRoot.certificate, context);
    expect(isSignedBy(bridge, issuer.certificate)).toBe(true);
    expect(bridge.publicKey.equals(newRoot.certificate.publicKey)).toBe(true);
    expect(bridge.detail.subjectDer).toEqual(newRoot.certificate.detail.subjectDer);
    expect(bridge.detail.issuerDer).toEqual(issuer.certificate.detail.subjectDer);
    expect(bridge.detail.subjectKeyId).toEqual(newRoot.certificate.detail.subjectKeyId);
    expect(bridge.detail.authorityKeyId).toEqual(issuer.certificate.detail.subjectKeyId);
    expect(bridge.detail.basicConstraints?.pathLength).toBeUndefined();
    expect(bridge.notAfter).toEqual(issuer.certificate.notAfter);
  });
});

describe('a root renewed on its key', () => {
  test('copies the bytes of the name and the key identifier', async () => {
    const odd = name([
      { type: 'unit', as: 'printable', value: 'b' },
      { type: 'commonName', as: 't61', value: '\xe4' },
    ]);
    const old = readCertificate(forgeRoot({ key: rootKey, subject: odd, issuer: odd }));
    const { certificate } = await renewRoot(old, rootKey, end, context);
    expect(certificate.detail.subjectDer).toEqual(odd);
    expect(certificate.detail.issuerDer).toEqual(odd);
    expect(certificate.detail.subjectKeyId).toEqual(old.detail.subjectKeyId);
    expect(certificate.notAfter).toEqual(new Date('2027-12-01T12:00:00Z'));
  });

  test('gets an identifier where the old one has none', async () => {
    const old = readCertificate(forgeRoot({ key: rootKey, version: 1, extensions: [] }));
    const { certificate } = await renewRoot(old, rootKey, end, context);
    expect(certificate.detail.subjectKeyId).toHaveLength(20);
  });
});

describe('any key signs any other', () => {
  const types = ['p256', 'p384', 'ed25519', 'rsa2048'] as const;
  test.each(types.flatMap((signer) => types.map((subject) => [signer, subject] as const)))(
    '%s signs %s',
    async (signer, subject) => {
      const authority: Authority = await issueRoot(newKey(signer), end, context);
      const { certificate } = await issueIssuer(authority, newKey(subject), end, context);
      expect(isSignedBy(certificate, authority.certificate)).toBe(true);
    },
  );
});

describe('trust domains', () => {
  test.each([
    ['my_cluster.local', 'CN=my_cluster.local', ['my_cluster.local']],
    ['a'.repeat(64), `CN=${'a'.repeat(64)}`, ['a'.repeat(64)]],
    ['a'.repeat(253), `CN=${'a'.repeat(64)}`, ['a'.repeat(253)]],
    ['a'.repeat(254), `CN=${'a'.repeat(64)}`, []],
  ])('%s', async (trustDomain, common, dnsNames) => {
    const { certificate } = await issueRoot(rootKey, end, contextAt(at, trustDomain));
    expect(certificate.subject.split(', ').at(-1)).toBe(common);
    expect(certificate.detail.dnsNames).toEqual(dnsNames);
  });
});

test('a certificate that would end before it begins is not made', async () => {
  await expect(issueRoot(rootKey, new Date(0), context)).rejects.toThrow(
    expect.objectContaining({ code: 'trust.impossible', exitCode: 4 }),
  );
});
