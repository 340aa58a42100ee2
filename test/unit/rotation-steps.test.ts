import { describe, expect, test } from 'vitest';
import { readAnchors } from '../../src/app/rotate/held-anchors.ts';
import type { Procedure } from '../../src/app/rotate/record.ts';
import { stepsToward } from '../../src/app/rotate/steps.ts';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { encodeBundle } from '../../src/pki/encode.ts';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import { whySentryRefuses } from '../../src/pki/sentry.ts';
import { makeBundle, renew } from '../support/bundles.ts';
import { fixtureInstant, foreignBundles, readForeignBundle } from '../support/fixtures.ts';
import { planFor } from '../support/rotation-plans.ts';

const at = fixtureInstant;

/** The bundles that a Sentry which starts in between finds, each with what led there. */
function walk(from: BundleFiles, to: BundleFiles) {
  let files = from;
  return stepsToward(from, to, 'directory').map((step) => {
    files = { ...files, ...step.files };
    return { name: step.name, touched: Object.keys(step.files), files, refusal: whySentryRefuses(files, at) };
  });
}

const bundles: Record<string, () => Promise<BundleFiles>> = {
  made: async () => (await makeBundle()).files,
  bridged: async () => encodeBundle((await renew((await makeBundle()).files)).bundle),
  ...Object.fromEntries(foreignBundles.map((name) => [name, async () => readForeignBundle(name)])),
};
const asked: readonly (Procedure | undefined)[] = [undefined, 'staged'];
const cases = Object.entries(bundles).flatMap(([name, make]) => asked.map((procedure) => ({ name, make, procedure })));

describe('in a directory', () => {
  test.each(cases)(
    'no step of a rotation leaves what Sentry refuses: $name, $procedure',
    async ({ make, procedure }) => {
      const { material } = await planFor(await make(), { procedure });
      const { before, 'both-anchors': both, switched, after } = material.stages;
      const stages = [before, both, switched, after].flatMap((stage) => stage?.files ?? []);
      const ways = stages
        .flatMap((from) => stages.map((to) => [from, to] as const))
        .filter(([from, to]) => from !== to);
      expect(ways).toHaveLength(12);
      for (const [from, to] of ways) {
        const steps = walk(from, to);
        expect(steps.flatMap(({ name, refusal }) => (refusal ? `${name}: ${refusal}` : []))).toEqual([]);
        expect(steps.at(-1)?.files).toEqual(to);
        for (const { touched } of steps) expect(touched.includes('anchors') && touched.length > 1).toBe(false);
      }
    },
  );

  test('anchors that come do so before the issuer, and those that go behind it', async () => {
    const { material } = await planFor((await makeBundle()).files, { procedure: 'staged' });
    const { before, switched, after } = material.stages;
    if (!before || !switched || !after) throw new Error('a staged rotation has them');
    const names = (from: BundleFiles, to: BundleFiles) => walk(from, to).map(({ name }) => name);
    expect(names(before.files, switched.files)).toEqual(['write the anchors', 'switch the issuer and its key']);
    expect(names(switched.files, before.files)).toEqual(['switch the issuer and its key', 'write the anchors']);
    expect(names(before.files, after.files)).toEqual([
      'trust the new anchors beside the old ones',
      'switch the issuer and its key',
      'write the anchors',
    ]);
    expect(names(after.files, after.files)).toEqual([]);
  });

  test('an issuer on the same key is one file', async () => {
    const { bundle, files } = await makeBundle();
    const bridged = { ...files, issuerChain: Buffer.concat([files.issuerChain, files.anchors]) };
    expect(walk(files, bridged).map(({ touched }) => touched)).toEqual([['issuerChain']]);
    expect(files.issuerKey.toString()).toBe(encodePrivateKey(bundle.issuerKey));
  });

  test('what is no anchor to Sentry is not taken along', async () => {
    const [old, next] = [(await makeBundle()).files, (await makeBundle()).files];
    const spoilt = { ...old, anchors: Buffer.concat([old.anchors, old.issuerChain]) };
    const [first, ...others] = walk(spoilt, next);
    expect(readAnchors(first?.files.anchors ?? '')).toHaveLength(2);
    expect([first, ...others].map((step) => step?.refusal)).toEqual([undefined, undefined, undefined]);
  });

  test('a bundle that is not whole is written at once', async () => {
    const { files } = await makeBundle();
    const found = { ...files, issuerKey: undefined };
    expect(stepsToward(found, files, 'directory')).toEqual([{ name: 'write the bundle', files }]);
  });
});

test('a cluster is changed as a whole', async () => {
  const [old, next] = [(await makeBundle()).files, (await makeBundle()).files];
  expect(stepsToward(old, next, 'cluster')).toEqual([{ name: 'write the bundle', files: next }]);
});
