import type { ControlPlanePod, Workload } from '../../kube/dapr/objects.ts';
import type { KubeObject } from '../../kube/port.ts';

/**
 * Those pods that the workload as it stands now has asked for: of a Deployment those of the
 * ReplicaSet with the highest revision, of a StatefulSet those of its update revision. A rollout that
 * hangs leaves healthy pods of the revision before, and they would hide it.
 * @param replicaSets none where all is rolled out, undefined where they may not be listed: the pod that
 * was made last then tells
 */
export function selectCurrentPods(
  workload: Workload | undefined,
  replicaSets: readonly KubeObject[] | undefined,
  pods: readonly ControlPlanePod[],
): readonly ControlPlanePod[] {
  const updateRevision = workload?.status?.updateRevision;
  if (updateRevision) return withLabel(pods, 'controller-revision-hash', updateRevision);
  const hash = (workload && newestTemplateHash(workload, replicaSets)) ?? templateHashOfNewest(pods);
  return hash === undefined ? pods : withLabel(pods, templateHashLabel, hash);
}

/** Whether the Deployment's controller has seen it as it is now, and has no pod of another revision left. */
export function isRolledOut({ metadata, status }: Workload): boolean {
  return (
    status?.observedGeneration !== undefined &&
    status.observedGeneration >= (metadata.generation ?? 0) &&
    (status.updatedReplicas ?? 0) === (status.replicas ?? 0)
  );
}

const templateHashLabel = 'pod-template-hash';

function withLabel(pods: readonly ControlPlanePod[], label: string, value: string): readonly ControlPlanePod[] {
  return pods.filter(({ metadata }) => metadata.labels?.[label] === value);
}

function newestTemplateHash(workload: Workload, replicaSets: readonly KubeObject[] = []): string | undefined {
  const owned = replicaSets.filter(({ metadata }) =>
    metadata.ownerReferences?.some(({ uid, controller }) => controller && uid === workload.metadata.uid),
  );
  const revisionOf = ({ metadata }: KubeObject) =>
    Number(metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0);
  return owned.sort((a, b) => revisionOf(b) - revisionOf(a))[0]?.metadata.labels?.[templateHashLabel];
}

function templateHashOfNewest(pods: readonly ControlPlanePod[]): string | undefined {
  const createdAt = ({ metadata }: ControlPlanePod) => Date.parse(metadata.creationTimestamp ?? '') || 0;
  return [...pods].sort((a, b) => createdAt(b) - createdAt(a))[0]?.metadata.labels?.[templateHashLabel];
}
