import { expect, test } from 'vitest';
import { encodeBundle, encodeCertificates } from '../../src/pki/encode.ts';
import { makeBundle } from '../support/bundles.ts';

const { bundle, files } = await makeBundle();

test('files hold CERTIFICATE blocks and a PKCS#8 key, and nothing else', () => {
  const block = /^-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n$/;
  expect(files.anchors.toString()).toMatch(block);
  expect(files.issuerChain.toString()).toMatch(block);
  expect(files.issuerKey.toString()).toMatch(/^-----BEGIN PRIVATE KEY-----\n[^-]+-----END PRIVATE KEY-----\n$/);
});

test('the same bundle is always the same bytes', () => {
  expect(encodeBundle(bundle)).toEqual(files);
});

test('certificates keep their order, and none is nothing', () => {
  const [root] = bundle.anchors;
  const [issuer] = bundle.issuerChain;
  expect(encodeCertificates(root ? [issuer, root] : [])).toEqual(Buffer.concat([files.issuerChain, files.anchors]));
  expect(encodeCertificates([])).toEqual(Buffer.alloc(0));
});
