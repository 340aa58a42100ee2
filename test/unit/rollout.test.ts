import { describe, expect, test } from 'vitest';
import { judgePod } from '../../src/kube/rollout/judge-pod.ts';
import { judgeRollout } from '../../src/kube/rollout/judge-rollout.ts';
import { type ContainerStatus, type RolloutPod, restartedAtAnnotation } from '../../src/kube/rollout/pod.ts';
import { whyNotRestartable } from '../../src/kube/rollout/restart-workload.ts';
import {
  formatSelector,
  nameWorkload,
  type RollingWorkload,
  type RolloutStatus,
  type WorkloadKind,
  workloadRef,
} from '../../src/kube/rollout/workload.ts';

const restartedAt = '2026-11-22T01:04:46.000Z';

function workload(kind: WorkloadKind, spec: RollingWorkload['spec'], status: RolloutStatus): RollingWorkload {
  const template = { metadata: { annotations: { [restartedAtAnnotation]: restartedAt } } };
  return {
    kind,
    metadata: { name: 'dapr-sentry', namespace: 'dapr-system', generation: 2 },
    spec: { template, ...spec },
    status: { observedGeneration: 2, ...status },
  };
}

interface PodWishes {
  readonly name?: string;
  readonly isOld?: boolean;
  readonly container?: Partial<ContainerStatus>;
  readonly init?: ContainerStatus;
  readonly status?: RolloutPod['status'];
  readonly deletionTimestamp?: string;
}

function pod({
  name = 'new-1',
  isOld = false,
  container,
  init,
  status,
  deletionTimestamp,
}: PodWishes = {}): RolloutPod {
  return {
    metadata: {
      name,
      annotations: { [restartedAtAnnotation]: isOld ? '2026-01-01T00:00:00.000Z' : restartedAt },
      ...(deletionTimestamp ? { deletionTimestamp } : {}),
    },
    spec: { nodeName: 'node-1', containers: [{ name: 'app' }] },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'False' }],
      containerStatuses: container ? [{ name: 'app', ready: false, ...container }] : [],
      ...(init ? { initContainerStatuses: [init] } : {}),
      ...status,
    },
  };
}

const crashing = (restartCount: number) => ({
  restartCount,
  state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s restarting failed container' } },
  lastState: { terminated: { exitCode: 1, reason: 'Error' } },
});

