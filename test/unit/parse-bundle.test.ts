import { expect, test } from 'vitest';
import { encodeBundle } from '../../src/pki/encode.ts';
import { parseBundle } from '../../src/pki/parse-bundle.ts';
import { makeBundle } from '../support/bundles.ts';

const { files } = await makeBundle();

test('a bundle that is parsed and encoded again is the same', () => {
  expect(encodeBundle(parseBundle(files))).toEqual(files);
});

test.each(['anchors', 'issuerChain', 'issuerKey'] as const)('a bundle without its %s is not whole', (part) => {
  expect(() => parseBundle({ ...files, [part]: undefined })).toThrow(
    expect.objectContaining({ code: 'trust.unreadable' }),
  );
});

test('a key that cannot be read is told as such', () => {
  expect(() => parseBundle({ ...files, issuerKey: files.issuerChain })).toThrow(
    expect.objectContaining({ code: 'key.unreadable' }),
  );
});
