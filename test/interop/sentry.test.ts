import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { encodeBundle } from '../../src/pki/encode.ts';
import { decodeAsGo } from '../../src/pki/pem.ts';
import { readBundle } from '../../src/pki/reading.ts';
import { judge as judgeBundle } from '../../src/pki/rules/judge.ts';
import { whySentryRefuses } from '../../src/pki/sentry.ts';
import { bundleNames, dayMs, makeBundle, renew } from '../support/bundles.ts';
import { fixtureInstant, foreignBundles, readForeignBundle } from '../support/fixtures.ts';
import { mutatedBundles } from '../support/mutations.ts';
import { pemTexts } from '../support/pem-texts.ts';
import { randomSeed } from '../support/seed.ts';
import { type Judge, openJudge, skippedWithoutGo } from './go-judge.ts';

const judge = await openJudge();
const mutationCount = Number(process.env.DAPR_MTLS_TEST_MUTATIONS ?? 1500);
const textCount = Number(process.env.DAPR_MTLS_TEST_TEXTS ?? 5000);

if (!judge) {
  test.skip(skippedWithoutGo);
} else {
  describe('bundles as they are', async () => {
    test.each(Object.entries(await soundBundles()))('%s starts, and no rule finds an error', async (_, files) => {
      expect(whySentryRefuses(files, fixtureInstant)).toBeUndefined();
      expect(errorsIn(files)).toEqual([]);
      expect(await askSentry(judge, [files])).toMatchObject([{ ok: true }]);
    });
  });

  describe(`${mutationCount} mutated bundles, ${randomSeed.words}`, async () => {
    const cases = fc.sample(mutatedBundles(await soundBundles()), { numRuns: mutationCount, seed: randomSeed.value });
    const answers = await askSentry(
      judge,
      cases.map(({ files }) => files),
    );
    const rows = cases.map(({ files, story }, index) => ({
      files,
      story,
      go: answers[index],
      refusal: whySentryRefuses(files, fixtureInstant),
    }));

    test('whatever Sentry exits on, whySentryRefuses refuses', () => {
      const laxer = rows.filter(({ go, refusal }) => !go?.ok && refusal === undefined);
      expect(laxer.map(({ story, go }) => ({ story, go })).slice(0, 5)).toEqual([]);
    });

    test('it refuses little else', () => {
      const stricter = rows.filter(({ go, refusal }) => go?.ok && refusal !== undefined);
      for (const reason of new Set(stricter.map(({ refusal }) => refusal))) {
        const those = stricter.filter(({ refusal }) => refusal === reason);
        console.info(`stricter than Go, ${those.length} times: ${reason} (${those[0]?.story})`);
      }
      expect(stricter.length).toBeLessThan(mutationCount * 0.02);
    });

    test('both verdicts occur often', () => {
      const taken = rows.filter(({ go }) => go?.ok).length;
      expect(taken).toBeGreaterThan(mutationCount * 0.1);
      expect(taken).toBeLessThan(mutationCount * 0.9);
    });

    test('whatever one of them refuses is a finding of severity error', () => {
      const refused = rows.filter(({ go, refusal }) => !go?.ok || refusal !== undefined);
      const unnoticed = refused.filter(({ files }) => errorsIn(files).length === 0);
      expect(unnoticed.map(({ story }) => story).slice(0, 5)).toEqual([]);
    });
  });

  test(`decodeAsGo gets the blocks that Go gets out of ${textCount} random texts, ${randomSeed.words}`, async () => {
    const texts = fc
      .sample(pemTexts, { numRuns: textCount, seed: randomSeed.value })
      .map((text) => Buffer.from(text, 'latin1'));
    const answers = await judge(texts.map((text) => ({ op: 'pem' as const, text })));
    const differing = texts.flatMap((text, index) => {
      const go = answers[index]?.blocks.map(({ type, sha256, headers }) => ({ type, sha256, headers }));
      const ours = decodeAsGo(text).map(({ label, der, hasHeaders }) => ({
        // Go's JSON cannot carry bytes that are no UTF-8; neither can this comparison.
        type: Buffer.from(label, 'latin1').toString('utf8'),
        sha256: createHash('sha256').update(der).digest('hex'),
        headers: hasHeaders,
      }));
      return isDeepStrictEqual(go, ours) ? [] : [{ text: text.toString('latin1'), go, ours }];
    });
    expect(differing.slice(0, 3)).toEqual([]);
    expect(answers.filter(({ blocks }) => blocks.length > 0).length).toBeGreaterThan(textCount / 5);
  });
}

/** Bundles of five makers, and ours: new, of each key type, with a bridge, with two anchors. */
async function soundBundles(): Promise<Record<string, BundleFiles>> {
  const [p256, ed25519, rsa] = await Promise.all([
    makeBundle(),
    makeBundle({ keyType: 'ed25519' }),
    makeBundle({ keyType: 'rsa2048' }),
  ]);
  const bridged = encodeBundle((await renew(p256.files)).bundle);
  const twice = encodeBundle((await renew(bridged)).bundle);
  return {
    ...Object.fromEntries(foreignBundles.map((name) => [name, readForeignBundle(name)])),
    p256: p256.files,
    ed25519: ed25519.files,
    rsa: rsa.files,
    bridged,
    'bridged twice': twice,
  };
}

async function askSentry(judge: Judge, bundles: readonly BundleFiles[]) {
  return judge(
    bundles.map(({ anchors, issuerChain, issuerKey }) => ({
      op: 'sentry' as const,
      ca: anchors,
      issuer: issuerChain,
      key: issuerKey,
      at: fixtureInstant,
    })),
  );
}

function errorsIn(files: BundleFiles) {
  const findings = judgeBundle({
    reading: readBundle(files, bundleNames),
    names: bundleNames,
    at: fixtureInstant,
    warnBeforeMs: 30 * dayMs,
    daprVersion: undefined,
    workloadCertTtlMs: dayMs,
    allowedClockSkewMs: 900_000,
    wayToStore: '',
  });
  return findings.filter(({ severity }) => severity === 'error');
}
