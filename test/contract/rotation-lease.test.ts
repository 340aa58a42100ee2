import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openCluster } from '../../src/cli/open-cluster.ts';
import type { Cluster } from '../../src/kube/port.ts';
import {
  type ClusterRotationOptions,
  ClusterRotationStore,
  defaultLeaseMs,
} from '../../src/store/cluster/rotation-store.ts';
import type { RotationProgress } from '../../src/store/rotation-options.ts';
import type { RotationLock, RotationStore } from '../../src/store/rotation-port.ts';
import type { UserRules } from '../support/api-server/access.ts';
import type { FaultAction } from '../support/api-server/faults.ts';
import { matches } from '../support/api-server/request.ts';
import { type DyingCluster, makeDying } from '../support/dying-cluster.ts';
import { type RotationCluster, startRotationCluster } from '../support/rotation-cluster.ts';
import { openRotationStore } from '../support/rotation-process.ts';
import { startRotationRun } from '../support/rotation-run.ts';

const record = (text: string) => Buffer.from(`{"version":1,"text":"${text}"}\n`);
const saved = () => Buffer.from(trust.record()?.data?.['rotation.json'] ?? '', 'base64');

let trust: RotationCluster;
beforeAll(async () => {
  trust = await startRotationCluster();
});
afterAll(() => trust.stop());
beforeEach(() => {
  trust.reset();
  trust.server.faults.clear();
});

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** With the lease's time in earnest, and sleeps that are only counted. */
async function openStore({
  kubeconfig = trust.server.kubeconfig(),
  timeoutSeconds = 5,
  onSleep = () => {},
  through = (cluster) => cluster,
  ...options
}: Partial<ClusterRotationOptions> & {
  kubeconfig?: string;
  timeoutSeconds?: number;
  onSleep?: (sleptMs: number) => void;
  /** What the store sees of the client. */
  through?: (cluster: Cluster) => Cluster;
} = {}) {
  const flags = { context: undefined, kubeconfig, 'request-timeout': timeoutSeconds };
  const client = await openCluster(flags, {});
  closers.push(() => client.close());
  const cluster = through(client);
  let sleptMs = 0;
  const seen: RotationProgress[] = [];
  let ids = 0;
  const store = new ClusterRotationStore(
    { cluster, namespace: trust.place.namespace },
    {
      now: () => new Date('2026-11-22T01:02:03.004Z'),
      sleep: async (ms) => {
        sleptMs += ms;
        onSleep(sleptMs);
      },
      assertRunning: () => undefined,
      holder: 'ada@desk, process 7',
      newId: () => `${++ids}-${Math.random()}`,
      onProgress: (progress) => seen.push(progress),
      wayToStore: ' -k',
      leaseMs: defaultLeaseMs,
      ...options,
    },
  );
  const lock = async (purpose = 'rotate run', waitMs = 0): Promise<RotationLock> => {
    const taken = await store.lock(purpose, waitMs);
    closers.push(() => taken.release());
    return taken;
  };
  return { store, lock, seen, slept: () => sleptMs };
}

const foreign = {
  holderIdentity: 'bob@laptop, process 9',
  leaseDurationSeconds: 15,
  acquireTime: '2026-11-22T00:00:00.000000Z',
  renewTime: '2026-11-22T00:00:00.000000Z',
  leaseTransitions: 4,
};

