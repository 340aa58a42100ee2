import { describe, expect, test } from 'vitest';
import { type AdvanceOptions, advanceRotation } from '../../src/app/rotate/advance.ts';
import { amendRotation, confirm } from '../../src/app/rotate/amend.ts';
import type { RotationPorts, RotationProgress } from '../../src/app/rotate/ports.ts';
import { encodeRecord, type PhaseRecord } from '../../src/app/rotate/record.ts';
import type { Stages } from '../../src/app/rotate/stages.ts';
import type { World } from '../../src/app/rotate/world.ts';
import { DaprMtlsError } from '../../src/errors.ts';
import { makeBundle } from '../support/bundles.ts';
import { openChance } from '../support/chance.ts';
import { fixtureInstant } from '../support/fixtures.ts';
import { planFor, reach, recordOf } from '../support/rotation-plans.ts';
import { RotationTown } from '../support/rotation-town.ts';

const { files } = await makeBundle();
const plan = await planFor(files, { procedure: 'staged' });
const { before, switched, 'both-anchors': both } = plan.material.stages as Required<Stages>;
const at = fixtureInstant.toISOString();
const passed: Partial<PhaseRecord> = { status: 'passed', writtenAt: at, passedAt: at };

/** A town in which a run has died behind the word that it would switch the issuer, and before it did. */
function openTown(held: string): RotationTown {
  const sees = { sentry: false, handout: false };
  const times = { startsAt: fixtureInstant.getTime(), ttlMs: 3_600_000, skewMs: 60_000 };
  const calm = { skipped: [], hasExternalClient: false, keepsIssuers: false, restartCommand: false, sees };
  const town = new RotationTown({ kind: 'cluster', files: both.files, held: [held], ...times, ...calm }, openChance(1));
  town.record = encodeRecord(reach(recordOf(plan), { distribute: passed, switch: { status: 'begun' } }));
  return town;
}

function goOn(town: RotationTown, change: Partial<AdvanceOptions> = {}, ports: Partial<RotationPorts> = {}) {
  const options: AdvanceOptions = {
    wait: false,
    until: undefined,
    closedUntil: () => undefined,
    lockWaitMs: 0,
    pollMs: 1,
    restarts: [],
    ...change,
  };
  const chooseWriter = async () => ({ kind: 'this' as const });
  return advanceRotation({ ...town.ports(), who: 'tester', chooseWriter, ...ports }, options);
}

test('what was begun by a run that is gone is proved anew before it is written', async () => {
  const town = openTown(before.files.anchors.toString());
  await expect(goOn(town)).rejects.toMatchObject({
    code: 'rotation.unsafe',
    message: expect.stringMatching(/shop\/app-0/),
  });
  expect(town.written).toEqual([]);
});

test('and is written where it still holds', async () => {
  const town = openTown(both.files.anchors.toString());
  expect(await goOn(town)).toMatchObject({ end: 'waiting' });
  expect(town.written.map((one) => one.files)).toEqual([switched.files]);
});

describe('a restart of many workloads', () => {
  const opening = new Date(fixtureInstant.getTime() + 3_600_000);
  const names = ['a', 'b', 'c', 'd'];

  /** In the first phase, whose restart asks before each workload. */
  function openRestart(held = both.files.anchors.toString()) {
    const town = openTown(held);
    town.record = encodeRecord(reach(recordOf(plan), { distribute: { status: 'written', writtenAt: at } }));
    const restarted: string[] = [];
    const told: RotationProgress[] = [];
    const restart: RotationPorts['site']['restart'] = async ({ mayBegin = async () => true }) => {
      const now: string[] = [];
      for (const name of names) {
        if (restarted.includes(name)) continue;
        if (!(await mayBegin())) return { carriedOut: false, restarted: now, remarks: [] };
        restarted.push(name);
        now.push(name);
      }
      return { carriedOut: true, restarted: now, remarks: [] };
    };
    const ports: Partial<RotationPorts> = {
      site: { ...town.ports().site, restart },
      onProgress: (progress) => void told.push(progress),
    };
    return { town, restarted, told, ports };
  }

  test('ends between two of them when the window closes, says when it opens, and goes on then', async () => {
    const { town, restarted, told, ports } = openRestart(before.files.anchors.toString());
    const closedUntil = () => (restarted.length >= 2 ? opening : undefined);
    const { end, waits, record } = await goOn(town, { closedUntil, restarts: ['applications'] }, ports);
    expect(restarted).toEqual(['a', 'b']);
    expect(end).toBe('waiting');
    expect(waits[0]).toMatchObject({ what: expect.stringContaining(opening.toISOString()), until: opening });
    expect(told).toContainEqual({ kind: 'closed', until: opening });
    expect(record.history.at(-1)?.what).toBe('restarted a, b, and not all who are due');
    expect(record.phases[0]?.restartedAt).toBeUndefined();
    // While it is closed nobody is asked, and the same is said.
    const closed = await goOn(town, { closedUntil, restarts: ['applications'] }, ports);
    expect(closed.waits[0]).toEqual(waits[0]);
    const open = await goOn(town, { restarts: ['applications'] }, ports);
    expect(restarted).toEqual(names);
    expect(open.record.phases[0]?.restartedAt).toBeDefined();
    expect(open.waits.filter(({ until }) => until)).toEqual([]);
  });

  test('is not waited for with the window where this run restarts nobody', async () => {
    const { town, ports } = openRestart(before.files.anchors.toString());
    const { waits } = await goOn(town, { closedUntil: () => opening }, ports);
    expect(waits.length).toBeGreaterThan(0);
    expect(waits.filter(({ until }) => until)).toEqual([]);
  });

  test('ends where another run has taken over', async () => {
    const { town, restarted, ports } = openRestart();
    const { rotations } = town.ports();
    const lost = new DaprMtlsError('store.locked', { message: 'taken over', hint: 'See who.' });
    const assertHeld = async () => {
      if (restarted.length >= 3) throw lost;
    };
    const lock: RotationPorts['rotations']['lock'] = async (purpose, waitMs) => ({
      ...(await rotations.lock(purpose, waitMs)),
      assertHeld,
    });
    const others = { ...ports, rotations: { ...rotations, lock } };
    await expect(goOn(town, { restarts: ['applications'] }, others)).rejects.toBe(lost);
    expect(restarted).toEqual(['a', 'b', 'c']);
  });
});

