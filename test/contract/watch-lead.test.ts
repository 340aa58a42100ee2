import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Cluster } from '../../src/kube/port.ts';
import { type Lead, type LeadListener, leadLeaseMs, openLead } from '../../src/store/cluster/lead.ts';
import { type LeaseObject, leaseRef } from '../../src/store/cluster/lease.ts';
import { matches } from '../support/api-server/request.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { namespace, openClient } from './kube-client.ts';

const leaseName = 'dapr-mtls-watch';
const ref = leaseRef({ namespace, leaseName });

let server: ApiServer;
const opened: Cluster[] = [];
const stops: (() => Promise<void>)[] = [];

beforeEach(async () => {
  server = await startApiServer();
  server.store.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  server.allow('admin', {
    allow: [
      { namespace, verbs: ['create'], apiGroups: ['coordination.k8s.io'], resources: ['leases'] },
      {
        namespace,
        verbs: ['get', 'patch'],
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        resourceNames: [leaseName],
      },
    ],
  });
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  for (const cluster of opened.splice(0)) cluster.close();
  await server.stop();
});

/** A clock that moves only when it is told to. */
function makeClock() {
  let elapsedMs = 1_000;
  const sleepers = new Set<{ readonly untilMs: number; readonly wake: () => void }>();
  return {
    elapsedMs: () => elapsedMs,
    sleep: (ms: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        const wake = () => {
          sleepers.delete(sleeper);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        const sleeper = { untilMs: elapsedMs + ms, wake };
        sleepers.add(sleeper);
        signal.addEventListener('abort', wake);
        if (signal.aborted) wake();
      }),
    /** Second by second; requests have all the time that they take. */
    pass: async (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        elapsedMs += 1_000;
        for (const sleeper of [...sleepers]) if (sleeper.untilMs <= elapsedMs) sleeper.wake();
        await settled();
      }
    },
  };
}

/** Until no request has come for a while. */
async function settled(): Promise<void> {
  for (let quiet = 0, before = -1; quiet < 4; ) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    quiet = server.requests.length === before ? quiet + 1 : 0;
    before = server.requests.length;
  }
}

type TestClock = ReturnType<typeof makeClock>;

/** @param wallClock of the machine that the replica runs on */
async function startReplica(id: string, clock: TestClock, wallClock = '2026-11-22T01:00:00.000Z') {
  const cluster = await openClient(server.kubeconfig(), { timeoutMs: 500 });
  opened.push(cluster);
  const lead: Lead = openLead(
    { cluster, namespace, leaseName },
    { id, holder: id, purpose: 'watch', leaseMs: leadLeaseMs },
    {
      now: () => new Date(Date.parse(wallClock) + clock.elapsedMs()),
      elapsedMs: clock.elapsedMs,
      sleep: clock.sleep,
      random: () => 0,
    },
  );
  const told: boolean[] = [];
  const stopping = new AbortController();
  const remarks: string[] = [];
  const listener: LeadListener = {
    changed: (leads) => told.push(leads),
    waits: (holder) => remarks.push(`waits for ${holder}`),
    troubled: ({ code, hint }) => remarks.push(`${code}${/\n *verbs: .*/.exec(hint)?.[0] ?? ''}`.replace(/\n */, ' ')),
  };
  const ended = lead.run(listener, stopping.signal);
  await settled();
  const stop = async () => {
    stopping.abort();
    await ended;
  };
  stops.push(stop);
  return { lead, told, remarks, stop, cluster };
}

const lease = () => server.store.get<LeaseObject>(ref);

describe('of two replicas', () => {
  test('the first one leads, in a Lease as client-go has it', async () => {
    const clock = makeClock();
    const [first, second] = [await startReplica('first', clock), await startReplica('second', clock)];
    await clock.pass(60);
    expect([first.told, second.told]).toEqual([[true], []]);
    expect([first.lead.leads, second.lead.leads]).toEqual([true, false]);
    expect([first.remarks, second.remarks]).toEqual([[], ['waits for first']]);
    expect(lease()?.spec).toMatchObject({ holderIdentity: 'first', leaseDurationSeconds: 15, leaseTransitions: 0 });
    expect(server.requests.filter(({ target }) => target?.verb === 'list')).toEqual([]);
    expect(server.requests.filter(({ code }) => code === 403)).toEqual([]);
  });

  test('the other one takes over at once when the first one ends well', async () => {
    const clock = makeClock();
    const [first, second] = [await startReplica('first', clock), await startReplica('second', clock)];
    await first.stop();
    expect(first.told).toEqual([true, false]);
    expect(lease()?.spec?.holderIdentity).toBeUndefined();
    await clock.pass(2);
    expect(second.told).toEqual([true]);
    expect(first.remarks).toEqual([]);
    expect(lease()?.spec).toMatchObject({ holderIdentity: 'second', leaseTransitions: 1 });
  });

  test.each(['1970-01-01T00:00:00.000Z', '2099-01-01T00:00:00.000Z'])(
    'the other one takes over from one that moves no more, whatever its clock says: %s',
    async (wallClock) => {
      const [clock, frozen] = [makeClock(), makeClock()];
      await startReplica('first', frozen, wallClock);
      const second = await startReplica('second', clock);
      await clock.pass(14);
      expect(second.told).toEqual([]);
      await clock.pass(4);
      expect(second.told).toEqual([true]);
      expect(lease()?.spec?.holderIdentity).toBe('second');
    },
  );

  test('never both lead, and who was beaten follows', async () => {
    const [clock, frozen] = [makeClock(), makeClock()];
    const first = await startReplica('first', frozen);
    const second = await startReplica('second', clock);
    // The machine of the first one stands still, and then goes on where it was.
    await clock.pass(20);
    expect(second.lead.leads).toBe(true);
    await frozen.pass(3);
    expect([first.lead.leads, first.told]).toEqual([false, [true, false]]);
    await Promise.all([clock.pass(20), frozen.pass(20)]);
    expect([first.lead.leads, second.lead.leads]).toEqual([false, true]);
  });
});