describe('what stands in the cluster', () => {
  test('is a Lease as client-go has it, and a Secret of its own name', async () => {
    const { lock } = await openStore();
    const held = await lock('rotate run --wait');
    await held.save(record('one'));
    expect(trust.lease()).toMatchObject({
      metadata: {
        name: 'dapr-mtls',
        labels: { 'app.kubernetes.io/managed-by': 'dapr-mtls' },
        annotations: { 'dapr-mtls/purpose': 'rotate run --wait' },
      },
      spec: {
        holderIdentity: 'ada@desk, process 7',
        leaseDurationSeconds: 15,
        acquireTime: '2026-11-22T01:02:03.004000Z',
        renewTime: '2026-11-22T01:02:03.004000Z',
        leaseTransitions: 0,
      },
    });
    expect(trust.record()).toMatchObject({
      type: 'Opaque',
      metadata: { name: 'dapr-mtls-rotation', labels: { 'app.kubernetes.io/managed-by': 'dapr-mtls' } },
    });
    expect(saved()).toEqual(record('one'));
    await held.release();
    expect(trust.lease()?.spec?.holderIdentity).toBeUndefined();
    expect(trust.lease()?.metadata.annotations ?? {}).toEqual({});
    await (await lock()).release();
    expect(trust.lease()?.spec?.leaseTransitions).toBe(1);
  });

  test('is asked for by name, one object at a time', async () => {
    const before = trust.server.requests.length;
    const { lock, store } = await openStore();
    await store.read();
    const held = await lock();
    await held.save(record('one'));
    await held.release();
    const verbs = trust.server.requests.slice(before).map(({ target }) => target?.verb);
    expect(verbs).not.toContain('list');
    expect(verbs).not.toContain('watch');
  });

  test('is renewed while it is held, three times as often as needed, and no more after', async () => {
    const { lock } = await openStore({ leaseMs: 900, now: () => new Date() });
    const begun = performance.now();
    const held = await lock();
    const versions = new Set<string | undefined>();
    while (versions.size < 6) {
      versions.add(trust.lease()?.metadata.resourceVersion);
      await tick();
    }
    const tookMs = performance.now() - begun;
    // Taken once, and then every 300 ms: never sooner, and long before the 900 after which it would lapse.
    expect(tookMs).toBeGreaterThan(4 * 300);
    expect(tookMs).toBeLessThan(5 * 900);
    await held.release();
    const free = trust.lease();
    await tick(600);
    expect(trust.lease()).toEqual(free);
  });
});

describe('a lease that somebody else holds', () => {
  test.each(['1970-01-01T00:00:00.000000Z', '2099-01-01T00:00:00.000000Z'])(
    'is taken over when it stood still for as long as it lasts, whatever its clock says: %s',
    async (renewTime) => {
      trust.putLease({ ...foreign, renewTime }, { 'dapr-mtls/purpose': 'rotate run' });
      const { lock, seen, slept } = await openStore();
      await lock();
      expect(slept()).toBe(15_000);
      expect(seen[0]).toEqual({
        kind: 'other-run',
        holder: {
          name: 'bob@laptop, process 9',
          purpose: 'rotate run',
          since: new Date('2026-11-22T00:00:00Z'),
          seenAt: new Date(renewTime),
        },
        remainingMs: 15_000,
      });
      expect(seen.at(-1)).toMatchObject({ kind: 'taken-over' });
      expect(trust.lease()?.spec).toMatchObject({ holderIdentity: 'ada@desk, process 7', leaseTransitions: 5 });
    },
  );

  test('is stood by for as long as its holder says that it lasts', async () => {
    trust.putLease({ ...foreign, leaseDurationSeconds: 40 });
    const { lock, slept } = await openStore();
    await lock();
    expect(slept()).toBe(40_000);
  });

  test.each(['1970-01-01T00:00:00.000000Z', '2099-01-01T00:00:00.000000Z'])(
    'is respected when it moved in the last moment, whatever its clock says: %s',
    async (renewTime) => {
      trust.putLease({ ...foreign, renewTime });
      const { store, slept } = await openStore({
        onSleep: (sleptMs) => {
          if (sleptMs === 15_000) trust.putLease({ ...foreign, renewTime: '2000-01-01T00:00:00.000000Z' });
        },
      });
      await expect(store.lock('rotate run', 0)).rejects.toMatchObject({
        code: 'store.locked',
        message: expect.stringContaining('bob@laptop, process 9, since 2026-11-22T00:00:00.000Z'),
      });
      expect(slept()).toBe(15_000);
      expect(trust.lease()?.spec?.holderIdentity).toBe(foreign.holderIdentity);
    },
  );

  test.each([
    { what: 'there was none yet', free: undefined },
    { what: 'it was free', free: { leaseDurationSeconds: 15, leaseTransitions: 4 } },
  ])('is known to be alive at once where it was faster: $what', async ({ free }) => {
    if (free) trust.putLease(free);
    const forget = trust.server.onRequest((request) => {
      if (matches(free ? 'patch leases' : 'create leases')(request)) trust.putLease(foreign);
    });
    closers.push(forget);
    const { store, slept } = await openStore();
    await expect(store.lock('rotate run', 0)).rejects.toMatchObject({ code: 'store.locked' });
    expect(slept()).toBe(0);
    expect(trust.lease()?.spec).toEqual(foreign);
  });

  test('is waited for while it moves, and taken over when it stops to', async () => {
    trust.putLease(foreign);
    const { lock, seen, slept } = await openStore({
      onSleep: (sleptMs) => {
        if (sleptMs <= 30_000 && sleptMs % 5000 === 0)
          trust.putLease({ ...foreign, renewTime: `2026-11-22T00:00:${sleptMs / 1000}.000000Z`.padStart(27, '0') });
      },
    });
    await lock('rotate run --wait', 600_000);
    expect(slept()).toBe(45_000);
    expect(seen.map(({ kind }) => kind)).toContain('waiting');
    expect(seen.at(-1)).toMatchObject({ kind: 'taken-over' });
  });
});

