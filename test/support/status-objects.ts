import type { ExpiryGlance } from '../../src/app/banner.ts';
import type { StatusObjects } from '../../src/app/status/gather.ts';
import type { ContainerStatus, ControlPlanePod, Workload } from '../../src/kube/dapr/objects.ts';
import type { KubeObject } from '../../src/kube/port.ts';

/** What an API server tells of a control plane, as little of it as `status` reads. */

export const statusInstant = new Date('2026-12-01T12:00:00Z');

const labelled = (name: string) => ({ name, namespace: 'dapr-system', labels: { app: name } });
const containersOf = (name: string, version: string, mesh = false) => [
  ...(mesh ? [{ name: 'istio-proxy', image: 'docker.io/istio/proxyv2:1.24.1' }] : []),
  { name, image: `registry.example:5000/dapr/${name.slice('dapr-'.length)}:${version}` },
];

export function deployment(name: string, { replicas }: { replicas: number }): Workload {
  return {
    kind: 'Deployment',
    metadata: { ...labelled(name), uid: `uid-${name}` },
    spec: { replicas, template: { spec: { containers: containersOf(name, '1.17.13') } } },
  };
}

export function statefulSet(name: string, replicas: number, updateRevision: string): Workload {
  return {
    kind: 'StatefulSet',
    metadata: { ...labelled(name), uid: `uid-${name}` },
    spec: { replicas, template: { spec: { containers: containersOf(name, '1.17.13') } } },
    status: { updateRevision },
  };
}

export function replicaSet(owner: string, hash: string, revision: number): KubeObject {
  return {
    metadata: {
      name: `${owner}-${hash}`,
      namespace: 'dapr-system',
      labels: { app: owner, 'pod-template-hash': hash },
      annotations: { 'deployment.kubernetes.io/revision': String(revision) },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'Deployment', name: owner, uid: `uid-${owner}`, controller: true },
      ],
    },
  };
}

export interface PodTraits {
  /** Of its ReplicaSet. */
  readonly hash?: string;
  /** Of its StatefulSet. */
  readonly revision?: string;
  readonly ready?: boolean;
  readonly phase?: string;
  /** Of Dapr's own container; null for a pod that no node has taken. */
  readonly state?: NonNullable<ContainerStatus['state']> | null;
  readonly isTerminating?: boolean;
  /** With a mesh's container in front. */
  readonly mesh?: boolean;
  readonly version?: string;
  readonly created?: string;
}

export function pod(service: string, traits: PodTraits = {}): ControlPlanePod {
  const { hash, revision, ready = true, phase = 'Running', state = { running: {} }, mesh = false } = traits;
  const own = state === null ? [] : [{ name: service, state }];
  return {
    metadata: {
      name: `${service}-${hash ?? revision}`,
      namespace: 'dapr-system',
      creationTimestamp: traits.created ?? '2026-12-01T07:00:00Z',
      labels: {
        app: service,
        ...(hash === undefined ? {} : { 'pod-template-hash': hash }),
        ...(revision === undefined ? {} : { 'controller-revision-hash': revision }),
      },
      ...(traits.isTerminating ? { deletionTimestamp: '2026-12-01T11:59:50Z' } : {}),
    },
    spec: { containers: containersOf(service, traits.version ?? '1.17.13', mesh) },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: [...(mesh ? [{ name: 'istio-proxy', state: { waiting: { reason: 'Mesh' } } }] : []), ...own],
    },
  };
}

export function namespaceHolding(objects: Partial<StatusObjects>): StatusObjects {
  return {
    namespace: 'dapr-system',
    workloads: [],
    replicaSets: [],
    pods: [],
    secret: { presence: 'absent', object: undefined, refusal: undefined },
    refusals: [],
    ...objects,
  };
}

type End = NonNullable<ExpiryGlance['root']>;
const farOff: End = { notAfter: '2027-12-01T12:00:00Z', remainingSeconds: 31_536_000, status: 'valid' };

export function expiryFarOff(changes: { root?: Partial<End>; issuer?: Partial<End> } = {}): ExpiryGlance {
  return {
    checked: true,
    reason: null,
    root: { ...farOff, ...changes.root },
    issuer: { ...farOff, ...changes.issuer },
  };
}
