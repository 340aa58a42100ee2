import { describe, expect, test } from 'vitest';
import { judgeServices, type ServiceStatus } from '../../src/app/status/judge.ts';
import { exitCodeOfStatus, reportStatus, statusRemarks } from '../../src/app/status/report.ts';
import { renderStatus } from '../../src/render/status.ts';
import {
  deployment,
  expiryFarOff,
  namespaceHolding,
  pod,
  replicaSet,
  statefulSet,
  statusInstant,
} from '../support/status-objects.ts';

const judge = (...parameters: Parameters<typeof namespaceHolding>) =>
  judgeServices(namespaceHolding(...parameters), statusInstant);
const sentryOf = (services: readonly ServiceStatus[]) => services.find(({ name }) => name === 'dapr-sentry');
const operator = deployment('dapr-operator', { replicas: 0 });

describe('a Deployment', () => {
  const waiting = { state: { waiting: { reason: 'CrashLoopBackOff' } } };

  test.each<[string, Parameters<typeof namespaceHolding>[0], Partial<ServiceStatus>]>([
    [
      'with all its pods ready',
      { pods: [pod('dapr-sentry', { hash: 'new' })] },
      { healthy: true, status: 'Running', replicas: 1, readyReplicas: 1, version: '1.17.13' },
    ],
    [
      'whose container runs and is not ready',
      { pods: [pod('dapr-sentry', { hash: 'new', ready: false })] },
      { healthy: false, status: 'Running', replicas: 1, readyReplicas: 0 },
    ],
    [
      'whose new pod crashes while the old one is ready',
      {
        replicaSets: [replicaSet('dapr-sentry', 'old', 9), replicaSet('dapr-sentry', 'new', 10)],
        pods: [
          pod('dapr-sentry', { hash: 'old', version: '1.16.2' }),
          pod('dapr-sentry', { hash: 'new', ready: false, ...waiting }),
        ],
      },
      { healthy: false, status: 'Waiting (CrashLoopBackOff)', replicas: 2, readyReplicas: 0, version: '1.17.13' },
    ],
    [
      'whose new ReplicaSet has no pods yet',
      {
        replicaSets: [replicaSet('dapr-sentry', 'new', 10), replicaSet('dapr-sentry', 'old', 9)],
        pods: [pod('dapr-sentry', { hash: 'old', version: '1.16.2' })],
      },
      { healthy: false, status: 'No pods', replicas: 1, readyReplicas: 0, version: '1.16.2' },
    ],
    [
      'whose pods ended or are being deleted',
      {
        pods: [
          pod('dapr-sentry', { hash: 'new', phase: 'Failed' }),
          pod('dapr-sentry', { hash: 'new', isTerminating: true }),
        ],
      },
      { healthy: false, status: 'No pods', replicas: 0, ageSeconds: null, created: null },
    ],
    [
      'whose pod has no node yet',
      { pods: [pod('dapr-sentry', { hash: 'new', phase: 'Pending', ready: false, state: null })] },
      { healthy: false, status: 'Pending' },
    ],
    [
      'in which a mesh comes first and is not ready',
      { pods: [pod('dapr-sentry', { hash: 'new', ready: false, mesh: true })] },
      { healthy: false, status: 'Running', version: '1.17.13' },
    ],
    [
      'whose container has ended',
      { pods: [pod('dapr-sentry', { hash: 'new', ready: false, state: { terminated: {} } })] },
      { healthy: false, status: 'Terminated' },
    ],
  ])('%s', (_, objects, expected) => {
    const workloads = [deployment('dapr-sentry', { replicas: 1 }), operator];
    const replicaSets = [replicaSet('dapr-sentry', 'new', 1)];
    expect(sentryOf(judge({ workloads, replicaSets, ...objects }))).toMatchObject(expected);
  });

  test('is healthy only with as many ready pods as are asked for', () => {
    const workloads = [deployment('dapr-sentry', { replicas: 3 }), operator];
    const replicaSets = [replicaSet('dapr-sentry', 'new', 1)];
    const two = [pod('dapr-sentry', { hash: 'new' }), pod('dapr-sentry', { hash: 'new' })];
    expect(sentryOf(judge({ workloads, replicaSets, pods: two }))).toMatchObject({ healthy: false, readyReplicas: 2 });
    const three = [...two, pod('dapr-sentry', { hash: 'new' })];
    expect(sentryOf(judge({ workloads, replicaSets, pods: three }))).toMatchObject({ healthy: true, replicas: 3 });
  });

  test('scaled to 0 lacks nothing, and shows the version that it would have', () => {
    const workloads = [deployment('dapr-sentry', { replicas: 0 }), operator];
    expect(sentryOf(judge({ workloads }))).toMatchObject({
      healthy: true,
      status: 'Scaled to 0',
      replicas: 0,
      version: '1.17.13',
      ageSeconds: null,
    });
  });

  test('of another name with the same pods does not decide', () => {
    const foreign = { ...replicaSet('dapr-sentry', 'foreign', 99), metadata: { name: 'foreign', ownerReferences: [] } };
    const objects = {
      workloads: [deployment('dapr-sentry', { replicas: 1 }), operator],
      replicaSets: [foreign, replicaSet('dapr-sentry', 'new', 1)],
      pods: [pod('dapr-sentry', { hash: 'new' })],
    };
    expect(sentryOf(judge(objects))).toMatchObject({ healthy: true });
  });
});

