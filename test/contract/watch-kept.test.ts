import { afterEach, beforeEach, expect, test } from 'vitest';
import { type WatchOptions, watchKept } from '../../src/app/renew/watch-kept.ts';
import { type ConfigMapObject, configMapRef } from '../../src/store/cluster/objects.ts';
import { startTrustCluster, type TrustCluster } from '../support/trust-cluster.ts';

let trust: TrustCluster;

beforeEach(async () => {
  trust = await startTrustCluster();
});
afterEach(() => trust.stop());

/** Seconds pass in sleep alone; something may happen in one of them. */
function watchFor(settleMs: number, happens: (second: number) => Promise<void> | void = () => undefined) {
  const slept: number[] = [];
  const options: WatchOptions = {
    settleMs,
    sleep: async (ms) => {
      slept.push(ms);
      await happens(slept.length);
    },
    assertRunning: () => undefined,
  };
  return { slept, options };
}

test('the renewed bundle is looked at each second until it has settled', async () => {
  const report = await trust.renew();
  const { slept, options } = watchFor(2500);
  const before = trust.server.requests.length;
  await watchKept(trust.store(), report, options);
  expect(slept).toEqual([1000, 1000, 500]);
  const looks = trust.server.requests.slice(before).filter(({ path }) => path.includes('/secrets/'));
  expect(looks.length).toBeGreaterThanOrEqual(4);
  expect(trust.server.requests.slice(before).every(({ method }) => method === 'GET')).toBe(true);
});

test('without a time to settle it is looked at once', async () => {
  const report = await trust.renew();
  const { slept, options } = watchFor(0);
  await watchKept(trust.store(), report, options);
  expect(slept).toEqual([]);
  await trust.reset();
  await expect(watchKept(trust.store(), report, options)).rejects.toMatchObject({ code: 'store.conflict' });
});

test('a Sentry that makes a root of its own after seven seconds is noticed', async () => {
  const report = await trust.renew();
  const { slept, options } = watchFor(10_000, async (second) => {
    if (second === 7) await trust.reset();
  });
  await expect(watchKept(trust.store(), report, options)).rejects.toMatchObject({
    code: 'store.conflict',
    message: expect.stringContaining('another bundle than the renewed one'),
  });
  expect(slept).toHaveLength(7);
});

test('two objects that come to differ are not said to be unwritten', async () => {
  const report = await trust.renew();
  const { options } = watchFor(10_000, (second) => {
    if (second !== 3) return;
    trust.server.store.change<ConfigMapObject>(configMapRef(trust.place), (configMap) => ({
      ...configMap,
      data: { ...configMap.data, 'ca.crt': `${configMap.data?.['ca.crt']}\n` },
    }));
  });
  const error = await watchKept(trust.store(), report, options).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'store.mismatch', hint: expect.stringContaining('repair -k --from') });
  expect(String(error)).not.toContain('nothing was written');
});

test('a signal ends the watch before the next look', async () => {
  const report = await trust.renew();
  const stopped = new Error('stopped');
  const { slept, options } = watchFor(10_000);
  const assertRunning = () => {
    if (slept.length === 4) throw stopped;
  };
  await expect(watchKept(trust.store(), report, { ...options, assertRunning })).rejects.toBe(stopped);
});