describe('a run that was thought dead and wakes up', () => {
  test('writes nothing any more, over the record of who took over', async () => {
    const other = await startRotationRun(trust.place);
    expect(await other.order({ do: 'save', content: 'before it slept' })).toBe('done');
    other.child.kill('SIGSTOP');
    const { store, close } = await openRotationStore(trust.place);
    closers.push(close);
    const lock = await store.lock('rotate run', 0);
    await lock.read();
    await lock.save(record('mine'));
    other.child.kill('SIGCONT');
    expect(await other.order({ do: 'save', content: 'woke up' })).toBe('store.locked');
    expect(await other.order({ do: 'read' })).toBe('done');
    expect(await other.order({ do: 'save', content: 'on what it has just read' })).toBe('store.locked');
    expect(saved()).toEqual(record('mine'));
    await lock.save(record('mine still'));
    await lock.release();
  });

  /** The request of the write is on its way when the run is taken for dead: it arrives after all. */
  test.each([
    { what: 'over a record', hasRecord: true },
    { what: 'where there was none yet', hasRecord: false },
  ])('writes nothing by a request that was under way, $what', async ({ hasRecord }) => {
    const first = await openStore({ timeoutSeconds: 60, leaseMs: 60_000 });
    const lock = await first.lock();
    if (hasRecord) await lock.save(record('first'));
    let letThrough = () => {};
    const isHeldUp = new Promise<void>((heldUp) => {
      const forget = trust.server.onRequest(async (request) => {
        if (!matches(hasRecord ? 'patch secrets' : 'create secrets')(request)) return;
        forget();
        heldUp();
        await new Promise<void>((resolve) => {
          letThrough = resolve;
        });
      });
    });
    const late = lock.save(record('late')).then(
      () => 'done',
      (error: { code: string }) => error.code,
    );
    await isHeldUp;
    const second = await openStore();
    const taken = await second.lock();
    const found = await taken.read();
    letThrough();
    expect(await late).toBe('store.locked');
    expect(found?.content).toEqual(hasRecord ? record('first') : undefined);
    expect((await taken.read())?.content).toEqual(found?.content);
    await taken.save(record('second'));
    expect(saved()).toEqual(record('second'));
  });
});

