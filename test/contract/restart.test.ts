import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { planApplicationsRestart } from '../../src/app/restart/plan-applications.ts';
import { rehearseControlPlaneRestart } from '../../src/app/restart/plan-control-plane.ts';
import type { RestartProgress } from '../../src/app/restart/progress.ts';
import { carryOutApplications } from '../../src/app/restart/restart-applications.ts';
import { restartControlPlane } from '../../src/app/restart/restart-control-plane.ts';
import type { Cluster, KubeObject } from '../../src/kube/port.ts';
import { resources } from '../../src/kube/resources.ts';
import type { Clock } from '../../src/kube/rollout/clock.ts';
import type { RolloutPod } from '../../src/kube/rollout/pod.ts';
import { waitForRollout } from '../../src/kube/rollout/wait-for-rollout.ts';
import { type RollingWorkload, workloadRef } from '../../src/kube/rollout/workload.ts';
import { type ApiRequest, matches } from '../support/api-server/request.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { makeBundle } from '../support/bundles.ts';
import { injectedPods, injectedWorkload } from '../support/dapr/injected-pods.ts';
import { statusOf } from '../support/dapr/rollout.ts';
import { runningControlPlane } from '../support/dapr-control-plane.ts';
import { openClient } from './kube-client.ts';

const system = 'dapr-system';
const sentry = workloadRef('Deployment', system, 'dapr-sentry');
const { files: bundle } = await makeBundle({ at: new Date() });
const anchors = bundle.anchors.toString();

let server: ApiServer;
let cluster: Cluster;

beforeEach(async () => {
  server = await startApiServer();
  cluster = await openClient(server.kubeconfig());
});
afterEach(async () => {
  cluster.close();
  await server.stop();
});

/** Time that passes only in sleep, and then at once. */
function quickClock(beginMs = 0): Clock & { readonly elapsedMs: () => number } {
  let elapsedMs = 0;
  return {
    now: () => new Date(beginMs + elapsedMs),
    elapsedMs: () => elapsedMs,
    sleep: async (ms) => {
      elapsedMs += ms;
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

const realClock: Clock = {
  now: () => new Date(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      const wake = () => {
        clearTimeout(timer);
        resolve();
      };
      signal?.addEventListener('abort', wake);
      if (signal?.aborted) wake();
    }),
};

const running = { assertRunning: () => {} };
const install = () => server.store.put(...(runningControlPlane({ bundle }) as KubeObject[]));

const isWorkload = ({ kind }: { kind?: string | undefined }) => kind === 'Deployment' || kind === 'StatefulSet';

/** The status of a workload all of whose pods are of the current template and available. */
function settled(workload: KubeObject): object {
  const whole = workload as Parameters<typeof statusOf>[0];
  return { ...workload, status: statusOf(whole, whole.spec.replicas, '2026-11-22T00:54:55Z') };
}

/** What the controllers do when a template changes, some time later. */
function rollEverything(afterMs = 10): void {
  server.store.subscribe(({ type, object }) => {
    const workload = object as unknown as RollingWorkload;
    const observed = workload.status?.observedGeneration ?? 0;
    if (type !== 'MODIFIED' || !isWorkload(workload) || (workload.metadata.generation ?? 0) <= observed) return;
    const { name, namespace = '' } = workload.metadata;
    setTimeout(() => server.store.change<KubeObject>(workloadRef(workload.kind, namespace, name), settled), afterMs);
  });
}

/** Sentry with one new pod that is not available. */
function beginRollout(pod: Partial<RolloutPod['status']> = {}): void {
  install();
  server.store.change<RollingWorkload>(sentry, (workload) => ({
    ...workload,
    status: { ...workload.status, observedGeneration: workload.metadata.generation, availableReplicas: 0 },
  }));
  const [first] = server.store
    .objects<RolloutPod>(resources.pods)
    .filter(({ metadata }) => metadata.name.includes('sentry'));
  const ref = { resource: resources.pods, namespace: system, name: first?.metadata.name ?? '' };
  server.store.change<RolloutPod>(ref, (object) => ({
    ...object,
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'False' }], ...pod },
  }));
}

