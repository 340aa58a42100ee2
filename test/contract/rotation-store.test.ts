import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { identifyThisProcess } from '../../src/store/directory/process-identity.ts';
import type { RotationProgress, RotationStoreOptions } from '../../src/store/rotation-options.ts';
import type { RotationStore } from '../../src/store/rotation-port.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { type RotationCluster, startRotationCluster } from '../support/rotation-cluster.ts';
import { openRotationStore, type RotationPlace } from '../support/rotation-process.ts';
import { startRotationRun } from '../support/rotation-run.ts';
import { makeTrustDirectory } from '../support/trust-directory.ts';

const record = (text: string) => Buffer.from(`{"version":1,"text":"${text}"}\n`);

/** A place for a record, fresh for each test, and what somebody else may do to it. */
interface Bench {
  readonly place: RotationPlace;
  /** As another program writes: past the lock. */
  overwrite(content: Buffer): void;
  /** As who removes a lock by hand. */
  removeLock(): void;
  /** What was put aside, the oldest first. */
  putAside(): readonly Buffer[];
}

let cluster: RotationCluster;
beforeAll(async () => {
  cluster = await startRotationCluster();
});
afterAll(() => cluster.stop());

function benchOfCluster(): Bench {
  cluster.reset();
  return { place: cluster.place, overwrite: cluster.overwrite, removeLock: cluster.removeLease, putAside };
  function putAside(): Buffer[] {
    const data = Object.entries(cluster.record()?.data ?? {});
    const aside = data.filter(([key]) => key.includes('unreadable')).sort(([a], [b]) => a.localeCompare(b));
    return aside.map(([, value]) => Buffer.from(value, 'base64'));
  }
}

function benchOfDirectory(): Bench {
  const path = join(temporaryDirectory(), 'certs');
  mkdirSync(path);
  return {
    place: { kind: 'directory', path },
    overwrite: (content) => writeFileSync(join(`${path}.mtls`, 'rotation.json'), content),
    removeLock: () => rmSync(join(`${path}.mtls`, 'rotation.lock')),
    putAside: () => {
      const names = readdirSync(`${path}.mtls`).filter((name) => name.includes('unreadable'));
      return names.sort().map((name) => readFileSync(join(`${path}.mtls`, name)));
    },
  };
}

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function open(place: RotationPlace, options: Partial<RotationStoreOptions> = {}): Promise<RotationStore> {
  const { store, close } = await openRotationStore(place, options);
  closers.push(close);
  return store;
}

async function take(store: RotationStore, purpose = 'rotate run', waitMs = 0) {
  const lock = await store.lock(purpose, waitMs);
  closers.push(() => lock.release());
  return lock;
}

