import { expect, test } from 'vitest';
import { belongsTo, findRoot, isBridged } from '../../src/pki/bundle.ts';
import { dayMs, makeBundle, renew } from '../support/bundles.ts';
import { fixtureInstant } from '../support/fixtures.ts';

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