const waitingFor = (reason: string, message?: string) => ({
  containerStatuses: [
    {
      name: 'dapr-sentry',
      ready: false,
      restartCount: 0,
      state: { waiting: { reason, ...(message ? { message } : {}) } },
    },
  ],
});

describe('waiting for a rollout', () => {
  test('ends as soon as the watch tells of it', async () => {
    beginRollout();
    // Whoever looks without a watch sleeps until this test is over.
    const sleepy: Clock = { ...realClock, sleep: (_, signal) => realClock.sleep(3_600_000, signal) };
    const end = waitForRollout(cluster, sentry, {
      clock: sleepy,
      deadline: new Date(Date.now() + 3_600_000),
      ...running,
    });
    while (server.watches.count === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    server.store.change<KubeObject>(sentry, settled);
    expect(await end).toMatchObject({ kind: 'done' });
  });

  test('asks for the workload now and then only, however often it changes', async () => {
    beginRollout();
    const begun = performance.now();
    const messages: string[] = [];
    const end = waitForRollout(cluster, sentry, {
      clock: realClock,
      deadline: new Date(Date.now() + 60_000),
      ...running,
      onWait: (message) => void messages.push(message),
    });
    const told = async (count: number) => {
      while (messages.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    while (server.watches.count === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    for (let count = 1; count <= 30; count++) {
      server.store.change<RollingWorkload>(sentry, ({ status, ...workload }) => ({
        ...workload,
        status: { ...status, replicas: 1 + count },
      }));
      // Two that come at once are one for who looks.
      await Promise.race([told(count), realClock.sleep(500)]);
    }
    server.store.change<KubeObject>(sentry, settled);
    expect((await end).kind).toBe('done');
    // Each change was seen all the same.
    expect(messages.length).toBeGreaterThan(20);
    const asked = server.requests.filter((request) => matches('get deployments')(request)).length;
    expect(asked).toBeLessThanOrEqual(1 + Math.floor((performance.now() - begun) / 2000));
  });

  test('looks every two seconds where a watch has gone silent', async () => {
    beginRollout();
    server.faults.add({ when: matches('watch deployments'), times: 9, do: 'hang' });
    const clock = quickClock();
    let looks = 0;
    server.onRequest(({ target }) => {
      if (target?.verb === 'get' && ++looks === 4) server.store.change<KubeObject>(sentry, settled);
    });
    const end = await waitForRollout(cluster, sentry, { clock, deadline: new Date(3_600_000), ...running });
    expect(end.kind).toBe('done');
    expect(looks).toBe(4);
  });

  test('is not led astray by one that goes and comes again', async () => {
    beginRollout();
    const end = waitForRollout(cluster, sentry, {
      clock: realClock,
      deadline: new Date(Date.now() + 60_000),
      ...running,
    });
    while (server.watches.count === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const [object] = server.store
      .objects<KubeObject>(resources.deployments)
      .filter(({ metadata }) => metadata.name === 'dapr-sentry');
    if (!object) throw new Error('there is no Sentry');
    const { uid: _uid, resourceVersion: _version, ...metadata } = object.metadata;
    server.store.remove(sentry);
    server.store.put({ ...object, metadata });
    server.store.change<KubeObject>(sentry, settled);
    expect((await end).kind).toBe('done');
  });

  test('leaves no watch behind', async () => {
    install();
    await waitForRollout(cluster, sentry, { clock: realClock, deadline: new Date(Date.now() + 60_000), ...running });
    await expect.poll(() => server.watches.count).toBe(0);
  });

  test('looks every two seconds where watches are refused', async () => {
    beginRollout();
    server.allow('admin', {
      allow: 'all',
      deny: [
        { verb: 'watch', resource: 'deployments' },
        { verb: 'list', resource: 'deployments' },
      ],
    });
    const clock = quickClock();
    let looks = 0;
    server.onRequest(({ target }) => {
      if (target?.verb === 'get' && ++looks === 5) server.store.change<KubeObject>(sentry, settled);
    });
    const end = await waitForRollout(cluster, sentry, { clock, deadline: new Date(60_000), ...running });
    expect(end.kind).toBe('done');
    expect(clock.elapsedMs()).toBe(8000);
  });

  test('waits for an API server that is away', async () => {
    beginRollout();
    const messages: string[] = [];
    const clock = quickClock();
    server.faults.add({ when: matches('get deployments'), times: 40, do: 'reset' });
    const end = waitForRollout(cluster, sentry, {
      clock,
      deadline: new Date(3_600_000),
      ...running,
      onWait: (message) => {
        messages.push(message);
        if (messages.length === 1) server.faults.clear();
        else server.store.change<KubeObject>(sentry, settled);
      },
    });
    expect((await end).kind).toBe('done');
    expect(messages[0]).toBe('the API server does not answer');
  });

  test('a refusal is no outage', async () => {
    install();
    server.allow('admin', { allow: 'all', deny: [{ verb: 'get', resource: 'deployments' }] });
    const end = waitForRollout(cluster, sentry, { clock: quickClock(), deadline: new Date(60_000), ...running });
    await expect(end).rejects.toMatchObject({ code: 'cluster.forbidden' });
  });

  test('gives up on a workload that is deleted', async () => {
    beginRollout();
    const onWait = () => server.store.remove(sentry);
    const end = await waitForRollout(cluster, sentry, {
      clock: quickClock(),
      deadline: new Date(60_000),
      ...running,
      onWait,
    });
    expect(end).toEqual({ kind: 'failed', reason: 'somebody has deleted it' });
  });

  test('a missing image is given a minute, and no more', async () => {
    beginRollout(waitingFor('ImagePullBackOff', 'Back-off pulling image "x"'));
    const clock = quickClock();
    const end = await waitForRollout(cluster, sentry, { clock, deadline: new Date(3_600_000), ...running });
    expect(end).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/^pod dapr-sentry-\S+: container dapr-sentry: ImagePullBackOff: /),
    });
    expect(clock.elapsedMs()).toBe(62_000);
  });

  test('ends at the deadline, and tells what the events say', async () => {
    beginRollout(waitingFor('ContainerCreating'));
    const pod = server.store
      .objects<RolloutPod>(resources.pods)
      .find(({ metadata }) => metadata.name.includes('sentry'));
    const event = (name: string, second: number, message: string, type = 'Warning') => ({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: system },
      type,
      reason: 'FailedMount',
      message,
      lastTimestamp: `2026-11-22T01:00:0${second}Z`,
      involvedObject: { kind: 'Pod', name: pod?.metadata.name },
    });
    server.store.put(
      event('a', 1, 'older'),
      event('b', 3, 'configmap "dapr-trust-bundle" not found'),
      event('c', 5, 'fine', 'Normal'),
    );
    const clock = quickClock();
    const end = await waitForRollout(cluster, sentry, { clock, deadline: new Date(5000), ...running });
    expect(end).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(
        /^it took too long: 0 of 1 new pods are available; pod .*, not ready; FailedMount: configmap "dapr-trust-bundle" not found$/,
      ),
    });
    expect(clock.elapsedMs()).toBe(5000);
  });

  test.each(['pods', 'events'])('who may not list %s still learns that it took too long', async (resource) => {
    beginRollout(waitingFor('ContainerCreating'));
    server.allow('admin', { allow: 'all', deny: [{ verb: 'list', resource }] });
    const end = await waitForRollout(cluster, sentry, { clock: quickClock(), deadline: new Date(5000), ...running });
    expect(end).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('it took too long: 0 of 1 new pods are available'),
    });
  });

  test('ends when the run is stopped', async () => {
    beginRollout();
    const stop = new Error('stopped');
    let looks = 0;
    const assertRunning = () => {
      if (++looks > 3) throw stop;
    };
    const end = waitForRollout(cluster, sentry, { clock: quickClock(), deadline: new Date(3_600_000), assertRunning });
    await expect(end).rejects.toBe(stop);
    await expect.poll(() => server.watches.count).toBe(0);
  });
});