describe.each([
  { kind: 'a directory', openBench: benchOfDirectory },
  { kind: 'a cluster', openBench: benchOfCluster },
])('the record of a rotation in $kind', ({ openBench }) => {
  let bench: Bench;
  let store: RotationStore;
  beforeEach(async () => {
    bench = openBench();
    store = await open(bench.place);
  });

  test('is not there before one was begun, and nobody holds it', async () => {
    expect(await store.read()).toBeUndefined();
    expect(await store.whoHolds()).toBeUndefined();
    const lock = await take(store);
    expect(await lock.read()).toBeUndefined();
    await lock.release();
    expect(await store.read()).toBeUndefined();
    expect(await store.whoHolds()).toBeUndefined();
  });

  test('is what was saved last, for everybody', async () => {
    const lock = await take(store);
    await lock.save(record('one'));
    expect((await store.read())?.content).toEqual(record('one'));
    await lock.save(record('a longer two'));
    await lock.save(record('3'));
    expect((await lock.read())?.content).toEqual(record('3'));
    await lock.release();
    const later = await take(await open(bench.place));
    expect((await later.read())?.content).toEqual(record('3'));
    await later.save(record('four'));
    expect((await store.read())?.content).toEqual(record('four'));
  });

  test('is not written over what somebody else wrote', async () => {
    const lock = await take(store);
    await lock.save(record('mine'));
    bench.overwrite(record('theirs'));
    await expect(lock.save(record('mine again'))).rejects.toMatchObject({ code: 'store.conflict', exitCode: 6 });
    expect((await store.read())?.content).toEqual(record('theirs'));
    expect((await lock.read())?.content).toEqual(record('theirs'));
    await lock.save(record('both'));
    expect((await store.read())?.content).toEqual(record('both'));
  });

  test('is not made where somebody else has made it meanwhile', async () => {
    const lock = await take(store);
    await lock.read();
    bench.overwrite(record('theirs'));
    await expect(lock.save(record('mine'))).rejects.toMatchObject({ code: 'store.conflict' });
    expect((await store.read())?.content).toEqual(record('theirs'));
  });

  test('is in the hands of one run, which is named', async () => {
    const before = new Date();
    const lock = await take(await open(bench.place, { holder: 'ada@desk, process 7' }), 'rotate run --wait');
    const holder = await store.whoHolds();
    expect(holder).toMatchObject({ name: 'ada@desk, process 7', purpose: 'rotate run --wait' });
    expect(holder?.since.getTime()).toBeGreaterThanOrEqual(before.getTime());
    const seen: RotationProgress[] = [];
    const other = await open(bench.place, { onProgress: (progress) => seen.push(progress) });
    await expect(other.lock('rotate undo', 0)).rejects.toMatchObject({
      code: 'store.locked',
      exitCode: 6,
      message: expect.stringMatching(/"rotate run --wait" \(ada@desk, process 7.* since \d{4}-/),
      hint: expect.stringMatching(/rotate status.*--wait/),
    });
    expect(seen.map(({ kind }) => kind)).not.toContain('taken-over');
    await lock.assertHeld();
    await lock.save(record('still mine'));
  });

  test('goes to one of many that ask at once', async () => {
    const asked = await Promise.allSettled(Array.from({ length: 5 }, () => store.lock('rotate run', 0)));
    const won = asked.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    for (const lock of won) closers.push(() => lock.release());
    expect(won).toHaveLength(1);
    for (const outcome of asked) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'store.locked' });
    }
    await won[0]?.save(record('one rotation'));
  });

  test('is waited for while its holder lives, and had as soon as it ends', async () => {
    const first = await take(store);
    const seen: RotationProgress[] = [];
    const other = await open(bench.place, { onProgress: (progress) => seen.push(progress) });
    const second = take(other, 'rotate run --wait', 60_000);
    const waiting = { kind: 'waiting', holder: { purpose: 'rotate run' } };
    await expect.poll(() => seen.at(-1)).toMatchObject(waiting);
    await sleep(2000);
    expect(seen.at(-1)).toMatchObject(waiting);
    await first.save(record('first'));
    await first.release();
    const lock = await second;
    expect((await lock.read())?.content).toEqual(record('first'));
    expect(seen.map(({ kind }) => kind)).not.toContain('taken-over');
  });

  test('is waited for no longer than told', async () => {
    await take(store);
    const begun = performance.now();
    await expect(store.lock('rotate run --wait', 1200)).rejects.toMatchObject({ code: 'store.locked' });
    expect(performance.now() - begun).toBeGreaterThanOrEqual(1100);
  });

  test('is taken over from a run that was killed', async () => {
    const other = await startRotationRun(bench.place);
    expect(await other.order({ do: 'save', content: 'as the dead left it' })).toBe('done');
    expect(await store.whoHolds()).toMatchObject({ name: other.name, purpose: 'rotate run' });
    await other.kill();
    const seen: RotationProgress[] = [];
    const mine = await open(bench.place, { onProgress: (progress) => seen.push(progress) });
    const lock = await take(mine);
    expect(seen.at(-1)).toMatchObject({ kind: 'taken-over', holder: { name: other.name } });
    expect((await lock.read())?.content.toString()).toBe('as the dead left it');
    await lock.save(record('went on'));
    expect((await store.read())?.content).toEqual(record('went on'));
  });

  test('is put aside under a number of its own, and kept; then there is none', async () => {
    const lock = await take(store);
    const kept = [record('newer'), record('damaged')];
    for (const [index, content] of kept.entries()) {
      await lock.save(content);
      expect((await lock.read())?.place.name).not.toContain('unreadable');
      expect(await lock.setAside()).toContain(`rotation.unreadable-${index + 1}.json`);
      expect(await store.read()).toBeUndefined();
      expect(await lock.read()).toBeUndefined();
    }
    expect(bench.putAside()).toEqual(kept);
    await lock.save(record('a new one'));
    expect((await store.read())?.content).toEqual(record('a new one'));
    expect(bench.putAside()).toEqual(kept);
  });

  test('is not put aside in the place of another one that has come since', async () => {
    const lock = await take(store);
    await lock.save(record('mine'));
    await lock.read();
    bench.overwrite(record('theirs'));
    await expect(lock.setAside()).rejects.toMatchObject({ code: 'store.conflict' });
    expect((await store.read())?.content).toEqual(record('theirs'));
  });

  test('is written no more by who has lost the lock', async () => {
    const lock = await take(store);
    await lock.save(record('held'));
    bench.removeLock();
    await expect(lock.save(record('lost'))).rejects.toMatchObject({ code: 'store.locked' });
    await expect(lock.assertHeld()).rejects.toMatchObject({ code: 'store.locked' });
    expect((await store.read())?.content).toEqual(record('held'));
  });

  test('is written no more by who has released the lock', async () => {
    const lock = await take(store);
    await lock.save(record('held'));
    await lock.release();
    await lock.release();
    await expect(lock.save(record('released'))).rejects.toMatchObject({ code: 'store.locked' });
    await expect(lock.assertHeld()).rejects.toMatchObject({ code: 'store.locked' });
    expect((await store.read())?.content).toEqual(record('held'));
    await take(store);
  });

  test('is not asked for any more when the run is to stop', async () => {
    await take(store);
    const stop = new Error('stop');
    const other = await open(bench.place, {
      assertRunning: () => {
        throw stop;
      },
    });
    await expect(other.lock('rotate run --wait', 60_000)).rejects.toBe(stop);
  });
});

