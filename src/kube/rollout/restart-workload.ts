import type { Cluster, WriteOptions } from '../port.ts';
import { restartedAtAnnotation } from './pod.ts';
import { type RollingWorkload, type WorkloadRef, whyByHand } from './workload.ts';

/**
 * Makes the template of a workload another one by the annotation of `kubectl rollout restart`, so
 * that its controller replaces every pod. Unlike kubectl's the instant has milliseconds: two restarts
 * within a second are two.
 * @throws DaprMtlsError as `Cluster.patch` does
 */
export async function restartWorkload(
  cluster: Cluster,
  ref: WorkloadRef,
  at: Date,
  options: WriteOptions = {},
): Promise<void> {
  const annotations = { [restartedAtAnnotation]: at.toISOString() };
  await cluster.patch(ref, { spec: { template: { metadata: { annotations } } } }, { type: 'strategic', ...options });
}

/**
 * Why the annotation would not lead to new pods: of a paused Deployment, and of an update strategy
 * that leaves it to somebody to delete them. `kubectl rollout restart` refuses the first as well.
 */
export function whyNotRestartable(workload: RollingWorkload): string | undefined {
  return workload.kind === 'Deployment' && workload.spec?.paused ? 'it is paused' : whyByHand(workload);
}