describe('a leader', () => {
  test('leads no more 10 s after its last renewal, though the server still says so', async () => {
    const clock = makeClock();
    const first = await startReplica('first', clock);
    server.faults.add({ times: 1000, do: { status: 503 } });
    await clock.pass(8);
    expect(first.lead.leads).toBe(true);
    expect(first.remarks).toEqual([]);
    await clock.pass(4);
    expect([first.lead.leads, first.told]).toEqual([false, [true, false]]);
    expect(first.remarks).toEqual(['cluster.rejected']);
    server.faults.clear();
    await clock.pass(4);
    expect(first.remarks).toEqual(['cluster.rejected']);
    expect(first.told).toEqual([true, false, true]);
    expect(lease()?.spec).toMatchObject({ holderIdentity: 'first', leaseTransitions: 0 });
  });

  test('goes on where the answer to a renewal was lost', async () => {
    const clock = makeClock();
    const first = await startReplica('first', clock);
    server.faults.add({ when: matches('patch leases'), do: 'reset-after-write' });
    await clock.pass(30);
    expect(first.told).toEqual([true]);
    expect(server.faults.left).toBe(0);
  });

  test('goes on where somebody has put a label on the Lease', async () => {
    const clock = makeClock();
    const first = await startReplica('first', clock);
    server.store.change<LeaseObject>(ref, (object) => ({
      ...object,
      metadata: { ...object.metadata, labels: { team: 'a' } },
    }));
    await clock.pass(5);
    expect(first.told).toEqual([true]);
    expect(lease()?.metadata.labels).toMatchObject({ team: 'a' });
  });

  test('takes the Lease again where somebody has removed it', async () => {
    const clock = makeClock();
    const first = await startReplica('first', clock);
    server.store.remove(ref);
    await clock.pass(5);
    expect(first.lead.leads).toBe(true);
    expect(lease()?.spec?.holderIdentity).toBe('first');
  });

  test('that may not write waits for the right', async () => {
    server.allow('admin', { allow: [] });
    const clock = makeClock();
    const first = await startReplica('first', clock);
    await clock.pass(10);
    expect(first.told).toEqual([]);
    server.allow('admin', { allow: 'all' });
    await clock.pass(6);
    expect(first.told).toEqual([true]);
  });

  test.each([
    ['read', [], 'verbs: ["get"]'],
    ['make', ['get', 'patch'], 'verbs: ["create"]'],
  ])('that may not %s the Lease says so once, with the Role, and again after it could', async (_, verbs, missing) => {
    const forbid = () =>
      server.allow('admin', { allow: [{ verbs, apiGroups: ['coordination.k8s.io'], resources: ['leases'] }] });
    forbid();
    const clock = makeClock();
    const first = await startReplica('first', clock);
    await clock.pass(30);
    expect(first.remarks).toEqual([`cluster.forbidden ${missing}`]);
    // In between something else fails, which is another trouble.
    server.faults.add({ when: matches('get leases'), times: 5, do: { status: 503 } });
    await clock.pass(20);
    expect(first.remarks).toEqual([`cluster.forbidden ${missing}`, 'cluster.rejected']);
    server.allow('admin', { allow: 'all' });
    await clock.pass(6);
    expect(first.told).toEqual([true]);
    forbid();
    server.store.remove(ref);
    await clock.pass(16);
    expect(first.remarks.slice(2)).toHaveLength(1);
    expect(first.remarks[2]).toContain('cluster.forbidden');
  });

  test('that another one replaces while it has trouble says who, once that is over', async () => {
    const clock = makeClock();
    await startReplica('first', clock);
    const second = await startReplica('second', clock);
    server.faults.add({ times: 1000, do: { status: 503 } });
    await clock.pass(3);
    server.faults.clear();
    await clock.pass(30);
    expect(second.remarks).toEqual(['waits for first', 'cluster.rejected', 'waits for first']);
  });

  test('ends though the server does not answer', async () => {
    const clock = makeClock();
    const first = await startReplica('first', clock);
    server.faults.add({ times: 1000, do: 'hang' });
    const stopped = first.stop();
    while (server.faults.left === 1000) await new Promise((resolve) => setTimeout(resolve, 5));
    for (let turn = 0; turn < 3; turn++) await clockTick(clock);
    await stopped;
    expect(first.told).toEqual([true, false]);
  });
});

/** Where requests hang there is nothing to wait for. */
async function clockTick(clock: TestClock): Promise<void> {
  void clock.pass(1);
  await new Promise((resolve) => setTimeout(resolve, 20));
}
