import { describe, expect, onTestFinished, test } from 'vitest';
import { resources } from '../../src/kube/resources.ts';
import type { Fault, FaultAction } from '../support/api-server/faults.ts';
import { matches } from '../support/api-server/request.ts';
import { startApiServer } from '../support/api-server/server.ts';
import {
  type ConfigMap,
  configMap,
  configMapRef,
  namespace,
  openClient,
  refusalOf,
  type Wishes,
} from './kube-client.ts';

async function open(faults: readonly Fault[], wishes: Wishes = {}) {
  const server = await startApiServer();
  server.store.put(configMap('dapr-trust-bundle', { 'ca.crt': 'old' }));
  const cluster = await openClient(server.kubeconfig(), wishes);
  onTestFinished(async () => {
    cluster.close();
    await server.stop();
  });
  const { uid = '', resourceVersion = '' } = server.store.get(configMapRef)?.metadata ?? {};
  for (const fault of faults) server.faults.add(fault);
  return {
    server,
    cluster,
    preconditions: { uid, resourceVersion },
    patch: { metadata: { resourceVersion }, data: { 'ca.crt': 'new', gone: null } },
    stored: () => server.store.get<ConfigMap>(configMapRef)?.data['ca.crt'],
  };
}

const ref = { resource: resources.configMaps, namespace };
const outcomes: [string, FaultAction][] = [
  ['429', { status: 429 }],
  ['500', { status: 500 }],
  ['502', { status: 502, body: 'Bad Gateway' }],
  ['503', { status: 503 }],
  ['504', { status: 504 }],
  ['a reset', 'reset'],
  ['a body that is cut', { cutAfterBytes: 10 }],
];

describe('a read', () => {
  test.each(outcomes)('goes on after %s', async (_, action) => {
    const { cluster, server } = await open([{ do: action, times: 2 }]);
    expect(await cluster.get(configMapRef)).toMatchObject({ data: { 'ca.crt': 'old' } });
    expect(server.requests).toHaveLength(3);
    expect(cluster.pauses).toEqual([75, 150]);
  });

  test('gives up after five tries, with the last reason', async () => {
    const { cluster, server } = await open([{ do: { status: 503 }, times: 99 }]);
    const refusal = await refusalOf(cluster.get(configMapRef));
    expect(refusal).toMatchObject({ code: 'cluster.rejected', failure: { status: 503, outcomeUnknown: false } });
    expect(refusal.message).toContain('the API server failed to get configmaps "dapr-trust-bundle"');
    expect(server.requests).toHaveLength(5);
    expect(cluster.pauses).toEqual([75, 150, 300, 600]);
  });

  test('waits as long as the server says', async () => {
    const { cluster } = await open([{ do: { status: 429, headers: { 'retry-after': '3' } } }]);
    expect(await cluster.get(configMapRef)).toBeDefined();
    expect(cluster.pauses).toEqual([3000]);
  });

  test('does not wait for longer than it has', async () => {
    const busy: FaultAction = { status: 429, headers: { 'retry-after': '30' } };
    const { cluster, server } = await open([{ do: busy }], { timeoutMs: 5_000 });
    expect(await refusalOf(cluster.get(configMapRef))).toMatchObject({
      code: 'cluster.rejected',
      failure: { status: 429 },
    });
    expect(server.requests).toHaveLength(1);
    expect(cluster.pauses).toEqual([]);
  });

  test('of a server that is silent ends in time', async () => {
    const { cluster, server } = await open([{ do: 'hang', times: 1000 }], { timeoutMs: 1_000 });
    const refusal = await refusalOf(cluster.get(configMapRef));
    expect(refusal).toMatchObject({ code: 'cluster.unreachable', failure: { status: 0, reason: 'TIMEOUT' } });
    expect(refusal.message).toBe(`the API server ${server.url} did not answer within 1 s`);
    expect(refusal.hint).toContain('--request-timeout');
  });

  test('of a stream that is cut ends in an error', async () => {
    const { cluster } = await open([{ do: { cutAfterBytes: 20 } }]);
    const { chunks } = await cluster.stream(resources.configMaps, {}, 'application/json');
    const drain = async () => {
      for await (const _ of chunks);
    };
    expect(await refusalOf(drain())).toMatchObject({ code: 'cluster.unreachable', failure: { reason: 'ECONNRESET' } });
  });
});