describe('what people set anew while it is under way', () => {
  const before24 = { workloadCertTtlMs: 86_400_000, allowedClockSkewMs: 900_000 };
  type Set = NonNullable<World['settings']>;

  /** The same town, whose Configuration is what the test says. */
  function openSet(change: Partial<Set>, progress: Parameters<typeof reach>[1]) {
    const town = openTown(both.files.anchors.toString());
    town.record = encodeRecord(reach(recordOf(plan), progress));
    const settings: Set = { ...before24, hasExternalClients: false, ...change };
    const { site } = town.ports();
    const told: RotationProgress[] = [];
    const ports: Partial<RotationPorts> = {
      site: { ...site, gather: async () => ({ ...(await site.gather()), settings }) },
      onProgress: (one) => void told.push(one),
    };
    return { town, told, ports };
  }

  test('is recorded, and told once', async () => {
    const { town, told, ports } = openSet(
      { workloadCertTtlMs: 3_600_000 },
      { distribute: { status: 'written', writtenAt: at } },
    );
    const { record } = await goOn(town, {}, ports);
    expect(record.settings).toMatchObject({ workloadCertTtlMs: 3_600_000, formerLives: [before24] });
    const text = 'workloadCertTTL is 1h now, and was 24h';
    expect(record.history.at(-1)?.what).toBe(text);
    await goOn(town, {}, ports);
    expect(told.filter((one) => one.kind === 'remark')).toEqual([{ kind: 'remark', text }]);
  });

  test('holds the next phase up until somebody answers for clients that could join too late to be asked for', async () => {
    const { town, ports } = openSet({ hasExternalClients: true }, { distribute: passed });
    const { end, waits } = await goOn(town, {}, ports);
    expect([end, town.written]).toEqual(['waiting', []]);
    expect(waits).toEqual([expect.objectContaining({ mend: expect.stringContaining('confirm external-clients') })]);
    const voice = { who: 'me', now: fixtureInstant };
    await amendRotation(town.ports().rotations, 'confirm', (one) => confirm(one, 'external-clients', voice), 0);
    await goOn(town, {}, ports);
    expect(town.written.map((one) => one.files)).toEqual([switched.files]);
  });

  test('is asked for in the phase whose gate asks anyway, and not before', async () => {
    const { town, ports } = openSet({ hasExternalClients: true }, { distribute: { status: 'written', writtenAt: at } });
    const { waits } = await goOn(town, {}, ports);
    expect(waits.map(({ mend }) => mend).join()).toMatch(/confirm external-clients/);
    const record = reach(recordOf(plan, { hasExternalClients: true, externalClientsSince: 'distribute' }), {});
    expect(() => confirm(record, 'external-clients', { who: 'me', now: fixtureInstant })).toThrow(
      /cannot be confirmed/,
    );
  });
});

test('a clock that may not be asked is warned of once, however often is looked', async () => {
  const town = openTown(before.files.anchors.toString());
  town.record = encodeRecord(reach(recordOf(plan), { distribute: { status: 'written', writtenAt: at } }));
  const { site } = town.ports();
  let looks = 0;
  const told: string[] = [];
  const ports: Partial<RotationPorts> = {
    site: { ...site, gather: async () => ({ ...(await site.gather()), isOwnClock: true }) },
    onProgress: (one) => void (one.kind === 'remark' && told.push(one.text)),
    assertRunning: () => {
      if (++looks > 6) throw new Error('enough');
    },
  };
  await expect(goOn(town, { wait: true }, ports)).rejects.toThrow('enough');
  expect(told).toEqual([expect.stringMatching(/this machine's clock counts/)]);
});
