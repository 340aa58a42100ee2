import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { rotationRules } from '../../src/store/cluster/rotation-rights.ts';
import type { RotationProgress, RotationStoreOptions } from '../../src/store/rotation-options.ts';
import { openRotationStore, type RotationPlace } from '../support/rotation-process.ts';
import { startRotationRun } from '../support/rotation-run.ts';
import { whyNoCluster } from './build-programs.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';

const missing = await whyNoCluster();
const namespace = 'dapr-system';
const record = (text: string) => Buffer.from(`{"version":1,"text":"${text}"}\n`);
const paths = {
  lease: `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/dapr-mtls`,
  record: `/api/v1/namespaces/${namespace}/secrets/dapr-mtls-rotation`,
};

/** What the tests' own API server answers in the contract, answered by a real one. */
describe.skipIf(missing !== undefined)(missing ?? "a rotation's record on a real API server", () => {
  let cluster: TestCluster;
  let place: RotationPlace & { readonly kind: 'cluster' };

  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.admin.kubectl(['create', 'namespace', namespace]);
    const grants = rotationRules.map((rule) => ({ namespace, ...rule }));
    const kubeconfig = await cluster.addUser('rotator', grants);
    place = { kind: 'cluster', kubeconfig, namespace, leaseMs: 2000 };
  }, 600_000);
  afterAll(() => cluster?.stop());
  beforeEach(async () => {
    for (const path of Object.values(paths)) await cluster.admin.request('DELETE', path);
  });

  const read = async (path: string) => (await cluster.admin.request('GET', path)).body;
  const open = async (options: Partial<RotationStoreOptions> = {}) => {
    const { store, close } = await openRotationStore(place, options);
    onTestFinished(close);
    return store;
  };

  test('is written with no more rights than the rules tell, and the Lease is as kubectl knows it', async () => {
    const store = await open({ holder: 'ada@desk, process 7' });
    const lock = await store.lock('rotate run', 0);
    await lock.save(record('one'));
    await lock.save(record('two'));
    expect((await store.read())?.content).toEqual(record('two'));
    expect(await store.whoHolds()).toMatchObject({ name: 'ada@desk, process 7', purpose: 'rotate run' });
    expect((await read(paths.lease)).spec).toMatchObject({ leaseDurationSeconds: 2, leaseTransitions: 0 });
    expect(await cluster.admin.kubectl(['get', 'lease', 'dapr-mtls', '-n', namespace])).toContain('ada@desk');
    await lock.release();
    expect((await read(paths.lease)).spec.holderIdentity).toBeUndefined();
    expect(await store.whoHolds()).toBeUndefined();
  });

  test('is not written over what somebody else wrote, and is over a label', async () => {
    const lock = await (await open()).lock('rotate run', 0);
    onTestFinished(() => lock.release());
    await lock.save(record('one'));
    await cluster.admin.kubectl(['label', 'secret', 'dapr-mtls-rotation', 'team=platform', '-n', namespace]);
    await lock.save(record('two'));
    const data = { 'rotation.json': record('theirs').toString('base64') };
    await cluster.admin.request('PATCH', paths.record, { data }, 'application/merge-patch+json');
    await expect(lock.save(record('three'))).rejects.toMatchObject({ code: 'store.conflict' });
    expect((await read(paths.record)).data).toEqual(data);
  });

  test('goes to one of five that ask at once', async () => {
    const store = await open();
    const asked = await Promise.allSettled(Array.from({ length: 5 }, () => store.lock('rotate run', 0)));
    const won = asked.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(won).toHaveLength(1);
    const lost = asked.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
    expect(lost).toEqual(Array.from({ length: 4 }, () => 'store.locked'));
    await won[0]?.release();
  });

  test('is taken over from a run that was killed, and not from one that lives', async () => {
    const other = await startRotationRun(place);
    expect(await other.order({ do: 'save', content: 'as the dead left it' })).toBe('done');
    const seen: RotationProgress[] = [];
    const store = await open({ onProgress: (progress) => seen.push(progress) });
    await expect(store.lock('rotate run', 0)).rejects.toMatchObject({ code: 'store.locked' });
    await other.kill();
    const lock = await store.lock('rotate run', 0);
    expect(seen.at(-1)).toMatchObject({ kind: 'taken-over', holder: { name: other.name } });
    expect((await lock.read())?.content.toString()).toBe('as the dead left it');
    await lock.save(record('went on'));
    await lock.release();
  });

  test('is written no more by a run that was thought dead and wakes up', async () => {
    const other = await startRotationRun(place);
    other.child.kill('SIGSTOP');
    const lock = await (await open()).lock('rotate run', 0);
    onTestFinished(() => lock.release());
    other.child.kill('SIGCONT');
    expect(await other.order({ do: 'save', content: 'woke up' })).toBe('store.locked');
    expect(await lock.read()).toBeUndefined();
    await lock.save(record('mine'));
  });
});