describe('a patch under a precondition', () => {
  test.each(outcomes.filter(([name]) => name !== 'a body that is cut'))('is sent again after %s', async (_, action) => {
    const { cluster, server, patch, stored } = await open([{ do: action }]);
    expect(await cluster.patch(configMapRef, patch)).toMatchObject({ data: { 'ca.crt': 'new' } });
    expect(stored()).toBe('new');
    expect(server.requests.map(({ method }) => method)).toEqual(['PATCH', 'PATCH']);
  });

  test.each<[string, FaultAction]>([
    ['a 500', { status: 500, afterWrite: true }],
    ['a reset', 'reset-after-write'],
    ['a body that is cut', { cutAfterBytes: 10 }],
  ])('that was carried out before %s is found done', async (_, action) => {
    const { cluster, server, patch, stored } = await open([{ do: action }]);
    const result = await cluster.patch<ConfigMap>(configMapRef, patch);
    expect(result).toMatchObject({ data: { 'ca.crt': 'new' }, metadata: { resourceVersion: expect.any(String) } });
    expect(result.metadata.resourceVersion).toBe(server.store.get(configMapRef)?.metadata.resourceVersion);
    expect(stored()).toBe('new');
    expect(server.requests.map(({ method }) => method)).toEqual(['PATCH', 'PATCH', 'GET']);
  });

  test('is a conflict of unknown outcome where another has changed the object after a lost answer', async () => {
    const { cluster, server, patch, stored } = await open([{ do: { status: 500, afterWrite: true } }]);
    server.onRequest(({ method }) => {
      if (method === 'PATCH' && stored() === 'new')
        server.store.change<ConfigMap>(configMapRef, (object) => ({ ...object, data: { 'ca.crt': 'theirs' } }));
    });
    const refusal = await refusalOf(cluster.patch(configMapRef, patch));
    expect(refusal).toMatchObject({ code: 'cluster.conflict', failure: { status: 409, outcomeUnknown: true } });
    expect(refusal.message).toContain('whether the change was made in between is not known');
    expect(stored()).toBe('theirs');
  });

  test('is a plain conflict where nothing was lost', async () => {
    const { cluster, server, patch } = await open([{ do: { status: 429 } }]);
    server.store.change<ConfigMap>(configMapRef, (object) => ({ ...object, data: { 'ca.crt': 'theirs' } }));
    const refusal = await refusalOf(cluster.patch(configMapRef, patch));
    expect(refusal).toMatchObject({ code: 'cluster.conflict', failure: { outcomeUnknown: false } });
    expect(server.requests.map(({ method }) => method)).toEqual(['PATCH', 'PATCH']);
  });

  test('of an object that went after a lost answer says what is not known', async () => {
    const { cluster, server, patch } = await open([{ do: { status: 500, afterWrite: true } }]);
    const stop = server.onRequest(() => {
      if (server.requests.length === 2) server.store.remove(configMapRef);
    });
    const refusal = await refusalOf(cluster.patch(configMapRef, patch));
    stop();
    expect(refusal).toMatchObject({ code: 'cluster.conflict', failure: { status: 404, outcomeUnknown: true } });
    expect(refusal.message).toContain('whether it was changed before that is not known');
  });

  test('whose answer never comes says that its outcome is not known', async () => {
    const { cluster, patch, stored } = await open([{ do: 'hang-after-write', times: 9 }], { timeoutMs: 2_000 });
    const refusal = await refusalOf(cluster.patch(configMapRef, patch));
    expect(refusal).toMatchObject({
      code: 'cluster.unreachable',
      failure: { reason: 'TIMEOUT', outcomeUnknown: true },
    });
    expect(refusal.message).toContain('whether it was carried out is not known');
    expect(stored()).toBe('new');
  });
});

