import { beforeAll, describe, expect, test } from 'vitest';
import { groupByWorkload } from '../../src/app/restart/applications.ts';
import {
  type DatedPod,
  type DueWish,
  findDueWorkloads,
  isRestartBegun,
  isServiceFresh,
  judgeLack,
  keepDue,
} from '../../src/app/restart/due.ts';
import { keepPace } from '../../src/app/restart/pace.ts';
import type { Daprd } from '../../src/kube/pods/sidecar-pod.ts';
import type { RolloutPod } from '../../src/kube/rollout/pod.ts';
import type { RollingWorkload } from '../../src/kube/rollout/workload.ts';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { makeBundle } from '../support/bundles.ts';

const since = new Date('2026-11-22T10:00:06Z');
const before = new Date('2026-11-22T10:00:05Z');
const after = new Date('2026-11-22T10:00:07Z');

const wish: DueWish = { since, neededAnchors: [], skipped: [], mayRepeat: () => true };
const pod = (name: string, wishes: Partial<DatedPod> = {}): DatedPod => ({
  namespace: 'shop',
  phase: 'Running',
  workload: { kind: 'Deployment', name },
  deletionTimestamp: undefined,
  createdAt: before,
  lacksAnchor: false,
  ...wishes,
});

describe('a workload is due', () => {
  test.each<[string, Partial<DatedPod>, boolean]>([
    ['a pod from before', {}, true],
    ['a pod of the very second', { createdAt: since }, false],
    ['a pod from after', { createdAt: after }, false],
    ['a pod of unknown age', { createdAt: undefined }, true],
    ['a young pod without an anchor', { createdAt: after, lacksAnchor: true }, true],
    ['an old pod that is going', { deletionTimestamp: after }, false],
    ['an old pod that has ended', { phase: 'Succeeded' }, false],
    ['an old pod that has failed', { phase: 'Failed', lacksAnchor: true }, false],
  ])('with %s: %o is %s', (_, wishes, isDue) => {
    expect(findDueWorkloads([pod('a', wishes)], wish).size).toBe(isDue ? 1 : 0);
  });

  test('if one of its pods is, and knows since when one lacks an anchor', () => {
    const due = findDueWorkloads(
      [
        pod('a', { createdAt: after }),
        pod('a'),
        pod('b', { createdAt: since, lacksAnchor: true }),
        pod('b', { createdAt: after, lacksAnchor: true }),
        pod('b', { createdAt: before, lacksAnchor: true }),
      ],
      wish,
    );
    expect([...due]).toEqual([
      ['shop/Deployment/a', { lackingFrom: undefined }],
      ['shop/Deployment/b', { lackingFrom: after }],
    ]);
  });

  test('unless it is to be left alone, by namespace and name', () => {
    const due = findDueWorkloads([pod('a'), pod('a', { namespace: 'backend' })], { ...wish, skipped: ['shop/a'] });
    expect([...due.keys()]).toEqual(['backend/Deployment/a']);
  });

  test('and then with all of its pods; what needs a hand is due no less', () => {
    const pods = [
      pod('a'),
      pod('a', { createdAt: after }),
      pod('b', { createdAt: after }),
      pod('c', { workload: { kind: 'Job', name: 'c' } }),
      pod('d', { workload: { kind: 'Job', name: 'd' }, createdAt: after }),
    ];
    const { due, left } = keepDue(groupByWorkload(pods), findDueWorkloads(pods, wish));
    expect(due.map(({ ref, pods }) => [ref.name, pods])).toEqual([['a', 2]]);
    expect(left.map(({ name }) => name)).toEqual(['c']);
  });
});

describe('a restart is only waited for', () => {
  const workload = (restartedAt?: string): RollingWorkload => ({
    kind: 'Deployment',
    metadata: { name: 'a' },
    spec: {
      template: {
        metadata:
          restartedAt === undefined ? {} : { annotations: { 'kubectl.kubernetes.io/restartedAt': restartedAt } },
      },
    },
  });

  test.each<[string | undefined, Date | undefined, boolean]>([
    [undefined, undefined, false],
    ['yesterday', undefined, false],
    ['2026-11-22T10:00:05.999Z', undefined, false],
    ['2026-11-22T10:00:06Z', undefined, true],
    // As kubectl writes it, in its own zone.
    ['2026-11-22T11:00:07+01:00', undefined, true],
    ['2026-11-22T10:00:05+01:00', undefined, false],
    // Who lacks an anchor is of the template before, and goes.
    ['2026-11-22T10:00:07.500Z', before, true],
    ['2026-11-22T10:00:07.500Z', since, true],
    // Who lacks one came of this restart.
    ['2026-11-22T10:00:07.500Z', after, false],
  ])('restarted at %s, the newest that lacks an anchor from %s: %s', (restartedAt, lackingFrom, isBegun) => {
    expect(isRestartBegun(workload(restartedAt), since, lackingFrom)).toBe(isBegun);
  });
});

