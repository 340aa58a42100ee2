import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { type Change, findChanges, remember } from '../../src/app/watch/changes.ts';
import { type Picture, pictureOf } from '../../src/app/watch/picture.ts';
import { type MadeBundle, makeBundle } from '../support/bundles.ts';
import { randomSeed } from '../support/seed.ts';
import { sightOf, thresholdsOf, watchedDirectory } from '../support/watch-world.ts';

let bundles: readonly MadeBundle[];

beforeAll(async () => {
  bundles = await Promise.all([makeBundle(), makeBundle(), makeBundle()]);
});

interface Seen {
  readonly anchors: readonly number[];
  /** Null: not seen this time. */
  readonly issuer: number | null;
}

/** The first anchor carries the issuer in use, where it is seen. */
const seen = fc
  .record({
    anchors: fc.uniqueArray(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 3 }),
    isSeen: fc.boolean(),
  })
  .map(({ anchors, isSeen }): Seen => ({ anchors, issuer: isSeen ? (anchors[0] ?? null) : null }));

function pictureFrom({ anchors, issuer }: Seen, before?: Picture): Picture {
  const files = {
    anchors: Buffer.concat(anchors.map((index) => bundles[index]?.files.anchors ?? Buffer.of())),
    issuerChain: issuer === null ? undefined : bundles[issuer]?.files.issuerChain,
  };
  return pictureOf(sightOf(files), watchedDirectory, thresholdsOf('30d'), before);
}

const asSet = ({ anchors }: Seen) => [...anchors].sort().join();

test(`what differs is told in that look, nothing twice, and nothing else (${randomSeed.words})`, () => {
  fc.assert(
    fc.property(fc.array(seen, { minLength: 2, maxLength: 30 }), ([first, ...rest]) => {
      let before = first as Seen;
      let issuer = before.issuer;
      let last = pictureFrom(before);
      let remembered = remember(undefined, last);
      for (const now of rest) {
        const picture = pictureFrom(now, last);
        const changes = findChanges(remembered, picture);
        const isOtherSet = asSet(before) !== asSet(now);
        const isOtherIssuer = now.issuer !== null && issuer !== null && now.issuer !== issuer;
        // Who sees an issuer again may learn which anchor is the root.
        const mayLearn = now.issuer !== null && before.issuer === null;
        if (isOtherSet || isOtherIssuer) expect(changes).not.toEqual([]);
        else if (!mayLearn) expect(changes).toEqual([]);
        expect(changes.filter(({ reason }) => reason === 'IssuerReplaced')).toHaveLength(isOtherIssuer ? 1 : 0);
        const keys = changes.map(({ reason, about }: Change) => `${reason} ${about}`);
        expect(new Set(keys).size).toBe(keys.length);
        expect(findChanges(remember(remembered, picture), picture)).toEqual([]);
        remembered = remember(remembered, picture);
        issuer = now.issuer ?? issuer;
        before = now;
        last = picture;
      }
    }),
    { seed: randomSeed.value, numRuns: 300 },
  );
});
