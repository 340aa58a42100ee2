import { findServiceVersion } from '../../kube/dapr/container.ts';
import type { ControlPlanePod, Workload } from '../../kube/dapr/objects.ts';
import type { ControlPlaneService } from '../../kube/dapr/services.ts';
import { formatInstant } from '../report.ts';
import { type StatusObjects, statusServices } from './gather.ts';
import { selectCurrentPods } from './revision.ts';

export interface ServiceStatus {
  readonly name: string;
  /** As many pods of the current revision are ready as are asked for; none where none is asked for. */
  readonly healthy: boolean;
  /**
   * The official CLI's words: `Running`, `Waiting (reason)`, `Terminated`, or a pod's phase; and where
   * it has none: `Scaled to 0`, `No pods`, `Missing`.
   */
  readonly status: string;
  /** Pods that live, of any revision. */
  readonly replicas: number;
  /** Pods asked for; null where this user may not read the workload. */
  readonly desiredReplicas: number | null;
  /** Pods of the current revision that are ready. */
  readonly readyReplicas: number;
  readonly version: string | null;
  /** Of the first pod. */
  readonly created: string | null;
  readonly ageSeconds: number | null;
}

/** One entry a service: those that are there, and those that no control plane is without. */
export function judgeServices(objects: StatusObjects, at: Date): ServiceStatus[] {
  return statusServices.flatMap((service) => {
    const workload = objects.workloads?.find(({ metadata }) => metadata.name === service.name);
    const pods = objects.pods.filter((pod) => pod.metadata.labels?.app === service.name && isAlive(pod));
    if (!workload && pods.length === 0 && !service.required) return [];
    return judgeService(service, workload, pods, objects, at);
  });
}

function judgeService(
  { name }: ControlPlaneService,
  workload: Workload | undefined,
  pods: readonly ControlPlanePod[],
  { workloads, replicaSets }: StatusObjects,
  at: Date,
): ServiceStatus {
  const current = selectCurrentPods(workload, replicaSets, pods);
  const desired = workload ? (workload.spec?.replicas ?? 1) : workloads ? 0 : null;
  const ready = current.filter(isReady).length;
  const isMissing = workloads !== undefined && !workload;
  const first = current[0] ?? pods[0];
  const template = workload?.spec?.template;
  const created = first?.metadata.creationTimestamp;
  return {
    name,
    healthy: !isMissing && ready >= (desired ?? Math.max(1, current.length)),
    status: isMissing ? 'Missing' : describePods(current, desired, name),
    replicas: pods.length,
    desiredReplicas: desired,
    readyReplicas: ready,
    version:
      findServiceVersion(first?.spec ?? template?.spec, first?.metadata.labels ?? template?.metadata?.labels, name)
        ?.text ?? null,
    created: created === undefined ? null : formatInstant(new Date(created)),
    ageSeconds: created === undefined ? null : Math.floor((at.getTime() - Date.parse(created)) / 1000),
  };
}

/** A pod that ended, or was told to end, serves nobody; the official CLI counts it. */
function isAlive({ metadata, status }: ControlPlanePod): boolean {
  return metadata.deletionTimestamp === undefined && status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}

/** The pod's own verdict: every container of it, and its node. */
function isReady({ status }: ControlPlanePod): boolean {
  return status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;
}

function describePods(current: readonly ControlPlanePod[], desired: number | null, service: string): string {
  if (desired === 0) return 'Scaled to 0';
  if (current.length === 0) return 'No pods';
  return current.map((pod) => describePod(pod, service)).find((status) => status !== running) ?? running;
}

const running = 'Running';

/** By Dapr's own container: the one that comes first may be a mesh's. */
function describePod({ status }: ControlPlanePod, service: string): string {
  const state = status?.containerStatuses?.find(({ name }) => name === service)?.state;
  if (state?.waiting) return `Waiting (${state.waiting.reason ?? ''})`;
  if (state?.terminated) return 'Terminated';
  return state?.running ? running : (status?.phase ?? 'Unknown');
}
