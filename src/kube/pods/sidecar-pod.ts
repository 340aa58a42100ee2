import { imageTag } from '../dapr/image.ts';
import {
  type ContainerFacts,
  daprdName,
  type LabelName,
  mayBeDaprd,
  type PodFacts,
  type PodOwner,
  type TrustAnchorsVariable,
} from './pod-facts.ts';
import { type PodWorkload, workloadOf } from './workload.ts';

/** A pod with a daprd in it. */
export interface SidecarPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly createdAt: Date | undefined;
  /** When the pod has to be gone; set once somebody deleted it. */
  readonly deletionTimestamp: Date | undefined;
  /** `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`. */
  readonly phase: string;
  readonly node: string | undefined;
  /** What controls the pod directly, such as a ReplicaSet. */
  readonly owner: PodOwner | undefined;
  readonly workload: PodWorkload;
  readonly appId: string | undefined;
  /** By the label that the injector of Dapr 1.11 and later leaves. */
  readonly injected: boolean;
  /** Undefined where the pod is labelled and has no such container. */
  readonly daprd: Daprd | undefined;
}

export interface Daprd {
  readonly container: string;
  /** True for a native sidecar, which stands among the init containers. */
  readonly native: boolean;
  readonly image: string;
  /** The tag of its image; undefined where the image is named by its digest alone. */
  readonly version: string | undefined;
  /** Undefined where the container has no `DAPR_TRUST_ANCHORS`. */
  readonly trustAnchors: TrustAnchorsVariable | undefined;
}

const injectedLabel = 'dapr.io/sidecar-injected' satisfies LabelName;

/** Finds the injected pods of Dapr 1.11 and later; older injectors leave no label. */
export const injectedSelector = `${injectedLabel}=true`;

/**
 * The pod as one with a sidecar; undefined where it has none. It has one if the injector labelled it,
 * if a container is called daprd, or if one has the variable that daprd takes its anchors from.
 */
export function toSidecarPod(pod: PodFacts): SidecarPod | undefined {
  const injected = pod.labels[injectedLabel] === 'true';
  const found = findDaprd(pod);
  if (!injected && !found) return undefined;
  const daprd = found?.facts;
  return {
    namespace: pod.namespace,
    name: pod.name,
    uid: pod.uid,
    createdAt: pod.createdAt,
    deletionTimestamp: pod.deletionTimestamp,
    phase: pod.phase,
    node: pod.node,
    owner: pod.owners.find(({ controller }) => controller),
    workload: workloadOf(pod),
    appId: daprd?.appId ?? pod.labels['dapr.io/app-id'],
    injected,
    daprd: daprd && {
      container: daprd.name,
      native: found.native,
      image: daprd.image,
      version: imageTag(daprd.image),
      trustAnchors: daprd.trustAnchors,
    },
  };
}

function findDaprd({ containers, initContainers }: PodFacts): { facts: ContainerFacts; native: boolean } | undefined {
  // One that is called so goes before one that has the variable.
  for (const isDaprd of [isNamedDaprd, mayBeDaprd]) {
    const facts = containers.find(isDaprd);
    if (facts) return { facts, native: false };
    const native = initContainers.find(isDaprd);
    if (native) return { facts: native, native: true };
  }
  return undefined;
}

function isNamedDaprd({ name }: ContainerFacts): boolean {
  return name === daprdName;
}
