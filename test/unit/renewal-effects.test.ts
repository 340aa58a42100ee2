import { describe, expect, test } from 'vitest';
import { listTrustPairs, remarkOnUnknown } from '../../src/app/renew/effects.ts';
import type { BundleFiles, TrustBundle } from '../../src/pki/bundle.ts';
import { currentOf, dayMs, makeBundle, renew } from '../support/bundles.ts';
import { fixtureInstant } from '../support/fixtures.ts';

const { files, bundle, rootKey } = await makeBundle();
const other = await makeBundle();
const only = `only the old anchor ${bundle.anchors[0]?.fingerprint.slice(0, 8)}`;
const onlyOther = `only the old anchor ${other.bundle.anchors[0]?.fingerprint.slice(0, 8)}`;
const before = 'the anchors from before the damage';
const cut = (pem: Buffer) => pem.subarray(0, 300);
const nothing = Buffer.alloc(0);

const unreadable = { ...files, anchors: cut(files.anchors) };
const foreignAnchors = { ...files, anchors: other.files.anchors };
const foreignIssuer = { ...files, issuerChain: other.files.issuerChain, issuerKey: other.files.issuerKey };

/** One line for each pair, as `holder / old: verdict`. */
function tell(found: BundleFiles, next: TrustBundle, { at = fixtureInstant, isNewRoot = false } = {}): string[] {
  return listTrustPairs(currentOf(found, at), next, at, isNewRoot).map(
    ({ holder, shown, verifies }) => `${holder} / ${shown.includes('old') ? 'old' : 'new'}: ${verifies}`,
  );
}

async function replace(found: BundleFiles, at = fixtureInstant): Promise<string[]> {
  const renewal = await renew(found, undefined, { now: at });
  expect(renewal.procedure).toBe('replace');
  return tell(found, renewal.bundle, { at, isNewRoot: true });
}

describe('a bundle that Sentry refuses, replaced whole', () => {
  test.each<[string, BundleFiles, string[]]>([
    ['ca.crt cut short', unreadable, [`${before} / new: false`, 'the new anchors / old: false']],
    ['ca.crt empty', { ...files, anchors: nothing }, [`${before} / new: false`, 'the new anchors / old: false']],
    ['ca.crt of another root', foreignAnchors, [`${onlyOther} / new: false`, `${before} / new: false`]],
    ['an issuer of another root', foreignIssuer, [`${only} / new: false`, `${before} / new: false`]],
    ['issuer.crt cut short', { ...files, issuerChain: cut(files.issuerChain) }, [`${only} / new: false`]],
    [
      'the key of another issuer',
      { ...files, issuerKey: other.files.issuerKey },
      [`${only} / old: true`, `${only} / new: false`, 'the new anchors / old: false'],
    ],
    ['nothing to be read', { ...files, anchors: nothing, issuerChain: nothing }, [`${before} / new: false`]],
  ])('%s: says who is cut off', async (_, found, pairs) => {
    expect(await replace(found)).toEqual([...pairs, 'the new anchors / new: true']);
  });

  test('one that has ended cuts off nobody', async () => {
    const at = new Date(fixtureInstant.getTime() + 366 * dayMs);
    expect(await replace(files, at)).toEqual(['the new anchors / new: true']);
    expect(await replace(foreignAnchors, at)).toEqual(['the new anchors / new: true']);
  });

  test('one that is not valid yet is held by those whose clock is right', async () => {
    const at = new Date(fixtureInstant.getTime() - 400 * dayMs);
    expect(await replace(files, at)).toContain(`${only} / new: false`);
  });
});

test("the old root's key makes anew the root that cannot be read, and cuts off nobody", async () => {
  const renewal = await renew(unreadable, { kind: 'private-key', rootKey, procedure: undefined });
  expect(renewal.remarks[0]).toMatch(/that of the root that signed the old issuer/);
  expect(tell(unreadable, renewal.bundle, { isNewRoot: true })).toEqual([
    `${before} / new: true`,
    'the new anchors / old: true',
    'the new anchors / new: true',
  ]);
});

describe('a copy that comes back', () => {
  test.each<[string, BundleFiles, string[]]>([
    ['ca.crt cut short', unreadable, [`${before} / new: true`, 'the new anchors / old: true']],
    ['ca.crt of another root', foreignAnchors, [`${onlyOther} / new: false`, `${before} / new: true`]],
    ['an issuer of another root', foreignIssuer, [`${only} / new: true`, `${before} / new: true`]],
    ['issuer.crt cut short', { ...files, issuerChain: cut(files.issuerChain) }, [`${only} / new: true`]],
    ['nothing to be read', { ...files, anchors: nothing, issuerChain: nothing }, []],
  ])('%s: cuts off nobody who was there before', (_, found, pairs) => {
    expect(tell(found, bundle)).toEqual([...pairs, 'the new anchors / new: true']);
  });

  test('of another root is told apart', () => {
    expect(tell(unreadable, other.bundle)).toContain(`${before} / new: false`);
  });
});

test.each<[string, BundleFiles, TrustBundle, string | undefined]>([
  ['a sound bundle', files, other.bundle, undefined],
  ['ca.crt cut short', unreadable, other.bundle, 'none in it can be read.'],
  [
    'ca.crt of another root',
    foreignAnchors,
    (await makeBundle()).bundle,
    "none in it verifies the issuer's certificates.",
  ],
  ['ca.crt cut short, and its copy', unreadable, bundle, undefined],
])('what is not known of the holders: %s', (_, found, next, reason) => {
  const current = currentOf(found);
  const remark = remarkOnUnknown(current, listTrustPairs(current, next, fixtureInstant), 'ca.crt', fixtureInstant);
  expect(remark).toBe(reason && `ca.crt does not tell which anchors the sidecars hold: ${reason}`);
});