describe('a rollout is done when kubectl rollout status says so', () => {
  const rolling = { type: 'RollingUpdate', rollingUpdate: { partition: 0 } };

  test.each<[string, WorkloadKind, RollingWorkload['spec'], RolloutStatus, boolean, string]>([
    [
      'Deployment, all pods new and available',
      'Deployment',
      { replicas: 2 },
      { replicas: 2, updatedReplicas: 2, availableReplicas: 2 },
      true,
      '2 of 2 new pods are available',
    ],
    [
      'Deployment, the change not seen',
      'Deployment',
      { replicas: 2 },
      { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2 },
      false,
      'its controller has not seen the change yet',
    ],
    [
      'Deployment, one pod new',
      'Deployment',
      { replicas: 2 },
      { replicas: 3, updatedReplicas: 1, availableReplicas: 2 },
      false,
      '1 of 2 new pods are made',
    ],
    [
      'Deployment, an old pod left',
      'Deployment',
      { replicas: 2 },
      { replicas: 3, updatedReplicas: 2, availableReplicas: 3 },
      false,
      '1 old pod is still there',
    ],
    [
      'Deployment, two old pods left',
      'Deployment',
      { replicas: 2 },
      { replicas: 4, updatedReplicas: 2, availableReplicas: 3 },
      false,
      '2 old pods are still there',
    ],
    [
      'Deployment, one not available',
      'Deployment',
      { replicas: 2 },
      { replicas: 2, updatedReplicas: 2, availableReplicas: 1 },
      false,
      '1 of 2 new pods are available',
    ],
    [
      'Deployment without a count of replicas',
      'Deployment',
      {},
      { replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
      true,
      '1 of 1 new pods are available',
    ],
    ['Deployment scaled to 0', 'Deployment', { replicas: 0 }, {}, true, '0 of 0 new pods are available'],
    [
      'StatefulSet, all pods new and ready',
      'StatefulSet',
      { replicas: 3, updateStrategy: rolling },
      { readyReplicas: 3, updatedReplicas: 3 },
      true,
      '3 of 3 pods are new',
    ],
    [
      'StatefulSet that its controller has never seen',
      'StatefulSet',
      { replicas: 0, updateStrategy: rolling },
      { observedGeneration: 0 },
      false,
      'its controller has not seen the change yet',
    ],
    [
      'StatefulSet, one pod down',
      'StatefulSet',
      { replicas: 3, updateStrategy: rolling },
      { readyReplicas: 2, updatedReplicas: 1 },
      false,
      '2 of 3 pods are ready, 1 of them new',
    ],
    [
      'StatefulSet, all ready and one new',
      'StatefulSet',
      { replicas: 3, updateStrategy: rolling },
      { readyReplicas: 3, updatedReplicas: 1 },
      false,
      '1 of 3 pods are new',
    ],
    [
      'StatefulSet above its partition',
      'StatefulSet',
      { replicas: 3, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } },
      { readyReplicas: 3, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b' },
      true,
      '1 of 1 pods are new',
    ],
    [
      'StatefulSet with a partition beyond its replicas',
      'StatefulSet',
      { replicas: 1, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 5 } } },
      { readyReplicas: 1 },
      true,
      '0 of 0 pods are new',
    ],
    [
      'StatefulSet without a partition, revisions apart',
      'StatefulSet',
      { replicas: 2, updateStrategy: { type: 'RollingUpdate' } },
      { readyReplicas: 2, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b' },
      false,
      '1 of 2 pods are new',
    ],
    [
      'StatefulSet without a partition, revisions equal',
      'StatefulSet',
      { replicas: 2, updateStrategy: { type: 'RollingUpdate' } },
      { readyReplicas: 2, updatedReplicas: 2, currentRevision: 'b', updateRevision: 'b' },
      true,
      '2 of 2 pods are new',
    ],
    [
      'DaemonSet, all pods new and available',
      'DaemonSet',
      {},
      { desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 3 },
      true,
      '3 of 3 new pods are available',
    ],
    [
      'DaemonSet, one pod old',
      'DaemonSet',
      {},
      { desiredNumberScheduled: 3, updatedNumberScheduled: 2, numberAvailable: 3 },
      false,
      '2 of 3 new pods are made',
    ],
    [
      'DaemonSet, one pod not available',
      'DaemonSet',
      {},
      { desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 2 },
      false,
      '2 of 3 new pods are available',
    ],
  ])('%s', (_, kind, spec, status, done, message) => {
    expect(judgeRollout(workload(kind, spec, status))).toEqual({ done, message, trouble: undefined, stuck: undefined });
  });

  test.each<[WorkloadKind]>([['StatefulSet'], ['DaemonSet']])(
    '%s with OnDelete never rolls, and never may be restarted',
    (kind) => {
      const onDelete = workload(kind, { replicas: 1, updateStrategy: { type: 'OnDelete' } }, { readyReplicas: 1 });
      expect(judgeRollout(onDelete)).toMatchObject({ done: false, stuck: expect.stringContaining('OnDelete') });
      expect(whyNotRestartable(onDelete)).toContain('OnDelete');
    },
  );

  test('a Deployment past its progress deadline is stuck', () => {
    const conditions = [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }];
    const late = workload(
      'Deployment',
      { replicas: 1, progressDeadlineSeconds: 600 },
      { updatedReplicas: 1, conditions },
    );
    expect(judgeRollout(late).stuck).toBe('it exceeded its progress deadline of 600 s');
  });

  test('a Deployment whose pods are refused says why', () => {
    const message = 'pods "x" is forbidden: exceeded quota: small';
    const conditions = [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }];
    const refused = workload('Deployment', { replicas: 2 }, { replicas: 2, conditions });
    expect(judgeRollout(refused)).toMatchObject({ message: `0 of 2 new pods are made (${message})`, stuck: undefined });
  });

  test('a paused Deployment may not be restarted, a running one may', () => {
    expect(whyNotRestartable(workload('Deployment', { paused: true }, {}))).toBe('it is paused');
    expect(whyNotRestartable(workload('Deployment', {}, {}))).toBeUndefined();
    expect(whyNotRestartable(workload('StatefulSet', {}, {}))).toBeUndefined();
  });
});

