import type { KubeObject } from '../port.ts';
import type { Condition, RollingWorkload } from './workload.ts';

/** What the program reads of a pod to tell why it does not come up. */
export interface RolloutPod extends KubeObject {
  readonly spec?: {
    readonly nodeName?: string;
    readonly containers?: readonly { readonly name: string }[];
    readonly initContainers?: readonly { readonly name: string }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly Condition[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

export interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: { readonly startedAt?: string };
  readonly terminated?: { readonly exitCode?: number; readonly reason?: string };
}

/** The annotation of a pod template by which `kubectl rollout restart` makes it another one. */
export const restartedAtAnnotation = 'kubectl.kubernetes.io/restartedAt';

/** Whether a pod was made since the last restart: it has inherited the annotation of the template. */
export function isOfTemplate({ metadata }: RolloutPod, { spec }: RollingWorkload): boolean {
  const ofTemplate = spec?.template?.metadata?.annotations?.[restartedAtAnnotation];
  return metadata.annotations?.[restartedAtAnnotation] === ofTemplate;
}

/** A pod that counts: not going, and not one that ended and was replaced. */
export function isAlive({ metadata, status }: RolloutPod): boolean {
  return metadata.deletionTimestamp === undefined && status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}

export function isReady({ status }: RolloutPod): boolean {
  return status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}
