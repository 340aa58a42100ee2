import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readBundle } from '../../src/pki/reading.ts';
import { configMapRef, filesOf, type SecretObject, secretRef } from '../../src/store/cluster/objects.ts';
import { defaultNames } from '../../src/store/file-names.ts';
import { makeBundle } from '../support/bundles.ts';
import { behindServer, startSentries } from '../support/cluster-sentry.ts';
import { makeDying } from '../support/dying-cluster.ts';
import { expectWhole } from '../support/expect-whole.ts';
import { startTrustCluster, type TrustCluster } from '../support/trust-cluster.ts';

/** Sentries that take up to 4 ms between their two reads, beside a pause that is as much longer as 2 s are. */
const sentries = { gapMs: 4, everyMs: 6, atOnce: 8 };
const pauseMs = 40;

let trust: TrustCluster;

beforeEach(async () => {
  trust = await startTrustCluster();
});
afterEach(() => trust.stop());

describe('Sentries that start at any moment', () => {
  test('never make a new root during 200 renewals of which half die at a random write', async () => {
    const running = startSentries(behindServer(trust.server.store), trust.place, sentries);
    const fates = { whole: 0, dead: 0, finished: 0 };
    const seenRoots = new Set<string>();
    for (let run = 0; run < 200; run++) {
      const isKilled = run % 2 === 1;
      // A renewal with its backup makes some ten writes.
      const dying = makeDying(
        trust.place.cluster,
        isKilled ? 1 + Math.floor(Math.random() * 8) : Number.POSITIVE_INFINITY,
        Math.random() < 0.5,
      );
      const renewal = trust.renew({ rootKey: undefined }, { pauseMs }, dying.cluster);
      await Promise.race([renewal, dying.died]);
      if (isKilled) {
        fates.dead += 1;
        const { outcome } = await trust.renew({}, { pauseMs });
        if (outcome === 'finished') fates.finished += 1;
      }
      expectWhole(trust);
      fates.whole += 1;
      seenRoots.add(readBundle(trust.files(), defaultNames).anchors?.entries[0]?.certificate?.fingerprint ?? '');
    }
    const tally = await running.stop();
    console.info(`${JSON.stringify(fates)}; Sentry started: ${JSON.stringify(tally)}`);
    expect(tally.generates).toBe(0);
    expect(tally.serves + tally.exits).toBeGreaterThan(2000);
    expect(tally.exits).toBeGreaterThan(0);
    expect(seenRoots.size).toBeGreaterThan(100);
  }, 600_000);

  test.each(['the Secret first', 'the ConfigMap first'] as const)(
    'do make one where both are patched, %s',
    async (order) => {
      const running = startSentries(behindServer(trust.server.store), trust.place, sentries);
      const { cluster } = trust.place;
      for (let run = 0; run < 200 && running.tally.generates === 0; run++) {
        const { anchors, issuerChain, issuerKey } = (await makeBundle({ at: new Date() })).files;
        const encode = (content: Buffer) => content.toString('base64');
        const secret = () =>
          cluster.patch(secretRef(trust.place), {
            data: { 'ca.crt': encode(anchors), 'issuer.crt': encode(issuerChain), 'issuer.key': encode(issuerKey) },
          });
        const configMap = () =>
          cluster.patch(configMapRef(trust.place), { data: { 'ca.crt': anchors.toString('utf8') } });
        for (const write of order === 'the Secret first' ? [secret, configMap] : [configMap, secret]) await write();
      }
      expect((await running.stop()).generates).toBeGreaterThan(0);
    },
  );
});

test('what is not the bundle is kept: other keys, labels, annotations', async () => {
  const before = { secret: trust.secret(), configMap: trust.configMap() };
  await trust.renew();
  const secret = trust.secret();
  const configMap = trust.configMap();
  expect(secret?.data?.['jwt.key']).toBe(before.secret?.data?.['jwt.key']);
  expect(secret?.metadata.labels).toEqual(before.secret?.metadata.labels);
  expect(configMap?.metadata.labels).toEqual(before.configMap?.metadata.labels);
  expect(configMap?.metadata.annotations).toEqual(before.configMap?.metadata.annotations);
  expect(configMap?.data?.['jwks.json']).toBe('{}');
  expect(filesOf(secret as SecretObject, defaultNames).anchors?.toString('utf8')).toBe(configMap?.data?.['ca.crt']);
});