describe('the files of a directory', () => {
  const inWork = async () => {
    const trust = await makeTrustDirectory();
    const path = (name: string) => join(trust.workDirectory, name);
    return { trust, path, place: { kind: 'directory', path: trust.directory } as const };
  };

  test('are for their owner alone, and nothing else is left', async () => {
    const { trust, path, place } = await inWork();
    const lock = await take(await open(place));
    await lock.save(record('one'));
    await lock.save(record('two'));
    expect(statSync(path('rotation.json')).mode & 0o777).toBe(0o600);
    expect(readdirSync(trust.workDirectory).sort()).toEqual(['rotation.json', 'rotation.lock']);
    await lock.release();
    expect(readdirSync(trust.workDirectory)).toEqual(['rotation.json']);
  });

  test('are made where neither the bundle nor the work directory is', async () => {
    const trust = await makeTrustDirectory('none');
    const lock = await take(await open({ kind: 'directory', path: trust.directory }));
    await lock.save(record('one'));
    expect(statSync(trust.workDirectory).mode & 0o777).toBe(0o700);
  });

  test("do not stand in the way of the store's own lock, which a rotation takes at each change", async () => {
    const { trust, path, place } = await inWork();
    const lock = await take(await open(place));
    await lock.save(record('one'));
    await trust.renew();
    await lock.assertHeld();
    await lock.save(record('two'));
    expect(existsSync(path('rotation.lock'))).toBe(true);
  });

  test('that a run left which died at a write go with the next lock', async () => {
    const { trust, path, place } = await inWork();
    writeFileSync(path('rotation.json.00000000000000de'), 'half a key');
    writeFileSync(path('rotation.lock.00000000000000de'), 'half a lock');
    writeFileSync(path('rotation.json.mine'), 'not ours');
    await (await take(await open(place))).release();
    expect(readdirSync(trust.workDirectory)).toEqual(['rotation.json.mine']);
  });

  const owner = (differences: object) =>
    JSON.stringify({
      ...identifyThisProcess(),
      purpose: 'rotate run',
      since: '2026-11-22T01:02:03.000Z',
      nonce: '0123456789abcdef',
      ...differences,
    });

  test.each([
    {
      name: 'of another machine',
      content: owner({ host: 'elsewhere', pid: 4_194_305 }),
      says: /on elsewhere, process 4194305/,
    },
    { name: 'that cannot be read', content: 'not JSON', says: /an owner that cannot be read/ },
  ])('a lock $name is respected and not waited for', async ({ content, says }) => {
    const { path, place } = await inWork();
    writeFileSync(path('rotation.lock'), content);
    let slept = 0;
    const store = await open(place, {
      sleep: async (ms) => {
        slept += ms;
      },
    });
    await expect(store.lock('rotate run', 60_000)).rejects.toMatchObject({
      code: 'store.locked',
      message: expect.stringMatching(says),
      hint: expect.stringMatching(/If you know that it has ended, remove .*rotation\.lock/),
    });
    expect(slept).toBe(0);
    expect(readFileSync(path('rotation.lock'), 'utf8')).toBe(content);
    expect(await store.whoHolds()).toMatchObject({ name: expect.stringMatching(/elsewhere|cannot be read/) });
  });

  test('a run that is only stopped is not taken for dead, and goes on', async () => {
    const { place } = await inWork();
    const other = await startRotationRun(place);
    other.child.kill('SIGSTOP');
    await expect((await open(place)).lock('rotate run', 0)).rejects.toMatchObject({ code: 'store.locked' });
    other.child.kill('SIGCONT');
    expect(await other.order({ do: 'save', content: 'awake' })).toBe('done');
  });
});
