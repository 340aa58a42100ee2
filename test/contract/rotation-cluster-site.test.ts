import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RestartProgress } from '../../src/app/restart/progress.ts';
import { openClusterRotationSite } from '../../src/app/rotate/cluster-site.ts';
import type { RestartRequest, RotationSite } from '../../src/app/rotate/world.ts';
import { parseSentryAddress } from '../../src/cli/sentry-address.ts';
import { shakeHands } from '../../src/cli/sentry-handshake.ts';
import { DaprMtlsError } from '../../src/errors.ts';
import type { Cluster, KubeObject } from '../../src/kube/port.ts';
import { resources } from '../../src/kube/resources.ts';
import type { Clock } from '../../src/kube/rollout/clock.ts';
import { type RollingWorkload, type WorkloadKind, workloadRef } from '../../src/kube/rollout/workload.ts';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { readCertificate } from '../../src/pki/certificate.ts';
import { decodeAsGo } from '../../src/pki/pem.ts';
import type { ApiRequest } from '../support/api-server/request.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { makeBundle } from '../support/bundles.ts';
import { type InjectedOptions, injectedWorkload, injectorOf } from '../support/dapr/injected-pods.ts';
import type { Manifest } from '../support/dapr/manifest.ts';
import { statusOf } from '../support/dapr/rollout.ts';
import { runningControlPlane } from '../support/dapr-control-plane.ts';
import { startSentryServer } from '../support/sentry-server.ts';
import { openClient } from './kube-client.ts';

const system = 'dapr-system';
/** The API server's clock is not that of this machine. */
const offsetMs = -5 * 60_000;
const serverNow = () => new Date(Date.now() + offsetMs);
const longAgo = '2026-11-20T00:00:00Z';

let server: ApiServer;
let cluster: Cluster;
let former: BundleFiles;
let live: BundleFiles;
/** What the injector hands out. */
let handedOut: BundleFiles;

beforeEach(async () => {
  former ??= (await makeBundle({ at: new Date() })).files;
  live ??= (await makeBundle({ at: new Date() })).files;
  handedOut = live;
  server = await startApiServer({ now: serverNow, admit: injectorOf(() => handedOut.anchors.toString()) });
  server.store.put(...(runningControlPlane({ bundle: live }) as KubeObject[]).map(madeLongAgo));
  cluster = await openClient(server.kubeconfig());
  roll();
});
afterEach(async () => {
  cluster.close();
  await server.stop();
});

const neededAnchors = () => decodeAsGo(live.anchors).map(({ der }) => readCertificate(der).fingerprint);

function madeLongAgo(object: KubeObject): KubeObject {
  return object.kind === 'Pod' ? { ...object, metadata: { ...object.metadata, creationTimestamp: longAgo } } : object;
}

function deploy(options: Partial<InjectedOptions> & { readonly name: string }): void {
  const objects = injectedWorkload({ anchors: former.anchors.toString(), ...options });
  server.store.put(...(objects as KubeObject[]).map(madeLongAgo));
}

/** What the controllers and the kubelet do, some time later: pods of the new template in the place of the old. */
function roll(): void {
  server.store.subscribe(({ type, object }) => {
    const workload = object as unknown as RollingWorkload;
    if (type !== 'MODIFIED' || !['Deployment', 'StatefulSet', 'DaemonSet'].includes(workload.kind)) return;
    if (workload.spec?.paused || (workload.metadata.generation ?? 0) <= (workload.status?.observedGeneration ?? 0))
      return;
    setTimeout(() => replacePods(workload), 20);
  });
}

function replacePods({ kind, metadata: { name, namespace = '' } }: RollingWorkload): void {
  const of = ({ metadata }: KubeObject) => metadata.namespace === namespace && metadata.labels?.app === name;
  for (const pod of server.store.objects<Manifest>(resources.pods).filter(of)) {
    server.store.remove({ resource: resources.pods, namespace, name: pod.metadata.name });
    const at = `${serverNow().toISOString().slice(0, 19)}Z`;
    const text = JSON.stringify({
      ...pod,
      metadata: { ...pod.metadata, name: `${pod.metadata.name}x`, uid: undefined },
    })
      .replaceAll(longAgo, at)
      // One's template may hold the variable itself.
      .replaceAll(
        JSON.stringify(former.anchors.toString()),
        JSON.stringify((name === 'fixed' ? former : handedOut).anchors.toString()),
      );
    server.store.put({ ...JSON.parse(text), metadata: { ...JSON.parse(text).metadata, creationTimestamp: at } });
  }
  const ref = workloadRef(kind as WorkloadKind, namespace, name);
  server.store.change<Manifest>(ref, (found) => ({ ...found, status: statusOf(found, found.spec.replicas, longAgo) }));
}

