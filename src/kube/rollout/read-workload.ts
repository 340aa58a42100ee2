import type { Cluster } from '../port.ts';
import { resources } from '../resources.ts';
import type { RolloutPod } from './pod.ts';
import { formatSelector, isWorkloadKind, type RollingWorkload, type WorkloadRef } from './workload.ts';

/** Undefined where there is none (404). @throws DaprMtlsError as `Cluster.get` does */
export async function readWorkload(cluster: Cluster, ref: WorkloadRef): Promise<RollingWorkload | undefined> {
  const object = await cluster.get<RollingWorkload>(ref);
  return object && withKind(object, ref);
}

/** Lists tell the kind once, and not of each object. Undefined for what rolls nothing out. */
export function withKind(object: RollingWorkload, { resource }: WorkloadRef): RollingWorkload | undefined {
  return isWorkloadKind(resource.kind) ? { ...object, kind: resource.kind } : undefined;
}

/** The pods that a workload's selector finds. @throws DaprMtlsError as `Cluster.list` does */
export async function readPodsOf(cluster: Cluster, { metadata, spec }: RollingWorkload): Promise<RolloutPod[]> {
  const labelSelector = formatSelector(spec?.selector);
  if (labelSelector === undefined) return [];
  const pods: RolloutPod[] = [];
  for await (const pod of cluster.list<RolloutPod>(resources.pods, { namespace: metadata.namespace, labelSelector })) {
    pods.push(pod);
  }
  return pods;
}
