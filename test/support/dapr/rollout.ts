import { type Container, hashTemplate, letters, type Manifest, uidOf } from './manifest.ts';

export interface RolloutWishes {
  /** Of all replicas where it is left out; by the workload's name where they differ. */
  readonly ready?: number | Readonly<Record<string, number>>;
  readonly at?: Date;
  /** What the pods that are not ready wait for: `CrashLoopBackOff`, `ContainerCreating`, ... */
  readonly waitingReason?: string;
}

const defaultStart = new Date('2026-11-22T00:54:55Z');

/**
 * What the controllers would make of Deployments and StatefulSets by themselves: their status, the
 * ReplicaSets, the pods. Other objects stay as they are.
 */
export function rollOut(objects: readonly Manifest[], wishes: RolloutWishes = {}): Manifest[] {
  return objects.flatMap((object) => {
    if (!isWorkload(object)) return [object];
    const ready = readyOf(object, wishes);
    const owner = { ...object, metadata: { generation: 1, uid: uidOfObject(object), ...object.metadata } };
    const settled = { ...owner, status: statusOf(owner, ready, timeOf(wishes)) };
    return [
      settled,
      ...(object.kind === 'Deployment' ? [replicaSetOf(owner, ready)] : []),
      ...makePods(owner, ready, wishes),
    ];
  });
}

function isWorkload({ kind }: Manifest): boolean {
  return kind === 'Deployment' || kind === 'StatefulSet';
}

function readyOf({ metadata: { name }, spec }: Manifest, { ready }: RolloutWishes): number {
  const wanted = typeof ready === 'object' ? ready[name] : ready;
  return Math.min(wanted ?? spec.replicas, spec.replicas);
}

function timeOf({ at = defaultStart }: RolloutWishes): string {
  return `${at.toISOString().slice(0, 19)}Z`;
}

function uidOfObject({ kind, metadata: { namespace = '', name, uid } }: Manifest): string {
  return uid ?? uidOf(kind, namespace, name);
}

export function statusOf(workload: Manifest, ready: number, at: string): object {
  const { replicas } = workload.spec;
  const observedGeneration = workload.metadata.generation ?? 1;
  const counts = { replicas, updatedReplicas: replicas, readyReplicas: ready, availableReplicas: ready };
  if (workload.kind === 'StatefulSet') {
    const revision = `${workload.metadata.name}-${hashTemplate(workload.spec.template)}`;
    return {
      ...counts,
      observedGeneration,
      currentReplicas: replicas,
      currentRevision: revision,
      updateRevision: revision,
    };
  }
  const isAvailable = ready === replicas;
  return {
    ...counts,
    observedGeneration,
    ...(isAvailable ? {} : { unavailableReplicas: replicas - ready }),
    conditions: [
      {
        type: 'Progressing',
        status: 'True',
        reason: 'NewReplicaSetAvailable',
        message: `ReplicaSet "${replicaSetName(workload)}" has successfully progressed.`,
        lastTransitionTime: at,
        lastUpdateTime: at,
      },
      {
        type: 'Available',
        status: isAvailable ? 'True' : 'False',
        reason: isAvailable ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
        message: `Deployment ${isAvailable ? 'has' : 'does not have'} minimum availability.`,
        lastTransitionTime: at,
        lastUpdateTime: at,
      },
    ],
  };
}

function replicaSetName({ metadata: { name }, spec }: Manifest): string {
  return `${name}-${hashTemplate(spec.template)}`;
}

export function replicaSetOf(deployment: Manifest, ready: number): Manifest {
  const { namespace = '' } = deployment.metadata;
  const { replicas, selector, template } = deployment.spec;
  const hash = hashTemplate(template);
  const name = replicaSetName(deployment);
  const hashed = { 'pod-template-hash': hash };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name,
      namespace,
      uid: uidOf('ReplicaSet', namespace, name),
      generation: 1,
      labels: { ...template.metadata.labels, ...hashed },
      annotations: { 'deployment.kubernetes.io/revision': '1' },
      ownerReferences: [controlledBy(deployment)],
    },
    spec: {
      replicas,
      selector: { matchLabels: { ...selector.matchLabels, ...hashed } },
      template: { ...template, metadata: { ...template.metadata, labels: { ...template.metadata.labels, ...hashed } } },
    },
    status: { replicas, readyReplicas: ready, availableReplicas: ready, observedGeneration: 1 },
  };
}

function controlledBy(owner: Manifest) {
  const { apiVersion, kind, metadata } = owner;
  return { apiVersion, kind, name: metadata.name, uid: uidOfObject(owner), controller: true, blockOwnerDeletion: true };
}

function makePods(workload: Manifest, ready: number, wishes: RolloutWishes): Manifest[] {
  const { replicas, template } = workload.spec;
  const isStateful = workload.kind === 'StatefulSet';
  const owner = isStateful ? workload : replicaSetOf(workload, ready);
  const revision = isStateful
    ? { 'controller-revision-hash': `${workload.metadata.name}-${hashTemplate(template)}` }
    : { 'pod-template-hash': hashTemplate(template) };
  return Array.from({ length: replicas }, (_, index) =>
    makePod({
      name: `${owner.metadata.name}-${isStateful ? index : letters(`${owner.metadata.uid}/${index}`, 5)}`,
      owner,
      template: {
        ...template,
        metadata: { ...template.metadata, labels: { ...template.metadata.labels, ...revision } },
      },
      isReady: index < ready,
      at: timeOf(wishes),
      waitingReason: wishes.waitingReason ?? 'ContainerCreating',
    }),
  );
}

export interface PodWishes {
  readonly name: string;
  readonly owner: Manifest;
  // biome-ignore lint/suspicious/noExplicitAny: a PodTemplateSpec
  readonly template: any;
  readonly isReady: boolean;
  readonly at: string;
  readonly waitingReason: string;
}

/** A pod of an owner, running; one that is not ready waits for its containers. */
export function makePod({ name, owner, template, isReady, at, waitingReason }: PodWishes): Manifest {
  const { namespace = '' } = owner.metadata;
  const isCrashing = waitingReason === 'CrashLoopBackOff';
  const condition = (type: string, isTrue: boolean) => ({
    type,
    status: isTrue ? 'True' : 'False',
    lastTransitionTime: at,
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...template.metadata,
      name,
      namespace,
      uid: uidOf('Pod', namespace, name),
      creationTimestamp: at,
      ownerReferences: [controlledBy(owner)],
    },
    spec: { ...template.spec, nodeName: 'node-1', restartPolicy: 'Always', schedulerName: 'default-scheduler' },
    status: {
      phase: isReady || isCrashing ? 'Running' : 'Pending',
      conditions: [
        condition('Initialized', true),
        condition('Ready', isReady),
        condition('ContainersReady', isReady),
        condition('PodScheduled', true),
      ],
      containerStatuses: template.spec.containers.map(({ name: container, image }: Container) => ({
        name: container,
        image,
        imageID: '',
        ready: isReady,
        restartCount: isReady ? 0 : isCrashing ? 4 : 0,
        lastState: {},
        state: isReady ? { running: { startedAt: at } } : { waiting: { reason: waitingReason } },
      })),
      startTime: at,
      podIP: '10.0.0.6',
      qosClass: 'BestEffort',
    },
  };
}