const realClock: Clock = {
  now: () => new Date(),
  sleep: async (ms, signal) => void (await pause(ms, undefined, { signal }).catch(() => {})),
};

/** Goes on by what was slept alone: how late a busy machine wakes, and what it does in between, takes no time. */
function sleptClock(): Clock {
  let nowMs = Date.now();
  const sleep: Clock['sleep'] = async (ms, signal) => {
    await realClock.sleep(ms, signal);
    if (!signal?.aborted) nowMs += ms;
  };
  return { now: () => new Date(nowMs), sleep };
}

interface Wishes {
  readonly clock?: Clock;
  readonly sentry?: string;
  readonly paceMs?: number;
  readonly assertRunning?: () => void;
  readonly onProgress?: (progress: RestartProgress) => void;
}

function open(wishes: Wishes = {}): RotationSite {
  const { clock = realClock, sentry, paceMs = 0, assertRunning = () => {}, onProgress = () => {} } = wishes;
  return openClusterRotationSite(cluster, {
    namespace: system,
    probeNamespace: 'default',
    openAsController: async () => await openClient(server.kubeconfig()),
    shakeHands: (inCluster) =>
      sentry === undefined
        ? Promise.resolve({
            kind: 'unreachable',
            address: `${inCluster.host}:${inCluster.port}`,
            isNamed: false,
            code: 'ENOTFOUND',
            reason: 'not found',
          })
        : shakeHands({ ...parseSentryAddress(sentry), isNamed: true }, 5000),
    clock,
    timeoutMs: 20_000,
    maxParallel: 2,
    paceMs,
    assertRunning,
    onProgress,
  });
}