test('a StatefulSet is judged by the pods of its update revision', () => {
  const name = 'dapr-placement-server';
  const workloads = [deployment('dapr-sentry', { replicas: 0 }), operator, statefulSet(name, 3, 'rev-2')];
  const pods = ['rev-2', 'rev-1', 'rev-1'].map((revision) => pod(name, { revision }));
  const placement = judge({ workloads, pods }).find((service) => service.name === name);
  expect(placement).toMatchObject({ healthy: false, replicas: 3, readyReplicas: 1, desiredReplicas: 3 });
});

describe('the services', () => {
  test('come in a fixed order, those that may be left out only where they are', () => {
    const workloads = ['dapr-dashboard', 'dapr-operator', 'dapr-sentry', 'dapr-sidecar-injector'].map((name) =>
      deployment(name, { replicas: 0 }),
    );
    expect(judge({ workloads }).map(({ name }) => name)).toEqual([
      'dapr-sentry',
      'dapr-sidecar-injector',
      'dapr-operator',
      'dapr-dashboard',
    ]);
  });

  test('without which there is no control plane are missed', () => {
    const workloads = [deployment('dapr-sentry', { replicas: 0 })];
    expect(judge({ workloads }).find(({ name }) => name === 'dapr-operator')).toMatchObject({
      healthy: false,
      status: 'Missing',
      version: null,
    });
  });

  test('are judged by their pods alone where workloads may not be read', () => {
    const old = pod('dapr-sentry', { hash: 'old', created: '2026-11-30T00:00:00Z' });
    const fresh = pod('dapr-sentry', { hash: 'new', created: '2026-12-01T00:00:00Z', ready: false });
    const objects = { workloads: undefined, replicaSets: undefined };
    const sentry = sentryOf(judge({ ...objects, pods: [old, fresh] }));
    expect(sentry).toMatchObject({ healthy: false, desiredReplicas: null, readyReplicas: 0, replicas: 2 });
    const alone = sentryOf(judge({ ...objects, pods: [old] }));
    expect(alone).toMatchObject({ healthy: true, desiredReplicas: null });
  });
});

describe('the report', () => {
  const address = { context: 'kind', server: 'https://127.0.0.1:6443', namespace: undefined };
  const reportOf = (...parameters: Parameters<typeof namespaceHolding>) =>
    reportStatus(namespaceHolding(...parameters), address, statusInstant);
  const sick = {
    workloads: [deployment('dapr-sentry', { replicas: 2 }), operator],
    pods: [pod('dapr-sentry', { hash: 'new' })],
    replicaSets: [replicaSet('dapr-sentry', 'new', 1)],
  };
  const sound = { ...sick, workloads: [deployment('dapr-sentry', { replicas: 1 }), operator] };

  test('says of a sick service how many pods are ready, and what was not read', () => {
    const report = reportOf({ ...sick, refusals: ['may not list replicasets'] });
    expect(statusRemarks(report)).toEqual([
      'dapr-sentry: 1 of 2 pods of the current revision are ready',
      'Not checked: may not list replicasets',
    ]);
  });

  test.each([
    ['sick', sick, 'valid', [0, 10, 10]],
    ['sound', sound, 'valid', [0, 0, 0]],
    ['sound, root ends soon', sound, 'expiring', [0, 10, 0]],
    ['sound, root has expired', sound, 'expired', [0, 10, 10]],
  ] as const)('leads to the exit code asked for: %s', (_, objects, status, codes) => {
    const report = { ...reportOf(objects), expiry: expiryFarOff({ root: { status } }) };
    expect((['never', 'warning', 'error'] as const).map((failOn) => exitCodeOfStatus(report, failOn))).toEqual(codes);
  });

  test('shows no control character of a stranger', () => {
    const pods = [pod('dapr-sentry', { hash: 'new', state: { waiting: { reason: '\u001b[2J' } } })];
    expect(renderStatus(reportOf({ ...sick, pods }), () => 0)).toContain('Waiting (\\u001b[2J)');
  });
});