describe('a service is fresh', () => {
  const instance = (createdAt: Date, deletedAt?: Date): RolloutPod => ({
    metadata: {
      name: 'x',
      creationTimestamp: createdAt.toISOString(),
      ...(deletedAt ? { deletionTimestamp: deletedAt.toISOString() } : {}),
    },
    // The container is younger than the pod, whose files may be of before.
    status: {
      phase: 'Running',
      containerStatuses: [{ name: 'x', state: { running: { startedAt: after.toISOString() } } }],
    },
  });

  test.each<[string, readonly RolloutPod[], boolean]>([
    ['all pods are', [instance(since), instance(after)], true],
    ['one is not', [instance(after), instance(before)], false],
    ['the old one goes', [instance(after), instance(before, after)], true],
    ['there is none', [], false],
    ['the only one goes', [instance(before, after)], false],
  ])('if %s', (_, pods, isFresh) => {
    expect(isServiceFresh(pods, since)).toBe(isFresh);
  });
});

describe('an anchor is lacking', () => {
  let some: BundleFiles;
  let others: BundleFiles;
  const fingerprints: string[] = [];

  beforeAll(async () => {
    const made = [await makeBundle(), await makeBundle()] as const;
    [some, others] = [made[0].files, made[1].files];
    fingerprints.push(...made.map(({ bundle }) => bundle.anchors[0]?.fingerprint ?? ''));
  });
  const daprd = (trustAnchors: Daprd['trustAnchors']): { daprd: Daprd } => ({
    daprd: { container: 'daprd', native: false, image: 'daprd', version: undefined, trustAnchors },
  });
  const value = (pem: string) => daprd({ source: 'value', pem });

  test('where what is held does not hold it', () => {
    const lacks = judgeLack(fingerprints);
    expect(lacks(value(`${some.anchors}${others.anchors}`))).toBe(false);
    expect(lacks(value(some.anchors.toString()))).toBe(true);
    expect(lacks(value(some.anchors.toString()))).toBe(true);
    expect(lacks(value('no PEM'))).toBe(true);
  });

  test('nowhere where none is needed, or the pod does not show what it holds', () => {
    expect(judgeLack([])(value(some.anchors.toString()))).toBe(false);
    const lacks = judgeLack(fingerprints);
    for (const one of [value(''), daprd({ source: 'reference' }), daprd(undefined), { daprd: undefined }])
      expect(lacks(one)).toBe(false);
  });
});

describe('the pace', () => {
  /** @param lateMs how much later than asked for it wakes, call by call, as a busy machine does */
  const clockFrom = (...lateMs: number[]) => {
    let nowMs = 0;
    const sleep = async (ms: number) => {
      const untilMs = nowMs + ms + (lateMs.shift() ?? 0);
      await new Promise((resolve) => setImmediate(resolve));
      nowMs = Math.max(nowMs, untilMs);
    };
    return { now: () => new Date(nowMs), sleep };
  };

  test('keeps those apart that begin together', async () => {
    const clock = clockFrom();
    const ownTurn = keepPace(2500, clock);
    const begun: number[] = [];
    for (let index = 0; index < 3; index++) {
      await ownTurn(() => {});
      begun.push(clock.now().getTime());
    }
    expect(begun).toEqual([0, 2500, 5000]);
  });

  test('keeps those apart that wait at once, and counts from when the one before came', async () => {
    const clock = clockFrom(70);
    const ownTurn = keepPace(400, clock);
    const begun: number[] = [];
    const begin = async () => {
      await ownTurn(() => {});
      begun.push(clock.now().getTime());
    };
    await Promise.all([begin(), begin(), begin(), begin()]);
    const apart = begun.slice(1).map((at, index) => at - (begun[index] ?? 0));
    expect(apart).toHaveLength(3);
    expect(Math.min(...apart)).toBeGreaterThanOrEqual(400);
  });

  test('lets everybody pass where there is none', async () => {
    const clock = clockFrom();
    const ownTurn = keepPace(0, clock);
    for (let index = 0; index < 3; index++) await ownTurn(() => {});
    expect(clock.now().getTime()).toBe(0);
  });

  test('ends a wait within a second when the run is stopped', async () => {
    const clock = clockFrom();
    const ownTurn = keepPace(3_600_000, clock);
    await ownTurn(() => {});
    const stopped = ownTurn(() => {
      if (clock.now().getTime() >= 3000) throw new Error('stopped');
    });
    await expect(stopped).rejects.toThrow('stopped');
    expect(clock.now().getTime()).toBeLessThanOrEqual(4000);
  });
});