describe('an answer that is lost', () => {
  const actions: readonly FaultAction[] = [
    'reset-after-write',
    { status: 500, afterWrite: true },
    { status: 504, afterWrite: true },
  ];
  const writes = ['create leases', 'patch leases', 'create secrets', 'patch secrets'];
  const cases = writes.flatMap((write) => actions.map((action) => ({ write, action })));

  test.each(cases)('of $write ($action) to a write that was made does no harm', async ({ write, action }) => {
    const { lock } = await openStore();
    if (write === 'patch leases') await (await lock()).release();
    if (write === 'patch secrets') await (await saveOnce(lock)).release();
    trust.server.faults.add({ when: matches(write), do: action });
    const held = await lock();
    await held.save(record('one'));
    expect(trust.server.faults.left).toBe(0);
    await held.save(record('two'));
    expect(saved()).toEqual(record('two'));
    await held.assertHeld();
  });

  test('to the touch that keeps a dead run from writing does no harm', async () => {
    trust.putLease(foreign);
    const { lock } = await openStore();
    trust.server.faults.add({ when: matches('create secrets'), do: 'reset-after-write' });
    const held = await lock();
    expect(trust.server.faults.left).toBe(0);
    expect(await held.read()).toBeUndefined();
    await held.save(record('one'));
    expect(saved()).toEqual(record('one'));
  });

  test('to a write of the record that was not made is told, and the write may be tried again', async () => {
    const { lock } = await openStore();
    const held = await lock();
    trust.server.faults.add({ when: matches('create secrets'), do: 'reset' });
    await expect(held.save(record('one'))).rejects.toMatchObject({ code: 'cluster.unreachable' });
    expect(trust.record()).toBeUndefined();
    await held.save(record('two'));
    expect(saved()).toEqual(record('two'));
  });

  test('for good leaves no lock behind that anybody has to remove', async () => {
    const { store } = await openStore();
    trust.server.faults.add({ when: matches('create leases'), do: 'reset-after-write' });
    trust.server.faults.add({ when: matches('get leases'), do: { status: 403 }, times: 99 });
    await expect(store.lock('rotate run', 0)).rejects.toMatchObject({ code: 'cluster.forbidden' });
    trust.server.faults.clear();
    const { lock } = await openStore();
    await lock();
  });
});

describe('a run that dies at one of its writes', () => {
  const writes = 13;
  const cases = Array.from({ length: writes }, (_, index) => index + 1).flatMap((fatal) =>
    [false, true].map((isDone) => ({ fatal, isDone })),
  );

  /** Two runs, so that the second finds a lease and a record: lock, save, save, release each. */
  async function carryOut(store: RotationStore): Promise<void> {
    for (const round of ['first', 'second']) {
      const held = await store.lock('rotate run', 0);
      await held.save(record(`${round} one`));
      await held.save(record(`${round} two`));
      await held.release();
    }
  }

  test('makes so many of them', async () => {
    let dying: DyingCluster | undefined;
    const { store } = await openStore({
      through: (cluster) => {
        dying = makeDying(cluster, 99, false);
        return dying.cluster;
      },
    });
    await carryOut(store);
    expect(dying?.writes).toBe(writes);
  });

  test.each(cases)('leaves a record that the next run goes on with: write $fatal, done: $isDone', async (death) => {
    let died: Promise<void> = Promise.resolve();
    const { store } = await openStore({
      through: (cluster) => {
        const dying = makeDying(cluster, death.fatal, death.isDone);
        died = dying.died;
        return dying.cluster;
      },
    });
    void carryOut(store);
    await died;
    const left = saved();
    const next = await openStore();
    const held = await next.lock();
    expect((await held.read())?.content ?? Buffer.alloc(0)).toEqual(left);
    await held.save(record('next'));
    await held.release();
    expect(saved()).toEqual(record('next'));
    expect(next.slept()).toBeLessThanOrEqual(15_000);
  });
});

describe('what others write beside it', () => {
  const label = { labels: { team: 'platform' } };

  test('is no reason to stop: a label of the Secret', async () => {
    const { lock } = await openStore();
    const held = await saveOnce(lock);
    const secret = trust.record();
    if (!secret) throw new Error('there is no record');
    trust.server.store.put({ ...secret, metadata: { ...secret.metadata, ...label } });
    await held.save(record('two'));
    expect(saved()).toEqual(record('two'));
    expect(trust.record()?.metadata.labels).toEqual(label.labels);
  });

  test('is no reason to stop: a label of the Lease', async () => {
    const { lock } = await openStore();
    const held = await lock();
    const lease = trust.lease();
    if (!lease) throw new Error('there is no lease');
    trust.server.store.put({ ...lease, metadata: { ...lease.metadata, ...label } });
    await held.save(record('one'));
    await held.release();
    expect(trust.lease()?.spec?.holderIdentity).toBeUndefined();
  });

  test('is one: a Secret that is gone', async () => {
    const { lock } = await openStore();
    const held = await saveOnce(lock);
    trust.removeRecord();
    await expect(held.save(record('two'))).rejects.toMatchObject({ code: 'store.conflict' });
    expect(trust.record()).toBeUndefined();
  });
});