describe('a patch without a precondition', () => {
  test.each<FaultAction>([{ status: 500 }, 'reset'])('is not sent again after %o', async (action) => {
    const { cluster, server } = await open([{ do: action }]);
    const refusal = await refusalOf(cluster.patch(configMapRef, { data: { 'ca.crt': 'new' } }));
    expect(refusal.failure?.outcomeUnknown).toBe(true);
    expect(server.requests).toHaveLength(1);
  });

  test('is sent again after 429, and as a dry run after anything', async () => {
    const { cluster, server } = await open([{ do: { status: 429 } }]);
    await cluster.patch(configMapRef, { data: { a: 'b' } });
    server.faults.add({ do: { status: 500 } });
    await cluster.patch(configMapRef, { data: { a: 'c' } }, { dryRun: true });
    expect(server.requests).toHaveLength(4);
  });
});

describe('a create', () => {
  test.each<FaultAction>([{ status: 500, afterWrite: true }, 'reset-after-write'])(
    'is not sent again after %o',
    async (action) => {
      const { cluster, server } = await open([{ do: action }]);
      const refusal = await refusalOf(cluster.create(ref, configMap('made')));
      expect(refusal.failure?.outcomeUnknown).toBe(true);
      expect(refusal.message).toMatch(/not known$/);
      expect(server.requests).toHaveLength(1);
      expect(server.store.get({ ...configMapRef, name: 'made' })).toBeDefined();
    },
  );

  test('is sent again after 429', async () => {
    const { cluster } = await open([{ do: { status: 429 }, times: 2 }]);
    expect(await cluster.create(ref, configMap('made'))).toMatchObject({ metadata: { name: 'made' } });
  });
});

describe('a deletion', () => {
  test.each<FaultAction>([{ status: 500 }, { status: 503 }, 'reset'])('is sent again after %o', async (action) => {
    const { cluster, preconditions, stored } = await open([{ do: action }]);
    expect(await cluster.remove(configMapRef, preconditions)).toBe(true);
    expect(stored()).toBeUndefined();
  });

  test.each<FaultAction>([{ status: 500, afterWrite: true }, 'reset-after-write'])(
    'that was carried out before %o is done',
    async (action) => {
      const { cluster, server, preconditions } = await open([{ do: action }]);
      expect(await cluster.remove(configMapRef, preconditions)).toBe(true);
      expect(server.requests.map(({ method }) => method)).toEqual(['DELETE', 'DELETE']);
    },
  );

  test('that waits for a finalizer is done, too', async () => {
    const { cluster, server } = await open([]);
    server.store.change(configMapRef, (object) => ({
      ...object,
      metadata: { ...object.metadata, finalizers: ['tests/x'] },
    }));
    const { uid = '', resourceVersion = '' } = server.store.get(configMapRef)?.metadata ?? {};
    server.faults.add({ do: { status: 500, afterWrite: true } });
    expect(await cluster.remove(configMapRef, { uid, resourceVersion })).toBe(true);
    expect(server.requests.map(({ method, code }) => [method, code])).toEqual([
      ['DELETE', 500],
      ['DELETE', 409],
      ['GET', 200],
    ]);
  });

  test('of what was changed before the second try is a plain conflict', async () => {
    const { cluster, server, preconditions } = await open([{ do: { status: 500 } }]);
    server.store.change<ConfigMap>(configMapRef, (object) => ({ ...object, data: { 'ca.crt': 'theirs' } }));
    const refusal = await refusalOf(cluster.remove(configMapRef, preconditions));
    expect(refusal).toMatchObject({ code: 'cluster.conflict', failure: { outcomeUnknown: false } });
  });

  test('of what another has made anew since is a conflict of unknown outcome', async () => {
    const { cluster, server, preconditions, stored } = await open([{ do: { status: 500, afterWrite: true } }]);
    server.onRequest(() => {
      if (server.requests.length === 2) server.store.put(configMap('dapr-trust-bundle', { 'ca.crt': 'theirs' }));
    });
    const refusal = await refusalOf(cluster.remove(configMapRef, preconditions));
    expect(refusal).toMatchObject({ code: 'cluster.conflict', failure: { outcomeUnknown: true } });
    expect(stored()).toBe('theirs');
  });
});

test('what is kept alive too long, and is closed by the server, is not felt', async () => {
  const { cluster, server } = await open([]);
  await cluster.get(configMapRef);
  server.faults.add({ when: matches('get configmaps'), do: 'reset' });
  expect(await cluster.get(configMapRef)).toBeDefined();
});