describe('the control plane', () => {
  const options = () => {
    const progress: RestartProgress[] = [];
    const onProgress = (event: RestartProgress) => progress.push(event);
    return { namespace: system, timeoutMs: 20_000, clock: realClock, ...running, onProgress, progress };
  };
  const patches = () => server.requests.filter(({ target }) => target?.verb === 'patch');
  const isRehearsal = ({ query }: ApiRequest) => query.get('dryRun') === 'All';
  const namesOf = (requests: readonly ApiRequest[]) => requests.map(({ target }) => target?.name);
  const all = [
    'dapr-sentry',
    'dapr-sidecar-injector',
    'dapr-operator',
    'dapr-placement-server',
    'dapr-scheduler-server',
  ];

  test('is rehearsed whole before the first restart', async () => {
    install();
    rollEverything();
    await restartControlPlane(cluster, options());
    expect(patches().slice(0, 5).every(isRehearsal)).toBe(true);
    expect(namesOf(patches().slice(0, 5)).sort()).toEqual([...all].sort());
    expect(namesOf(patches().slice(5))).toEqual(all);
    expect(patches().slice(5).some(isRehearsal)).toBe(false);
    expect(patches().every(({ headers }) => headers['content-type'] === 'application/strategic-merge-patch+json')).toBe(
      true,
    );
  });

  test('is restarted although an admission webhook does not know dry runs', async () => {
    install();
    rollEverything();
    server.faults.add({ when: isRehearsal, times: 5, do: { status: 400 } });
    expect((await restartControlPlane(cluster, options())).outcome).toBe('restarted');
  });

  test.each([
    [
      '1.11.6',
      [
        'deploy/dapr-sentry',
        'deploy/dapr-sidecar-injector',
        'deploy/dapr-operator',
        'statefulsets/dapr-placement-server',
      ],
    ],
    [
      '1.9.6',
      [
        'deploy/dapr-sentry',
        'deploy/dapr-sidecar-injector',
        'deploy/dapr-operator',
        'statefulsets/dapr-placement-server',
      ],
    ],
    [
      '1.18.3',
      [
        'deploy/dapr-sentry',
        'deploy/dapr-sidecar-injector',
        'deploy/dapr-operator',
        'statefulsets/dapr-placement-server',
        'statefulsets/dapr-scheduler-server',
      ],
    ],
  ])('of Dapr %s is what that version has', async (version, workloads) => {
    server.store.put(...(runningControlPlane({ version, bundle }) as KubeObject[]));
    rollEverything();
    const { progress, ...rest } = options();
    await restartControlPlane(cluster, rest);
    expect(progress.flatMap((event) => (event.kind === 'restarted' ? event.workload : []))).toEqual(workloads);
    expect(progress.filter(({ kind }) => kind === 'remark')).toEqual([]);
  });

  test('of a Sentry with other file names is compared under these', async () => {
    const issuerFilenames = { ca: 'root.pem', cert: 'tls.crt', key: 'tls.key' };
    server.store.put(...(runningControlPlane({ issuerFilenames, bundle }) as KubeObject[]));
    rollEverything();
    expect((await restartControlPlane(cluster, options())).outcome).toBe('restarted');
  });

  test('the time is one for all of it', async () => {
    install();
    const clock = quickClock(Date.now());
    // Each service would come back in half of the time, and three of them do not fit into it.
    const begun = new Map<string, number>();
    server.onRequest(({ target }) => {
      if (target?.verb !== 'get' || !begun.has(target.name)) return;
      if (clock.elapsedMs() - (begun.get(target.name) ?? 0) < 10_000) return;
      begun.delete(target.name);
      const kind = target.kind.plural === 'statefulsets' ? 'StatefulSet' : 'Deployment';
      server.store.change<KubeObject>(workloadRef(kind, system, target.name), settled);
    });
    server.onRequest((request) => {
      if (request.target?.verb === 'patch' && !isRehearsal(request)) begun.set(request.target.name, clock.elapsedMs());
    });
    const restart = restartControlPlane(cluster, { ...options(), clock, timeoutMs: 25_000 });
    await expect(restart).rejects.toMatchObject({
      code: 'rollout.failed',
      message: expect.stringMatching(
        /^deploy\/dapr-operator did not come back: it took too long: .*; restarted: deploy\/dapr-sentry, deploy\/dapr-sidecar-injector; under way: deploy\/dapr-operator; not restarted: statefulsets\/dapr-placement-server, statefulsets\/dapr-scheduler-server$/,
      ),
    });
    expect(clock.elapsedMs()).toBe(25_000);
  });

  test('a failed request tells what is done, too', async () => {
    install();
    rollEverything();
    const isOperator = (request: ApiRequest) =>
      matches('patch deployments dapr-operator')(request) && !isRehearsal(request);
    server.faults.add({ when: isOperator, times: 10, do: { status: 500 } });
    await expect(restartControlPlane(cluster, options())).rejects.toMatchObject({
      code: expect.stringMatching(/^cluster\./),
      message: expect.stringContaining(
        'restarted: deploy/dapr-sentry, deploy/dapr-sidecar-injector; under way: deploy/dapr-operator; not restarted:',
      ),
    });
  });

  test('without a webhook goes on, and says what that means', async () => {
    install();
    rollEverything();
    server.store.remove({ resource: resources.mutatingWebhooks, name: 'dapr-sidecar-injector' });
    const { remarks, outcome } = await restartControlPlane(cluster, options());
    expect(outcome).toBe('restarted');
    expect(remarks).toEqual(['There is no webhook dapr-sidecar-injector: new pods get no sidecar']);
  });

  test('is left alone while Sentry would refuse its bundle, and may be rehearsed for another one', async () => {
    const clock = quickClock(Date.now() + 366 * 86_400_000);
    install();
    const failure = await restartControlPlane(cluster, { ...options(), clock }).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'trust.refused',
      message: expect.stringMatching(/and does not come back: .*expired.*; nothing was restarted$/),
    });
    expect(patches()).toEqual([]);
    await rehearseControlPlaneRestart(cluster, system);
    expect(patches()).toHaveLength(5);
    expect(patches().every(isRehearsal)).toBe(true);
  });

  test('the key of the bundle is in no message', async () => {
    install();
    const ref = { resource: resources.secrets, namespace: system, name: 'dapr-trust-bundle' };
    server.store.change<KubeObject & { data: object }>(ref, (secret) => ({
      ...secret,
      data: { ...secret.data, 'issuer.crt': '' },
    }));
    const { data } = server.store.get<KubeObject & { data: Record<string, string> }>(ref) as {
      data: Record<string, string>;
    };
    const failure = await restartControlPlane(cluster, options()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'store.missing' });
    expect(JSON.stringify([String(failure), failure])).not.toContain(data['issuer.key']);
    expect(patches()).toEqual([]);
  });
});

