import { expect, test } from 'vitest';
import { DaprMtlsError } from '../../src/errors.ts';
import { belongsTo, findRoot, isBridged } from '../../src/pki/bundle.ts';
import { encodeBundle, encodeCertificates } from '../../src/pki/encode.ts';
import { parseBundle } from '../../src/pki/parse-bundle.ts';
import { certificatesOf, readCertificateFile } from '../../src/pki/reading.ts';
import { trustDomainOf } from '../../src/pki/trust-domain.ts';
import { dayMs, makeBundle, renew } from '../support/bundles.ts';
import { fixtureInstant, readForeignBundle } from '../support/fixtures.ts';

const { bundle, files, rootKey } = await makeBundle();
const other = await makeBundle({ trustDomain: 'example.org' });
const [root] = bundle.anchors;
const [otherRoot] = other.bundle.anchors;

test('the root is the anchor that signed the issuer, wherever it stands', () => {
  expect(
    findRoot(
      [otherRoot, root].flatMap((one) => one ?? []),
      bundle.issuerChain,
    ),
  ).toBe(root);
  expect(findRoot(other.bundle.anchors, bundle.issuerChain)).toBeUndefined();
  expect(findRoot([], bundle.issuerChain)).toBeUndefined();
});

test('under a bridge the root is the new one', async () => {
  const renewal = await renew(files);
  expect(findRoot([...renewal.bundle.anchors].reverse(), renewal.bundle.issuerChain)).toBe(renewal.root);
  expect(isBridged(renewal.bundle)).toBe(true);
  expect(isBridged(bundle)).toBe(false);
});

test('of several roots on one key the one that lives longest decides', async () => {
  const renewal = await renew(
    files,
    { kind: 'private-key', rootKey, procedure: undefined },
    { now: new Date(fixtureInstant.getTime() + dayMs) },
  );
  const anchors = [root, renewal.root].flatMap((one) => one ?? []);
  expect(findRoot(anchors, bundle.issuerChain)).toBe(renewal.root);
});

test('a key belongs to the certificate of its public half', () => {
  expect(belongsTo(bundle.issuerKey, bundle.issuerChain[0])).toBe(true);
  expect(belongsTo(other.bundle.issuerKey, bundle.issuerChain[0])).toBe(false);
});

test('a bundle that is encoded and parsed is the same', () => {
  const parsed = parseBundle(files);
  expect(encodeBundle(parsed)).toEqual(files);
  expect(files.anchors.toString()).toMatch(/^-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n$/);
  expect(files.issuerKey.toString()).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  expect(encodeCertificates([])).toEqual(Buffer.alloc(0));
});

test.each(['anchors', 'issuerChain', 'issuerKey'] as const)('a bundle without its %s is not whole', (part) => {
  expect(() => parseBundle({ ...files, [part]: undefined })).toThrow(DaprMtlsError);
});

test.each([
  ['step', undefined],
  ['openssl-docs', 'cluster.local'],
  ['sentry-1.17', 'cluster.local'],
  ['sentry-1.18', 'cluster.local'],
] as const)('the trust domain of the issuer of %s is %s', (maker, trustDomain) => {
  const [issuer] = certificatesOf(readCertificateFile('issuerChain', readForeignBundle(maker).issuerChain));
  expect(issuer && trustDomainOf(issuer)).toBe(trustDomain);
});

test('the trust domain is told by the DNS name first', () => {
  expect(trustDomainOf(other.bundle.issuerChain[0])).toBe('example.org');
});
