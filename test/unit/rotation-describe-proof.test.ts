import { expect, test } from 'vitest';
import { describeProof, listCutOff } from '../../src/app/rotate/describe-proof.ts';
import type { Pair } from '../../src/app/rotate/proof.ts';

const pair = (change: Partial<Pair> = {}): Pair => ({
  phase: 'replace',
  holder: 'the old anchors',
  workloads: [],
  shown: 'certificates of the new issuer',
  verifies: true,
  isOld: false,
  reason: '',
  until: undefined,
  ...change,
});

test.each<[string, readonly Pair[], readonly string[], readonly string[]]>([
  ['2 pairs verified', [pair(), pair()], [], []],
  ['1 pairs verified; cut off until they are restarted: shop/cart', [pair()], ['shop/cart'], ['shop/cart']],
  [
    '2 pairs verified, 1 of them cannot; cut off until they are restarted: shop/a, shop/b',
    [pair({ verifies: false, workloads: ['shop/b', 'shop/a'] }), pair()],
    ['shop/a'],
    ['shop/a', 'shop/b'],
  ],
  // What was broken before is nobody's loss.
  ['1 pairs verified', [pair({ verifies: false, isOld: true, workloads: ['shop/a'] })], [], []],
])('%s', (text, pairs, cutOff, lost) => {
  expect(describeProof({ pairs, cutOff })).toBe(text);
  expect(listCutOff({ pairs, cutOff })).toEqual(lost);
});
