import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Certificate } from '../../src/pki/certificate.ts';
import { type Verification, verifyChain, verifyLeafOf } from '../../src/pki/chain.ts';
import { encodeCertificates } from '../../src/pki/encode.ts';
import { randomSeed } from '../support/seed.ts';
import { type World, WorldForge, worldInstant, worlds } from '../support/worlds.ts';
import { openJudge, skippedWithoutGo } from './go-judge.ts';

const judge = await openJudge();
const worldCount = Number(process.env.DAPR_MTLS_TEST_WORLDS ?? 2000);
const usages = { serverAuth: ['server'], clientAuth: ['client'] } as const;

if (!judge) {
  test.skip(skippedWithoutGo);
} else {
  describe(`random worlds of certificates, ${randomSeed.words}`, () => {
    const forge = new WorldForge();
    const cases = fc.sample(worlds, { numRuns: worldCount, seed: randomSeed.value }).map((world) => prepare(world));

    test('verifyChain says what Go says of the certificate itself', async () => {
      const answers = await judge(cases.map(({ chainPem, request }) => ({ ...request, chain: chainPem })));
      compare(answers, ({ chain: [certificate, ...intermediates], options }) =>
        verifyChain(certificate, { ...options, intermediates }),
      );
    });

    test('verifyLeafOf says what Go says of a leaf below it', async () => {
      const answers = await judge(
        cases.map(({ leafPem, chainPem, request }) => ({ ...request, chain: leafPem + chainPem })),
      );
      compare(answers, ({ chain, options }) => verifyLeafOf(chain, options));
    });

    function prepare(world: World) {
      const certificates = world.certificates.map((specimen) => forge.make(specimen));
      const [judged] = at(world.certificates, world.chain);
      const [issuer, ...intermediates] = at(certificates, world.chain);
      const anchors = at(certificates, world.anchors);
      if (!judged || !issuer) throw new Error('a world without a certificate');
      const chain: [Certificate, ...Certificate[]] = [issuer, ...intermediates];
      const { usage } = world;
      return {
        world,
        chain,
        chainPem: pemOf(chain),
        leafPem: pemOf([forge.makeLeafBelow(judged)]),
        options: { anchors, at: worldInstant, ...(usage && { usage }) },
        request: {
          op: 'verify' as const,
          anchors: pemOf(anchors),
          at: worldInstant,
          ...(usage && { usages: usages[usage] }),
        },
      };
    }

    type Case = ReturnType<typeof prepare>;

    function compare(answers: readonly { ok: boolean; error?: string }[], verify: (one: Case) => Verification): void {
      const rows = cases.map((one, index) => ({ one, go: answers[index], ours: verify(one) }));
      const differing = rows.filter(({ one, go, ours }) => ours.ok !== go?.ok && !isKnownDeviation(one.world, ours));
      const shown = differing
        .slice(0, 3)
        .map(({ one, go, ours }) => JSON.stringify({ ours: ours.reason || 'accepted', go, ...one.world }));
      expect(shown, `${differing.length} of ${rows.length} verdicts differ`).toEqual([]);
      // Worlds that are all refused, or all accepted, would prove nothing.
      const acceptedByGo = rows.filter(({ go }) => go?.ok).length;
      expect(acceptedByGo).toBeGreaterThan(worldCount / 5);
      expect(acceptedByGo).toBeLessThan((worldCount * 4) / 5);
    }
  });
}

/** Documented: chains with name constraints or policies are refused whatever they say. */
function isKnownDeviation({ certificates }: World, ours: Verification): boolean {
  return !ours.ok && certificates.some(({ policy }) => policy !== undefined) && /constraints|polic/.test(ours.reason);
}

function at<Item>(items: readonly Item[], places: readonly number[]): Item[] {
  return places.flatMap((place) => items[place] ?? []);
}

function pemOf(certificates: readonly Certificate[]): string {
  return encodeCertificates(certificates).toString();
}
