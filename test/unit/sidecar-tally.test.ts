import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Reference, readReference } from '../../src/app/audit/reference.ts';
import { openTally, type SidecarTally } from '../../src/app/watch/sidecar-tally.ts';
import type { SidecarPod } from '../../src/kube/pods/sidecar-pod.ts';
import { makeBundle } from '../support/bundles.ts';
import { fixtureInstant } from '../support/fixtures.ts';
import { sidecarPod } from '../support/sidecar-pods.ts';

let current: Buffer;
let former: Buffer;
let reference: Reference;
let tally: SidecarTally;
let changes: number;
let born = 0;

beforeAll(async () => {
  const [{ files }, other] = [await makeBundle(), await makeBundle()];
  [current, former] = [files.anchors, other.files.anchors];
  reference = readReference({ kind: 'live', name: 'live', ...files }, fixtureInstant);
});
beforeEach(() => {
  changes = 0;
  tally = openTally(() => {
    changes += 1;
  });
});

const pod = (anchors: Parameters<typeof sidecarPod>[0], wishes: Partial<SidecarPod> = {}) =>
  sidecarPod(anchors, { uid: `uid-${++born}`, ...wishes });
const of = (name: string) => ({ workload: { kind: 'Deployment', name } });
const see = () => tally.judge(reference, fixtureInstant);

describe('a tally of sidecars', () => {
  test('counts each pod once, however often it is told', () => {
    const one = pod(current);
    for (let turn = 0; turn < 3; turn++) tally.put(one);
    tally.put(pod(former));
    tally.put(pod(undefined));
    expect(see().totals).toEqual({ sidecars: 3, current: 1, broken: 1, stale: 0, unknown: 1 });
    expect(changes).toBe(3);
  });

  test('forgets what was removed and what has ended, and takes no notice of strangers', () => {
    const [one, two] = [pod(current), pod(current)];
    for (const each of [one, two]) tally.put(each);
    tally.remove('nobody');
    tally.put(pod(current, { phase: 'Succeeded' }));
    expect(changes).toBe(2);
    tally.remove(one.uid);
    tally.put({ ...two, phase: 'Failed' });
    expect(see().totals.sidecars).toBe(0);
    expect(changes).toBe(4);
  });

  test('forgets at the end of a list what that did not tell of, and nothing before', () => {
    const [stays, goes] = [pod(current), pod(current)];
    for (const each of [stays, goes]) tally.put(each);
    tally.beginList();
    tally.put(stays);
    expect(see().totals.sidecars).toBe(2);
    // Of a list that was broken off nothing follows.
    tally.beginList();
    tally.put(stays);
    tally.put(pod(current));
    tally.endList();
    expect(see().totals.sidecars).toBe(2);
    tally.remove(goes.uid);
    expect(see().totals.sidecars).toBe(2);
  });

  test('names the workloads that are behind, the gravest first, each once', () => {
    for (const name of ['b', 'a', 'a']) tally.put(pod(former, of(name)));
    tally.put(pod(undefined, of('c')));
    tally.put(pod(current, of('a')));
    tally.put(pod(current, of('fine')));
    expect(see().behind).toEqual([
      { namespace: 'shop', kind: 'Deployment', name: 'a', state: 'broken', sidecars: 2 },
      { namespace: 'shop', kind: 'Deployment', name: 'b', state: 'broken', sidecars: 1 },
      { namespace: 'shop', kind: 'Deployment', name: 'c', state: 'unknown', sidecars: 1 },
    ]);
  });

  test('names no more workloads than a person reads', () => {
    for (let index = 0; index < 100; index++) tally.put(pod(former, of(`app-${index}`)));
    expect(see().behind).toHaveLength(20);
    expect(see().totals.broken).toBe(100);
  });

  test('judges anew under another bundle without being told of the pods again', async () => {
    tally.put(pod(former));
    const { files } = await makeBundle();
    const other = readReference(
      { kind: 'live', name: 'live', ...files, anchors: former, issuerChain: undefined },
      fixtureInstant,
    );
    expect(see().totals.broken).toBe(1);
    expect(tally.judge(other, fixtureInstant).totals.current).toBe(1);
  });

  test('tells why even who holds everything verifies nobody', async () => {
    tally.put(pod(current));
    expect(see()).toMatchObject({ problem: null, totals: { current: 1 } });
    const later = new Date('2036-01-01T00:00:00Z');
    const { files } = await makeBundle();
    const ended = readReference({ kind: 'live', name: 'live', ...files }, later);
    expect(tally.judge(ended, later)).toMatchObject({
      problem: expect.stringContaining('expired'),
      totals: { broken: 1 },
    });
  });

  test('keeps neither endless texts nor endless numbers of them', () => {
    tally.put(pod('x'.repeat(70_000)));
    for (let index = 0; index < 1_000; index++) tally.put(pod(`${index}`));
    const before = process.memoryUsage().heapUsed;
    for (let index = 0; index < 2_000; index++) tally.put(pod(`${'y'.repeat(60_000)}${index}`));
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(60 * 1024 * 1024);
    expect(see().totals).toMatchObject({ sidecars: 3_001, unknown: 3_001 });
  });
});
