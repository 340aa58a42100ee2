import type { KubeObject, ObjectRef } from '../port.ts';
import { resources } from '../resources.ts';

/** The kinds that roll new pods out when their template changes. */
export type WorkloadKind = 'Deployment' | 'StatefulSet' | 'DaemonSet';

/** What the program reads of one to roll it. The defaults of the API server are filled in there. */
export interface RollingWorkload extends KubeObject {
  readonly kind: WorkloadKind;
  readonly spec?: {
    readonly replicas?: number;
    /** Deployment only. */
    readonly paused?: boolean;
    readonly selector?: LabelSelector;
    /** StatefulSet and DaemonSet. */
    readonly updateStrategy?: {
      readonly type?: string;
      readonly rollingUpdate?: { readonly partition?: number };
    };
    readonly progressDeadlineSeconds?: number;
    readonly template?: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };
  };
  readonly status?: RolloutStatus;
}

export interface RolloutStatus {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly currentRevision?: string;
  readonly updateRevision?: string;
  readonly desiredNumberScheduled?: number;
  readonly updatedNumberScheduled?: number;
  readonly numberAvailable?: number;
  readonly conditions?: readonly Condition[];
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** Which workload is meant; its resource is one of the three. */
export interface WorkloadRef extends ObjectRef {
  readonly namespace: string;
}

const resourceOfKind = {
  Deployment: resources.deployments,
  StatefulSet: resources.statefulSets,
  DaemonSet: resources.daemonSets,
} as const;

export function isWorkloadKind(kind: string): kind is WorkloadKind {
  return Object.hasOwn(resourceOfKind, kind);
}

export function workloadRef(kind: WorkloadKind, namespace: string, name: string): WorkloadRef {
  return { resource: resourceOfKind[kind], namespace, name };
}

const shortKinds = new Map([
  ['Deployment', 'deploy'],
  ['StatefulSet', 'statefulsets'],
  ['DaemonSet', 'daemonsets'],
]);

/** As upstream's `--restart` writes them, and kubectl reads them: `deploy/dapr-sentry`, `statefulsets/dapr-placement-server`. */
export function nameWorkload({ resource, name }: Pick<ObjectRef, 'resource' | 'name'>): string {
  return `${shortKinds.get(resource.kind) ?? resource.kind.toLowerCase()}/${name}`;
}

/** Why a StatefulSet or DaemonSet waits for somebody to delete its pods; undefined where it does not. */
export function whyByHand({ kind, spec }: RollingWorkload): string | undefined {
  const { type = 'RollingUpdate' } = spec?.updateStrategy ?? {};
  if (kind === 'Deployment' || type === 'RollingUpdate') return undefined;
  return `its update strategy is ${type}: it replaces no pod by itself`;
}

/** A selector as the query of a list writes it; undefined where the workload has none. */
export function formatSelector(selector: LabelSelector | undefined): string | undefined {
  const labels = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const expressions = (selector?.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`;
  });
  return [...labels, ...expressions].join(',') || undefined;
}