describe('applications', () => {
  const wish = { controlPlaneNamespace: system, namespace: undefined, only: [] };
  const carryOut = { clock: realClock, timeoutMs: undefined, ...running, onProgress: () => {} };

  test('are read and rehearsed by at most eight requests at a time', async () => {
    install();
    for (let index = 0; index < 40; index++) {
      server.store.put(...(injectedWorkload({ anchors, name: `app-${index}` }) as KubeObject[]));
    }
    server.faults.add({ when: ({ target }) => target?.kind.plural === 'deployments', times: 200, do: { delayMs: 5 } });
    let most = 0;
    server.onRequest(() => {
      most = Math.max(most, server.requests.filter(({ code }) => code === undefined).length);
    });
    const plan = await planApplicationsRestart(cluster, wish);
    expect(plan.due).toHaveLength(40);
    expect(most).toBe(8);
  });

  test('no more of them are under way than was asked for', async () => {
    install();
    rollEverything(30);
    for (let index = 0; index < 9; index++) {
      server.store.put(...(injectedWorkload({ anchors, name: `app-${index}` }) as KubeObject[]));
    }
    const underWay = new Set<string>();
    const counts: number[] = [];
    const onProgress = (event: RestartProgress) => {
      if (event.kind === 'restarting') underWay.add(event.workload);
      if (event.kind === 'restarted') underWay.delete(event.workload);
      counts.push(underWay.size);
    };
    const plan = await planApplicationsRestart(cluster, wish);
    const { workloads } = await carryOutApplications(cluster, plan, { ...carryOut, onProgress, maxParallel: 3 });
    expect(workloads.map(({ action }) => action)).toEqual(Array(9).fill('restarted'));
    expect(Math.max(...counts)).toBe(3);
  });

  test('with one that fails the others under way are given up, and the rest is not begun', async () => {
    install();
    for (const name of ['a', 'b', 'c', 'd']) server.store.put(...(injectedWorkload({ anchors, name }) as KubeObject[]));
    // b is deleted while it rolls; a never comes back by itself.
    server.onRequest(({ target, query }) => {
      if (target?.verb === 'patch' && target.name === 'b' && !query.has('dryRun')) {
        setTimeout(() => server.store.remove(workloadRef('Deployment', 'shop', 'b')), 50);
      }
    });
    const plan = await planApplicationsRestart(cluster, wish);
    const restart = carryOutApplications(cluster, plan, { ...carryOut, maxParallel: 2 });
    await expect(restart).rejects.toMatchObject({
      message:
        'deploy/b -n shop did not come back: somebody has deleted it; under way: deploy/a -n shop, deploy/b -n shop; not restarted: deploy/c -n shop, deploy/d -n shop',
    });
  });

  test('are left alone while the pods that come would get a bundle of two roots, or one that has ended', async () => {
    install();
    server.store.put(...(injectedWorkload({ anchors }) as KubeObject[]));
    const now = new Date();
    const plan = (startsAt: Date) => planApplicationsRestart(cluster, { ...wish, startsAt });
    expect(await plan(now)).toMatchObject({ due: [{ ref: { name: 'checkout' } }], remarks: [] });
    await expect(plan(new Date(now.getTime() + 366 * 86_400_000))).rejects.toMatchObject({ code: 'trust.refused' });
    const ref = { resource: resources.configMaps, namespace: system, name: 'dapr-trust-bundle' };
    server.store.change<KubeObject & { data: object }>(ref, (found) => ({ ...found, data: { 'ca.crt': 'another' } }));
    await expect(plan(now)).rejects.toMatchObject({ code: 'store.mismatch' });
    server.allow('admin', { allow: 'all', deny: [{ verb: 'get', resource: 'secrets' }] });
    const { due, remarks } = await plan(now);
    expect(due).toHaveLength(1);
    expect(remarks).toEqual([
      expect.stringMatching(/^Not checked whether Sentry accepts the bundle, and whether .*403/),
    ]);
  });

  test('of an old Dapr are found without the label that it did not have', async () => {
    server.store.put(...(runningControlPlane({ version: '1.9.6', bundle }) as KubeObject[]));
    server.store.put(...(injectedWorkload({ anchors, version: '1.9.6' }) as KubeObject[]));
    const { due } = await planApplicationsRestart(cluster, wish);
    expect(due.map(({ ref }) => ref.name)).toEqual(['checkout']);
  });

  test('whose owners are not there, or are others, need a hand', async () => {
    install();
    const ownerKinds = ['Deployment', 'Rollout', 'Job', 'none'] as const;
    server.store.put(
      ...injectedPods({ anchors, count: 4, replicas: 1, ownerKinds }).map((pod) => labelAsRollout(pod as KubeObject)),
    );
    const { due, left } = await planApplicationsRestart(cluster, wish);
    expect(due).toEqual([]);
    expect(left.map(({ kind, action }) => [kind, action])).toEqual([
      ['Deployment', 'by-hand'],
      ['Job', 'by-hand'],
      ['Pod', 'by-hand'],
      ['Rollout', 'by-hand'],
    ]);
  });
});

/** Argo's controller labels the pods of its ReplicaSets as a Deployment's does, under a name of its own. */
function labelAsRollout({ metadata, ...pod }: KubeObject): KubeObject {
  const [owner] = metadata.ownerReferences ?? [];
  if (owner?.kind !== 'ReplicaSet' || metadata.labels?.['pod-template-hash']) return { ...pod, metadata };
  const hash = owner.name.slice(owner.name.lastIndexOf('-') + 1);
  return { ...pod, metadata: { ...metadata, labels: { ...metadata.labels, 'rollouts-pod-template-hash': hash } } };
}