describe('the world of a cluster', () => {
  test('is every pod with a sidecar that has not ended, those that are going included', async () => {
    deploy({ name: 'checkout', replicas: 2 });
    deploy({ name: 'cart', ownerKind: 'StatefulSet', anchors: live.anchors.toString() });
    deploy({ name: 'going', isTerminating: true, version: '1.16.1' });
    deploy({ name: 'done', ownerKind: 'Job', phase: 'Succeeded' });
    const { sidecars = [] } = await open().gather();
    expect(sidecars.map(({ workload, terminating }) => [workload.kind, workload.name, terminating])).toEqual([
      ['StatefulSet', 'cart', false],
      ['Deployment', 'checkout', false],
      ['Deployment', 'checkout', false],
      ['Deployment', 'going', true],
    ]);
    expect(sidecars.map(({ anchors }) => anchors === live.anchors.toString())).toEqual([true, false, false, false]);
    expect(sidecars.map(({ daprVersion }) => daprVersion)).toEqual(['1.17.13', '1.17.13', '1.17.13', '1.16.1']);
    expect(sidecars.every(({ createdAt }) => createdAt?.toISOString() === '2026-11-20T00:00:00.000Z')).toBe(true);
  });

  test('is every pod of the control plane, by the container that is Dapr’s own', async () => {
    const [pod] = server.store
      .objects<Manifest>(resources.pods)
      .filter(({ metadata }) => metadata.name.includes('operator'));
    const ref = { resource: resources.pods, namespace: system, name: pod?.metadata.name ?? '' };
    server.store.change<Manifest>(ref, (found) => ({
      ...found,
      status: {
        ...found.status,
        containerStatuses: [
          { name: 'mesh', ready: true, state: { running: { startedAt: '2026-11-22T09:00:00Z' } } },
          { ...found.status.containerStatuses[0], state: { running: { startedAt: '2026-11-22T08:00:00Z' } } },
        ],
      },
    }));
    const { services = [] } = await open().gather();
    expect(services.map(({ service }) => service).sort()).toEqual([
      'dapr-operator',
      'dapr-placement-server',
      'dapr-scheduler-server',
      'dapr-scheduler-server',
      'dapr-scheduler-server',
      'dapr-sentry',
      'dapr-sidecar-injector',
    ]);
    const operator = services.find(({ service }) => service === 'dapr-operator');
    expect(operator).toMatchObject({ ready: true, terminating: false, createdAt: new Date(longAgo) });
    expect(operator?.startedAt).toEqual(new Date('2026-11-22T08:00:00Z'));
  });

  test('is what the next pod is given, and what Sentry shows', async () => {
    const sentry = await startSentryServer(live);
    const world = await open({ sentry: sentry.address }).gather();
    await sentry.stop();
    expect(world.handout).toEqual({ kind: 'anchors', pem: live.anchors.toString() });
    expect(world.sentry).toMatchObject({ kind: 'shown' });
    expect(server.store.objects(resources.pods).filter(({ metadata }) => metadata.namespace === 'default')).toEqual([]);
  });

  test('names where Sentry was looked for in vain', async () => {
    const { sentry } = await open().gather();
    expect(sentry).toEqual({
      kind: 'unknown',
      reason: 'Sentry cannot be reached from here (dapr-sentry.dapr-system.svc.cluster.local:443: not found)',
    });
  });

  test('is by the clock of the API server', async () => {
    const site = open();
    const before = serverNow();
    const instant = await site.instant();
    expect(instant.getTime()).toBeGreaterThanOrEqual(before.getTime());
    expect(instant.getTime() - before.getTime()).toBeLessThan(3000);
    const { at } = await site.gather();
    expect(at.getTime()).toBeLessThanOrEqual(serverNow().getTime());
    expect(server.store.objects(resources.configMaps).map(({ metadata }) => metadata.name)).toEqual([
      'dapr-trust-bundle',
    ]);
  });

  test('is by the clock of this machine where that may not be asked, and says so', async () => {
    expect(await open().gather()).not.toHaveProperty('isOwnClock');
    server.allow('admin', { allow: 'all', deny: [{ verb: 'create', resource: 'configmaps' }] });
    const { at, isOwnClock } = await open().gather();
    expect(isOwnClock).toBe(true);
    expect(Math.abs(at.getTime() - Date.now())).toBeLessThan(-offsetMs / 2);
  });

  test('is what its Configuration says of certificates at that moment', async () => {
    const usual = { workloadCertTtlMs: 86_400_000, allowedClockSkewMs: 900_000, hasExternalClients: false };
    expect((await open().gather()).settings).toEqual(usual);
    const ref = { resource: resources.configurations, namespace: system, name: 'daprsystem' };
    const change = (mtls: object) =>
      server.store.change<Manifest>(ref, (found) => ({ ...found, spec: { mtls: { ...found.spec.mtls, ...mtls } } }));
    change({ workloadCertTTL: '1h', allowedClockSkew: '30s', tokenValidators: [{ name: 'jwks' }] });
    expect((await open().gather()).settings).toEqual({
      workloadCertTtlMs: 3_600_000,
      allowedClockSkewMs: 30_000,
      hasExternalClients: true,
    });
    server.allow('admin', { allow: 'all', deny: [{ verb: 'get', resource: 'configurations' }] });
    expect((await open().gather()).settings).toBeUndefined();
  });

  test.each([
    ['create', 'pods'],
    ['get', 'configurations'],
    ['get', 'deployments'],
    ['create', 'configmaps'],
    ['create', 'selfsubjectreviews'],
  ] as const)('is told also to who may not %s %s', async (verb, resource) => {
    deploy({ name: 'checkout' });
    server.allow('admin', { allow: 'all', deny: [{ verb, resource }] });
    const { sidecars, services, handout } = await open().gather();
    expect([sidecars?.length, services?.length]).toEqual([1, 7]);
    expect(handout.kind).toBe(resource === 'pods' ? 'unknown' : 'anchors');
    if (handout.kind === 'unknown') expect(handout.reason).toMatch(/may not create pods/);
  });

  test('is refused to who may not list pods', async () => {
    server.allow('admin', { allow: 'all', deny: [{ verb: 'list', resource: 'pods' }] });
    await expect(open().gather()).rejects.toMatchObject({ code: 'cluster.forbidden' });
  });
});

