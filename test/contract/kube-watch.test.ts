import { describe, expect, onTestFinished, test } from 'vitest';
import type { KubeObject, WatchEvent, WatchHealth } from '../../src/kube/port.ts';
import { resources } from '../../src/kube/resources.ts';
import { matches } from '../support/api-server/request.ts';
import { startApiServer } from '../support/api-server/server.ts';
import { type ConfigMap, configMap, configMapRef, namespace, openClient, refusalOf } from './kube-client.ts';

const refOf = (name: string) => ({ ...configMapRef, name });

/** On a busy machine. What waits for the server to answer would wait for longer. */
const noTimeAtAllMs = 5000;

/** A watch of the ConfigMaps, its events as words: `ADDED a=1`. */
async function watch({ timeoutMs, health }: { readonly timeoutMs?: number; readonly health?: WatchHealth } = {}) {
  const server = await startApiServer();
  server.store.put(configMap('a', { value: '1' }), configMap('b', { value: '1' }));
  const cluster = await openClient(server.kubeconfig(), timeoutMs === undefined ? {} : { timeoutMs });
  const stop = new AbortController();
  const seen: string[] = [];
  const waiting = new Map<string, () => void>();
  const run = async () => {
    for await (const event of cluster.watch<ConfigMap>(resources.configMaps, { namespace }, stop.signal, health)) {
      const words = describeEvent(event);
      seen.push(words);
      waiting.get(words)?.();
    }
  };
  const ended = run();
  ended.catch(() => undefined);
  onTestFinished(async () => {
    stop.abort();
    await ended.catch(() => undefined);
    cluster.close();
    await server.stop();
  });
  const sees = (words: string) =>
    new Promise<void>((resolve) => {
      if (seen.includes(words)) resolve();
      else waiting.set(words, resolve);
    });
  const isWatching = async () => {
    while (server.watches.count === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const set = (name: string, value: string) =>
    server.store.change<ConfigMap>(refOf(name), (object) => ({ ...object, data: { value } }));
  await sees('ADDED b=1');
  await isWatching();
  return { server, cluster, seen, sees, stop, ended, set, isWatching };
}

function describeEvent({ type, object }: WatchEvent<ConfigMap>): string {
  return `${type} ${object.metadata.name}=${object.data?.value}`;
}

test('first what there is, then what changes', async () => {
  const { server, seen, sees, set } = await watch();
  set('a', '2');
  server.store.put(configMap('c', { value: '1' }));
  server.store.remove(refOf('b'));
  await sees('DELETED b=1');
  expect(seen).toEqual(['ADDED a=1', 'ADDED b=1', 'MODIFIED a=2', 'ADDED c=1', 'DELETED b=1']);
  const [list, request] = server.requests;
  expect(list?.query.get('watch')).toBeNull();
  expect(request?.query.get('allowWatchBookmarks')).toBe('true');
  expect(Number(request?.query.get('timeoutSeconds'))).toBeGreaterThan(60);
});

test('it ends at the signal, without an error', async () => {
  const { stop, ended, server } = await watch();
  const started = performance.now();
  stop.abort();
  await ended;
  expect(performance.now() - started).toBeLessThan(noTimeAtAllMs);
  await expect.poll(() => server.watches.count).toBe(0);
});

test('it ends at the signal while it waits for a server that is away, too', async () => {
  const { stop, ended, server, isWatching } = await watch();
  await isWatching();
  server.faults.add({ times: 1000, do: 'hang' });
  server.watches.end();
  await expect.poll(() => server.faults.left).toBeLessThan(1000);
  const started = performance.now();
  stop.abort();
  await ended;
  expect(performance.now() - started).toBeLessThan(noTimeAtAllMs);
});

describe('it goes on from the last version', () => {
  test('when the server ends it', async () => {
    const { server, seen, sees, set } = await watch();
    set('a', '2');
    await sees('MODIFIED a=2');
    server.watches.end();
    await expect.poll(() => server.requests.filter(matches('watch configmaps')).length).toBe(2);
    set('a', '3');
    await sees('MODIFIED a=3');
    expect(seen).toEqual(['ADDED a=1', 'ADDED b=1', 'MODIFIED a=2', 'MODIFIED a=3']);
    expect(server.requests.filter(matches('list configmaps'))).toHaveLength(1);
  });

  test.each([
    ['when it cannot be opened at first', { status: 503 }],
    ['when the connection is reset', 'reset'],
    ['when it is cut after its head', { cutAfterBytes: 0 }],
    ['when it is cut within an event', { cutAfterBytes: 40 }],
    ['when there are too many requests', { status: 429, headers: { 'retry-after': '1' } }],
  ] as const)('%s', async (_, action) => {
    const { server, seen, sees, set } = await watch();
    server.faults.add({ when: matches('watch configmaps'), times: 7, do: action });
    server.watches.end();
    await expect.poll(() => server.faults.left).toBeLessThan(7);
    set('a', '2');
    await sees('MODIFIED a=2');
    expect(seen).toEqual(['ADDED a=1', 'ADDED b=1', 'MODIFIED a=2']);
    expect(server.requests.filter(matches('list configmaps'))).toHaveLength(1);
    expect(server.faults.left).toBe(0);
  });
});

describe('it lists anew, and tells the differences', () => {
  test.each(['event', 'status'] as const)('when the versions since are gone, told by %s', async (how) => {
    const { server, seen, sees, set } = await watch();
    server.faults.add({ when: matches('watch configmaps'), do: { delayMs: 50 } });
    server.watches.end();
    set('a', '2');
    server.store.remove(refOf('b'));
    server.store.put(configMap('c', { value: '1' }));
    server.watches.expire(how);
    await sees('ADDED c=1');
    set('c', '2');
    await sees('MODIFIED c=2');
    expect(seen.toSorted()).toEqual(
      ['ADDED a=1', 'ADDED b=1', 'MODIFIED a=2', 'DELETED b=1', 'ADDED c=1', 'MODIFIED c=2'].toSorted(),
    );
    expect(server.requests.filter(matches('list configmaps')).length).toBeGreaterThan(1);
  });

  test('also when the list falls into pages that expire', async () => {
    const { server, sees, set } = await watch();
    server.store.put(...Array.from({ length: 600 }, (_, index) => configMap(`z-${index}`, { value: '1' })));
    await sees('ADDED z-599=1');
    const hook = server.onRequest(({ query }) => {
      if (query.get('continue') === null || query.get('watch') !== null) return;
      hook();
      set('a', '2');
      server.expirePages();
    });
    server.watches.expire('event');
    await sees('MODIFIED a=2');
  });
});

describe('each failure in a row has a longer pause behind it', () => {
  const times = 3;
  const growth = (pauses: readonly number[]) =>
    pauses.slice(-times).map((pause, index, last) => pause / (last[index - 1] ?? pause));

  test('also where a request takes its time to fail', async () => {
    const { server, cluster, sees, set } = await watch({ timeoutMs: 1_100 });
    server.faults.add({ when: matches('watch configmaps'), times, do: 'hang' });
    server.watches.end();
    await expect.poll(() => server.faults.left, { timeout: 10_000 }).toBe(0);
    set('a', '2');
    await sees('MODIFIED a=2');
    expect(growth(cluster.pauses)).toEqual([1, 2, 2]);
  });

  test('also where a list takes its time, and its versions are gone at once', async () => {
    const { server, cluster, sees, set } = await watch();
    server.faults.add({ when: matches('watch configmaps'), times, do: { status: 410 } });
    server.faults.add({ when: matches('list configmaps'), times, do: { delayMs: 1_100 } });
    server.watches.end();
    await expect.poll(() => server.faults.left, { timeout: 10_000 }).toBe(0);
    set('a', '2');
    await sees('MODIFIED a=2');
    expect(growth(cluster.pauses)).toEqual([1, 2, 2]);
  });
});

describe('who wants to know how it fares', () => {
  function record(patienceMs: number) {
    const told: string[] = [];
    const health: WatchHealth = {
      patienceMs,
      onWell: () => told.push('well'),
      onTrouble: ({ message }) => told.push(message),
    };
    return { told, health };
  }

  test.each([
    ['cannot be opened', { status: 429 }, /too much to do \(429\)/],
    ['is cut behind each head', { cutAfterBytes: 0 }, /./],
  ] as const)('is told once that it %s, when that has lasted, and when it is over', async (_, action, message) => {
    const { told, health } = record(300);
    const { server, sees, set } = await watch({ health });
    await expect.poll(() => told, { timeout: 5_000 }).toEqual(['well']);
    server.faults.add({ when: matches('watch configmaps'), times: 1e9, do: action });
    server.watches.end();
    const began = performance.now();
    await expect.poll(() => told.length, { timeout: 10_000 }).toBe(2);
    expect(performance.now() - began).toBeGreaterThanOrEqual(250);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(told).toEqual(['well', expect.stringMatching(message)]);
    server.faults.clear();
    set('a', '2');
    await sees('MODIFIED a=2');
    expect(told.slice(2)).toEqual(['well']);
  });

  test('hears nothing of what is over soon', async () => {
    const { told, health } = record(60_000);
    const { server, sees, set } = await watch({ health });
    server.faults.add({ when: matches('watch configmaps'), times: 12, do: { status: 503 } });
    server.watches.end();
    await expect.poll(() => server.faults.left).toBe(0);
    set('a', '2');
    await sees('MODIFIED a=2');
    expect(told).toEqual(['well']);
  });
});

test('a refusal ends it in an error', async () => {
  const { server, ended } = await watch();
  server.allow('admin', { allow: 'all', deny: [{ verb: 'watch', resource: 'configmaps' }] });
  server.watches.end();
  const refusal = await refusalOf(ended);
  expect(refusal).toMatchObject({ code: 'cluster.forbidden' });
  expect(refusal.hint).toContain('verbs: ["watch"]');
});

test('what is no event ends it in an error that shows nothing of it', async () => {
  const { server, ended } = await watch();
  server.faults.add({
    when: matches('watch configmaps'),
    do: { status: 200, body: '{"type":"ADDED","object":{"secret"\n' },
  });
  server.watches.end();
  const refusal = await refusalOf(ended);
  expect(refusal).toMatchObject({ code: 'cluster.rejected' });
  expect(refusal.message).not.toContain('secret');
});

test('metadata alone is watched where that is enough', async () => {
  const server = await startApiServer();
  server.store.put(configMap('a'));
  const cluster = await openClient(server.kubeconfig());
  onTestFinished(async () => {
    cluster.close();
    await server.stop();
  });
  const events: KubeObject[] = [];
  const stop = new AbortController();
  for await (const { object } of cluster.watch(resources.configMaps, { namespace, metadataOnly: true }, stop.signal)) {
    events.push(object);
    if (events.length === 1) server.store.put(configMap('b'));
    else stop.abort();
  }
  expect(events.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
  for (const event of events) expect(event).not.toHaveProperty('data');
});
