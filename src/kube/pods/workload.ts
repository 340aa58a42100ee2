import type { PodFacts } from './pod-facts.ts';

/** What somebody restarts in order to re-create a pod. */
export interface PodWorkload {
  /** `Pod` where nothing controls it. */
  readonly kind: string;
  readonly name: string;
}

/**
 * The workload at the end of a pod's owner chain. The name of a ReplicaSet is that of its Deployment
 * (Rollout, with Argo) and the hash that its pods carry as a label, so that no right to read
 * ReplicaSets is needed.
 */
export function workloadOf({ name, owners, labels }: Pick<PodFacts, 'name' | 'owners' | 'labels'>): PodWorkload {
  const owner = owners.find(({ controller }) => controller);
  if (!owner) return { kind: 'Pod', name };
  if (owner.kind === 'ReplicaSet') {
    for (const [label, kind] of templateHashLabels) {
      const suffix = `-${labels[label]}`;
      if (labels[label] && owner.name.endsWith(suffix)) return { kind, name: owner.name.slice(0, -suffix.length) };
    }
  }
  return { kind: owner.kind, name: owner.name };
}

const templateHashLabels = [
  ['pod-template-hash', 'Deployment'],
  ['rollouts-pod-template-hash', 'Rollout'],
] as const;