test('a record over 1 MiB is told before anything is sent', async () => {
  const { lock } = await openStore();
  const held = await saveOnce(lock);
  const before = trust.server.requests.length;
  await expect(held.save(Buffer.alloc(1024 * 1024 + 1, 'x'))).rejects.toMatchObject({
    code: 'store.full',
    message: expect.stringContaining('dapr-mtls-rotation holds 1024'),
  });
  expect(trust.server.requests.length).toBe(before);
  const most = Buffer.alloc(1024 * 1024, 'x');
  await held.save(most);
  expect(saved().equals(most)).toBe(true);
});

test('a run that ends without release keeps no process alive, and is taken over from', async () => {
  const other = await startRotationRun(trust.place);
  const ended = new Promise<number | null>((resolve) => other.child.once('exit', resolve));
  expect(await other.order({ do: 'leave' })).toBe('done');
  expect(await ended).toBe(0);
  expect(trust.lease()?.spec?.holderIdentity).toBe(other.name);
  const { lock, seen } = await openStore();
  await lock();
  expect(seen.at(-1)).toMatchObject({ kind: 'taken-over', holder: { name: other.name } });
});

describe('rights', () => {
  const namespace = 'dapr-system';
  const rule = (group: string, resource: string, verb: string, name?: string) => ({
    namespace,
    apiGroups: [group],
    resources: [resource],
    verbs: [verb],
    ...(name === undefined ? {} : { resourceNames: [name] }),
  });
  const leases = 'coordination.k8s.io';
  const needed = [
    rule('', 'secrets', 'get', 'dapr-mtls-rotation'),
    rule('', 'secrets', 'patch', 'dapr-mtls-rotation'),
    rule('', 'secrets', 'create'),
    rule(leases, 'leases', 'get', 'dapr-mtls'),
    rule(leases, 'leases', 'patch', 'dapr-mtls'),
    rule(leases, 'leases', 'create'),
  ];
  const as = async (allow: UserRules['allow']) => {
    trust.server.allow('newcomer', { allow });
    return openStore({ kubeconfig: trust.server.kubeconfig({ user: 'newcomer' }) });
  };

  test('named objects and one create of each are enough', async () => {
    const { lock, store } = await as(needed);
    const held = await lock();
    await held.save(record('one'));
    await held.save(record('two'));
    await held.release();
    expect(await store.whoHolds()).toBeUndefined();
  });

  test('no create is needed where both are there', async () => {
    const { lock: anybody } = await openStore();
    await (await saveOnce(anybody)).release();
    const { lock } = await as(needed.filter(({ verbs }) => !verbs.includes('create')));
    await (await lock()).save(record('two'));
  });

  const cases = needed.map((without) => ({
    what: `${without.verbs[0]} ${without.resources[0]}${'resourceNames' in without ? `/${without.resourceNames}` : ''}`,
    left: needed.filter((one) => one !== without),
  }));
  test.each(cases)('without $what nothing is written, and the Role is told', async ({ what, left }) => {
    const { store } = await as(left);
    await expect(store.lock('rotate run', 0)).rejects.toMatchObject({
      code: 'cluster.forbidden',
      message: expect.stringContaining(`may not ${what}`),
      hint: expect.stringMatching(/kind: Role\n[\s\S]*dapr-mtls-rotation[\s\S]*leases/),
    });
    expect(trust.lease()).toBeUndefined();
    expect(trust.record()).toBeUndefined();
  });

  test('to read the Secret are asked for by who only looks', async () => {
    const { store } = await as([]);
    await expect(store.read()).rejects.toMatchObject({
      code: 'cluster.forbidden',
      hint: expect.stringContaining('resourceNames: ["dapr-mtls-rotation"]'),
    });
  });
});

async function saveOnce(lock: () => Promise<RotationLock>): Promise<RotationLock> {
  const held = await lock();
  await held.save(record('once'));
  return held;
}

function tick(ms = 5): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
