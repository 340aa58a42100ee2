import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type SidecarOptions, type WatchedSidecars, watchSidecars } from '../../src/cli/watch/cluster-sidecars.ts';
import type { Cluster } from '../../src/kube/port.ts';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import type { Denial } from '../support/api-server/access.ts';
import { matches } from '../support/api-server/request.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { makeBundle } from '../support/bundles.ts';
import { injectedWorkload } from '../support/dapr/injected-pods.ts';
import { openClient } from './kube-client.ts';

const asOfLastList = 'sidecars: counted as they were listed last, and their changes are not seen: ';

let server: ApiServer;
let cluster: Cluster;
let files: BundleFiles;
let stop: AbortController;

beforeEach(async () => {
  files = (await makeBundle({ at: new Date() })).files;
  server = await startApiServer();
  addPods('checkout', 3);
  cluster = await openClient(server.kubeconfig(), { timeoutMs: 400 });
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  cluster.close();
  await server.stop();
});

function addPods(name: string, replicas: number): void {
  server.store.put(...injectedWorkload({ anchors: `${files.anchors}`, name, replicas }));
}

function start(options: Pick<SidecarOptions, 'everyMs' | 'patienceMs'>) {
  const sidecars = watchSidecars(cluster, { ...options, signal: stop.signal });
  let news = 0;
  sidecars.onNews(() => {
    news += 1;
  });
  sidecars.start({});
  return { see: () => see(sidecars), news: () => news };
}

async function see(sidecars: WatchedSidecars) {
  const { anchors, issuerChain } = files;
  const seen = await sidecars.see({ kind: 'live', name: 'test', anchors, issuerChain }, new Date());
  return { count: seen.sidecars?.totals.sidecars, unread: seen.unread };
}

const deny = (...verbs: Denial['verb'][]) =>
  server.allow('admin', { allow: 'all', deny: verbs.map((verb) => ({ verb, resource: 'pods' })) });
const asked = (words: string) => server.requests.filter(matches(words)).length;
const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('pods that may be listed and not be watched', () => {
  test('are counted, listed no more often than it is looked, and said to be as old as that', async () => {
    deny('watch');
    const { see, news } = start({ everyMs: 60_000 });
    expect((await see()).count).toBe(3);
    await expect.poll(news).toBe(1);
    await pass(3_500);
    expect([asked('list pods'), asked('watch pods')]).toEqual([1, 1]);
    const sentence = new RegExp(`^${asOfLastList}this user may not watch pods .*\\(403\\)$`);
    expect(await see()).toEqual({ count: 3, unread: [expect.stringMatching(sentence)] });
    expect(news()).toBe(1);
  });

  test('are listed at the pace of the looks, and followed once that is allowed', async () => {
    deny('watch');
    const { see, news } = start({ everyMs: 300 });
    await expect.poll(async () => (await see()).unread).toHaveLength(1);
    addPods('late', 2);
    await expect.poll(async () => (await see()).count).toBe(5);
    expect((await see()).unread).toHaveLength(1);
    deny();
    await expect.poll(async () => (await see()).unread, { timeout: 5_000 }).toEqual([]);
    expect(news()).toBeGreaterThan(1);
    const lists = asked('list pods');
    addPods('later', 1);
    await expect.poll(async () => (await see()).count).toBe(6);
    expect(asked('list pods')).toBe(lists);
  });

  test('are listed a few times where they were watched before: the server may have just started', async () => {
    const { see } = start({ everyMs: 60_000, patienceMs: 4_000 });
    expect(await see()).toEqual({ count: 3, unread: [] });
    await pass(1_200);
    deny('watch');
    server.watches.end();
    await pass(500);
    expect(await see()).toEqual({ count: 3, unread: [] });
    await expect.poll(async () => (await see()).unread, { timeout: 15_000 }).toHaveLength(1);
    const lists = asked('list pods');
    expect(lists).toBeLessThanOrEqual(5);
    await pass(2_500);
    expect(asked('list pods')).toBe(lists);
  });
});

describe('pods whose watch fails for long', () => {
  test.each([
    ['is refused for too many requests', { status: 429 }, '(429)'],
    ['fails', { status: 500 }, 'failed to watch pods'],
    ['is held back by a proxy', 'hang', 'within 0.4 s'],
  ] as const)(
    'because it %s are listed at each look meanwhile, and said to be as old as that',
    async (_, action, why) => {
      const { see, news } = start({ everyMs: 60_000, patienceMs: 600 });
      expect(await see()).toEqual({ count: 3, unread: [] });
      await pass(1_200);
      server.faults.add({ when: matches('watch pods'), times: 1e9, do: action });
      server.watches.end();
      await expect.poll(news, { timeout: 10_000 }).toBe(1);
      const { unread } = await see();
      expect(unread).toEqual([expect.stringContaining(asOfLastList)]);
      expect(unread[0]).toContain(why);
      addPods('late', 2);
      await expect.poll(async () => (await see()).count, { timeout: 10_000 }).toBe(5);
      server.faults.clear();
      await expect.poll(async () => (await see()).unread, { timeout: 10_000 }).toEqual([]);
    },
  );
});
