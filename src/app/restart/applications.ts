import type { SidecarPod } from '../../kube/pods/sidecar-pod.ts';
import { isWorkloadKind, nameWorkload, type WorkloadRef, workloadRef } from '../../kube/rollout/workload.ts';
import type { DueRestart, LeftWorkload } from './report.ts';

/** The workloads whose pods have a sidecar, by who can replace those pods. */
export interface Applications {
  readonly due: readonly DueRestart[];
  readonly left: readonly LeftWorkload[];
}

/** What of a pod tells whose it is. */
export type GroupedPod = Pick<SidecarPod, 'namespace' | 'phase' | 'workload' | 'deletionTimestamp'>;

/**
 * Pure: groups pods by the workload at the end of their owner chain. Pods that have ended do not
 * count, nor do those that are going: whatever replaces them has the new anchors.
 */
export function groupByWorkload(pods: Iterable<GroupedPod>): Applications {
  const groups = new Map<string, { kind: string; namespace: string; name: string; pods: number }>();
  for (const { namespace, phase, workload, deletionTimestamp } of pods) {
    if (deletionTimestamp || phase === 'Succeeded' || phase === 'Failed') continue;
    const key = `${namespace}/${workload.kind}/${workload.name}`;
    const group = groups.get(key) ?? { ...workload, namespace, pods: 0 };
    group.pods++;
    groups.set(key, group);
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
  const due: DueRestart[] = [];
  const left: LeftWorkload[] = [];
  for (const { kind, namespace, name, pods } of sorted) {
    if (isWorkloadKind(kind)) due.push({ ref: workloadRef(kind, namespace, name), pods });
    else left.push({ kind, namespace, name, pods, action: 'by-hand', reason: whatToDo(kind, namespace, name) });
  }
  return { due, left };
}

/** The mend for what rolls nothing out by itself. */
export function whatToDo(kind: string, namespace: string, name: string): string {
  switch (kind) {
    case 'Pod':
      return 'nothing re-creates it: delete it, and create it again';
    case 'Job':
      return 'a Job does not replace its pods: the next run has the new anchors';
    case 'Rollout':
      return `Argo Rollouts restarts it: kubectl argo rollouts restart ${name} -n ${namespace}`;
    default:
      return `a ${kind} rolls nothing out: delete its pods one by one, each when the last one is ready again`;
  }
}

/** As people type it; kubectl takes the words behind it as they are. */
export function nameApplication(ref: WorkloadRef): string {
  return `${nameWorkload(ref)} -n ${ref.namespace}`;
}
