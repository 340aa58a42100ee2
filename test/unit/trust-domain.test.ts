import { expect, test } from 'vitest';
import { readCertificate } from '../../src/pki/certificate.ts';
import { certificatesOf, readCertificateFile } from '../../src/pki/reading.ts';
import { trustDomainOf } from '../../src/pki/trust-domain.ts';
import { makeBundle } from '../support/bundles.ts';
import { readForeignBundle } from '../support/fixtures.ts';
import { forgeRoot, name } from '../support/forged-certificate.ts';

test.each([
  ['sentry-1.11', 'cluster.local'],
  ['sentry-1.17', 'cluster.local'],
  ['sentry-1.18', 'cluster.local'],
  ['openssl-docs', 'cluster.local'],
  ['step', undefined],
] as const)('the issuer of %s was made for %s', (maker, trustDomain) => {
  const [issuer] = certificatesOf(readCertificateFile('issuerChain', readForeignBundle(maker).issuerChain));
  expect(issuer && trustDomainOf(issuer)).toBe(trustDomain);
});

test('the DNS name tells', async () => {
  const { bundle } = await makeBundle({ trustDomain: 'my_cluster.example.org' });
  expect(trustDomainOf(bundle.issuerChain[0])).toBe('my_cluster.example.org');
});

test.each([
  ['spiffe://prod.example.org/ns/default/dapr-sentry', 'prod.example.org'],
  ['spiffe://', undefined],
  ['example.org', undefined],
])('the organization %s tells %s', (organization, trustDomain) => {
  const subject = name({ type: 'organization', as: 'utf8', value: organization });
  expect(trustDomainOf(readCertificate(forgeRoot({ subject })))).toBe(trustDomain);
});