describe('restarts', () => {
  const isRestart = ({ target, query }: ApiRequest) => target?.verb === 'patch' && !query.has('dryRun');
  const restarts = () => server.requests.filter(isRestart).map(({ target }) => target?.name);
  const request = async (wishes: Partial<RestartRequest>): Promise<RestartRequest> => ({
    phase: 'distribute',
    scopes: ['sentry', 'services', 'applications'],
    since: await open().instant(),
    neededAnchors: [],
    skipped: [],
    ...wishes,
  });
  const all = [
    'dapr-sentry',
    'dapr-sidecar-injector',
    'dapr-operator',
    'dapr-placement-server',
    'dapr-scheduler-server',
  ];

  test('are of Sentry alone, or of the others after it, as asked for', async () => {
    const { restarted } = await open().restart(await request({ scopes: ['sentry'] }));
    expect([restarts(), restarted]).toEqual([['dapr-sentry'], ['deploy/dapr-sentry']]);
    const outcome = await open().restart(await request({ scopes: ['services'] }));
    expect(restarts()).toEqual(all);
    expect(outcome).toMatchObject({ carriedOut: true, remarks: [] });
    expect(outcome.restarted).toHaveLength(4);
  });

  test('go in their order, and a second run finds nothing to do', async () => {
    for (const name of ['a', 'b', 'c']) deploy({ name });
    const asked = await request({});
    const { restarted } = await open().restart(asked);
    expect(restarts().slice(0, 5)).toEqual(all);
    expect(restarts().slice(5).sort()).toEqual(['a', 'b', 'c']);
    expect(restarted).toHaveLength(8);
    expect(await open().restart(asked)).toEqual({ carriedOut: true, restarted: [], remarks: [] });
    expect(restarts()).toHaveLength(8);
    const { sidecars = [], services = [] } = await open().gather();
    expect([...sidecars, ...services].every(({ createdAt }) => createdAt && createdAt >= asked.since)).toBe(true);
    expect(sidecars.every(({ anchors }) => anchors === live.anchors.toString())).toBe(true);
  });

  test.each([1, 3, 5, 6])('that are killed after %i of them go on where they stopped', async (count) => {
    for (const name of ['a', 'b', 'c']) deploy({ name });
    const asked = await request({});
    const assertRunning = () => {
      if (restarts().length >= count) throw new Error('killed');
    };
    await expect(open({ assertRunning }).restart(asked)).rejects.toThrow('killed');
    const before = restarts();
    expect(before.length).toBeGreaterThanOrEqual(count);
    await open().restart(asked);
    expect(restarts()).toHaveLength(8);
    expect(new Set(restarts()).size).toBe(8);
  });

  /** May begin until so many have been restarted. */
  const until = (count: number) => async () => restarts().length < count;

  test.each([0, 1, 3, 5, 6, 7])('end behind %i of them when no more may be begun, and go on later', async (count) => {
    for (const name of ['a', 'b', 'c']) deploy({ name });
    const asked = await request({});
    const seen: RestartProgress[] = [];
    const site = open({ onProgress: (progress) => seen.push(progress) });
    const first = await site.restart({ ...asked, mayBegin: until(count) });
    expect(first).toMatchObject({ carriedOut: false, remarks: [] });
    expect(first.restarted).toHaveLength(restarts().length);
    // Of two applications at a time both may have asked at once.
    expect([0, count > 5 ? 1 : 0]).toContain(restarts().length - count);
    // Who was begun is waited for.
    const back = seen.filter((progress) => progress.kind === 'restarted' && !progress.isBegun);
    expect(back).toHaveLength(first.restarted.length);
    const second = await site.restart(asked);
    expect(second.carriedOut).toBe(true);
    expect([...first.restarted, ...second.restarted]).toHaveLength(8);
    expect(new Set(restarts()).size).toBe(8);
    expect(restarts()).toHaveLength(8);
  });

  test('that stop do not sit the pace of the others out', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) deploy({ name });
    const asked = await request({ scopes: ['applications'] });
    const clock = sleptClock();
    let refusedAt: Date | undefined;
    const mayBegin = async () => {
      const may = await until(1)();
      if (!may) refusedAt ??= clock.now();
      return may;
    };
    const { restarted } = await open({ clock, paceMs: 1500 }).restart({ ...asked, mayBegin });
    expect(restarted).toHaveLength(1);
    expect(clock.now().getTime() - (refusedAt?.getTime() ?? 0)).toBeLessThan(3 * 1500);
  });

  test('begin none any more once another run holds the lock', async () => {
    for (const name of ['a', 'b', 'c']) deploy({ name });
    const asked = await request({ scopes: ['applications'] });
    const lost = new DaprMtlsError('store.locked', { message: 'taken over', hint: 'See who.' });
    let asks = 0;
    const mayBegin = async () => {
      if (++asks > 1) throw lost;
      return true;
    };
    await expect(open().restart({ ...asked, mayBegin })).rejects.toMatchObject({ code: 'store.locked' });
    expect(restarts()).toHaveLength(1);
    // Nobody waits for the one that is under way; the server has to outlive it.
    await pause(100);
  });

  test('leave out who was created since, unless it lacks an anchor', async () => {
    deploy({ name: 'old' });
    const asked = await request({ scopes: ['applications'], neededAnchors: neededAnchors() });
    await pause(1100);
    const young = (name: string, anchors: BundleFiles) =>
      server.store.put(
        ...injectedWorkload({ name, anchors: anchors.anchors.toString() }).map(({ metadata, ...object }) => ({
          ...object,
          metadata: { ...metadata, creationTimestamp: serverNow().toISOString() },
        })),
      );
    young('young', live);
    young('stale', former);
    const { restarted } = await open().restart(asked);
    expect(restarted).toEqual(['deploy/old -n shop', 'deploy/stale -n shop']);
  });

  test('are not begun while the injector would give them the old anchors again', async () => {
    deploy({ name: 'a' });
    handedOut = former;
    const asked = await request({ scopes: ['applications'], neededAnchors: neededAnchors() });
    expect(await open().restart(asked)).toEqual({
      carriedOut: false,
      restarted: [],
      remarks: ['No application was restarted: the injector still gives old anchors to the next pod'],
    });
    handedOut = live;
    expect((await open().restart(asked)).restarted).toEqual(['deploy/a -n shop']);
  });

  test('come once more where new pods lack an anchor all the same, and not for ever', async () => {
    deploy({ name: 'fixed' });
    const site = open();
    const asked = await request({ scopes: ['applications'], neededAnchors: neededAnchors() });
    const rounds = [await site.restart(asked), await site.restart(asked), await site.restart(asked)];
    expect(rounds.map(({ restarted }) => restarted.length)).toEqual([1, 1, 0]);
  });

  test('of who may not be restarted by this user are left to others, and it is said', async () => {
    deploy({ name: 'a' });
    server.allow('admin', { allow: 'all', deny: [{ verb: 'patch', resource: 'deployments', name: 'a' }] });
    const site = open();
    const asked = await request({ scopes: ['applications'] });
    expect(await site.restart(asked)).toMatchObject({
      carriedOut: false,
      restarted: [],
      remarks: [
        'No application was restarted: this user may not patch deployments.apps "a" in namespace "shop" (403). Who may does it: `dapr-mtls restart -k --apps -A`',
      ],
    });
    // Said once, however often the gate is looked at.
    expect((await site.restart(asked)).remarks).toEqual([]);
  });

  test('of a control plane that is done are not gone through again while the gate is waited for', async () => {
    const site = open();
    const asked = await request({ scopes: ['sentry', 'services'] });
    await site.restart(asked);
    const before = server.requests.length;
    await site.restart(asked);
    expect(server.requests.length - before).toBe(1);
  });

  test('leave alone who is to be left alone, and name with a mend who needs a hand', async () => {
    for (const name of ['a', 'skipped', 'paused']) deploy({ name });
    deploy({ name: 'batch', ownerKind: 'Job' });
    deploy({ name: 'bare', ownerKind: 'none' });
    server.store.change<Manifest>(workloadRef('Deployment', 'shop', 'paused'), (found) => ({
      ...found,
      spec: { ...found.spec, paused: true },
    }));
    const asked = await request({ scopes: ['applications'], skipped: ['shop/skipped'] });
    const { restarted, remarks } = await open().restart(asked);
    expect(restarted).toEqual(['deploy/a -n shop']);
    expect(remarks).toEqual([
      'deployment/paused -n shop (1 pod) was not restarted: it is paused; to have it restarted: `kubectl rollout resume deployment/paused -n shop`, then go on',
      'job/batch -n shop (1 pod) was not restarted: a Job does not replace its pods: the next run has the new anchors',
      'pod/bare-0 -n shop (1 pod) was not restarted: nothing re-creates it: delete it, and create it again',
    ]);
  });

  test('keep the pace', async () => {
    for (const name of ['a', 'b', 'c']) deploy({ name });
    const clock = sleptClock();
    const begun: number[] = [];
    const onProgress = ({ kind }: RestartProgress) => void (kind === 'restarting' && begun.push(clock.now().getTime()));
    await open({ clock, paceMs: 400, onProgress }).restart(await request({ scopes: ['applications'] }));
    expect(begun).toHaveLength(3);
    expect((begun[1] ?? 0) - (begun[0] ?? 0)).toBeGreaterThanOrEqual(400);
    expect((begun[2] ?? 0) - (begun[1] ?? 0)).toBeGreaterThanOrEqual(400);
  });

  test('are not begun where Sentry would make a new root', async () => {
    const ref = { resource: resources.configMaps, namespace: system, name: 'dapr-trust-bundle' };
    server.store.change<Manifest>(ref, (found) => ({ ...found, data: { 'ca.crt': former.anchors.toString() } }));
    await expect(open().restart(await request({}))).rejects.toMatchObject({ code: 'store.mismatch' });
    expect(restarts()).toEqual([]);
  });
});