describe('the reason of a pod that does not come up', () => {
  test.each<[string, PodWishes, string, string]>([
    [
      'one crash',
      { container: crashing(1) },
      'waiting',
      'container app is in CrashLoopBackOff (exit code 1, 1 restart)',
    ],
    [
      'a crash loop',
      { container: crashing(3) },
      'hopeless',
      'container app is in CrashLoopBackOff (exit code 1, 3 restarts)',
    ],
    [
      'too little memory',
      { container: { ...crashing(4), lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } } } },
      'hopeless',
      'container app is in CrashLoopBackOff (OOMKilled, exit code 137, 4 restarts)',
    ],
    [
      'an image that is not there',
      { container: { state: { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "x"' } } } },
      'grave',
      'container app: ImagePullBackOff: Back-off pulling image "x"',
    ],
    [
      'an image that cannot be',
      { container: { state: { waiting: { reason: 'InvalidImageName' } } } },
      'hopeless',
      'container app: InvalidImageName',
    ],
    [
      'a missing Secret',
      { container: { state: { waiting: { reason: 'CreateContainerConfigError', message: 'secret "x" not found' } } } },
      'grave',
      'container app: CreateContainerConfigError: secret "x" not found',
    ],
    ['a probe', { container: { state: { running: {} } } }, 'waiting', 'container app is not ready'],
    [
      'an end just now',
      { container: { restartCount: 0, state: { terminated: { exitCode: 2, reason: 'Error' } } } },
      'waiting',
      'container app ended (exit code 2, 0 restarts)',
    ],
    [
      'an init container',
      { init: { name: 'wait', ...crashing(5) }, container: { state: { waiting: { reason: 'PodInitializing' } } } },
      'hopeless',
      'container wait is in CrashLoopBackOff (exit code 1, 5 restarts)',
    ],
    [
      'an init container that is done',
      {
        init: { name: 'wait', state: { terminated: { exitCode: 0, reason: 'Completed' } } },
        container: { state: { running: {} } },
      },
      'waiting',
      'container app is not ready',
    ],
    [
      'a volume',
      { container: { state: { waiting: { reason: 'ContainerCreating' } } }, status: { phase: 'Pending' } },
      'waiting',
      'Pending on node node-1, not ready',
    ],
    [
      'no node',
      {
        status: {
          phase: 'Pending',
          conditions: [
            { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/2 nodes are\navailable' },
          ],
        },
      },
      'waiting',
      'Pending, Unschedulable: 0/2 nodes are available',
    ],
  ])('%s', (_, wishes, gravity, reason) => {
    expect(judgePod(pod(wishes))).toMatchObject({ pod: 'new-1', gravity, reason });
  });

  test('a message of any length is cut', () => {
    const message = 'x'.repeat(5000);
    const trouble = judgePod(pod({ container: { state: { waiting: { reason: 'ErrImagePull', message } } } }));
    expect(trouble?.reason.length).toBeLessThan(250);
  });

  test.each<[string, PodWishes]>([
    ['ready', { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } }],
    ['going', { container: crashing(9), deletionTimestamp: '2026-11-22T01:05:00Z' }],
    ['failed, and replaced', { container: crashing(9), status: { phase: 'Failed' } }],
  ])('none for one that is %s', (_, wishes) => {
    expect(judgePod(pod(wishes))).toBeUndefined();
  });
});

describe('a stuck rollout', () => {
  const waiting = workload('StatefulSet', { replicas: 2 }, { readyReplicas: 1, updatedReplicas: 1 });

  test('is one whose new pod crashes again and again', () => {
    const verdict = judgeRollout(waiting, [
      pod({ name: 'slow-2', container: { state: { running: {} } } }),
      pod({ container: crashing(3) }),
    ]);
    expect(verdict.stuck).toBe('pod new-1: container app is in CrashLoopBackOff (exit code 1, 3 restarts)');
  });

  test('is not one whose old pod crashes, but that explains it', () => {
    const verdict = judgeRollout(waiting, [pod({ isOld: true, container: crashing(30) })]);
    expect(verdict.stuck).toBeUndefined();
    expect(verdict.trouble).toMatchObject({ gravity: 'waiting', reason: expect.stringContaining('30 restarts') });
  });

  test('is told by its new pods before its old ones', () => {
    const { trouble } = judgeRollout(waiting, [pod({ name: 'old-1', isOld: true, container: crashing(30) }), pod()]);
    expect(trouble?.pod).toBe('new-1');
  });
});

test.each<[Parameters<typeof formatSelector>[0], string | undefined]>([
  [undefined, undefined],
  [{}, undefined],
  [{ matchLabels: { app: 'a', 'x.io/y': '' } }, 'app=a,x.io/y='],
  [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b', 'c'] }] }, 'a in (b,c)'],
  [
    {
      matchLabels: { app: 'a' },
      matchExpressions: [
        { key: 'd', operator: 'NotIn', values: ['e'] },
        { key: 'f', operator: 'Exists' },
        { key: 'g', operator: 'DoesNotExist' },
      ],
    },
    'app=a,d notin (e),f,!g',
  ],
])('the selector %o is asked for as %s', (selector, query) => {
  expect(formatSelector(selector)).toBe(query);
});

test.each<[WorkloadKind, string]>([
  ['Deployment', 'deploy/x'],
  ['StatefulSet', 'statefulsets/x'],
  ['DaemonSet', 'daemonsets/x'],
])('a %s is called as upstream calls it: %s', (kind, name) => {
  expect(nameWorkload(workloadRef(kind, 'ns', 'x'))).toBe(name);
});
