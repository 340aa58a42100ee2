import { readControlPlane } from '../../kube/dapr/control-plane.ts';
import { readPods } from '../../kube/pods/read-pods.ts';
import { injectedSelector } from '../../kube/pods/sidecar-pod.ts';
import type { Cluster } from '../../kube/port.ts';
import { readWorkload } from '../../kube/rollout/read-workload.ts';
import { whyNotRestartable } from '../../kube/rollout/restart-workload.ts';
import type { RollingWorkload } from '../../kube/rollout/workload.ts';
import { type Applications, groupByWorkload, nameApplication, whatToDo } from './applications.ts';
import { chooseApplications, type WorkloadName } from './choose-applications.ts';
import { type DatedPod, type DueWish, findDueWorkloads, isRestartBegun, judgeLack, keepDue } from './due.ts';
import { judgeLiveBundle, lookAtBundle } from './judge-live-bundle.ts';
import { rehearseRestarts, requestsAtOnce } from './rehearse.ts';
import type { DueRestart, LeftWorkload, RestartPlan } from './report.ts';
import { runInTurns } from './run-in-turns.ts';

export interface ApplicationsPlan extends RestartPlan {
  readonly scope: 'applications';
  readonly anchorsName: string;
}

export interface ApplicationsWish {
  readonly controlPlaneNamespace: string;
  /** Undefined: all of them. */
  readonly namespace: string | undefined;
  /** Empty: every workload with a sidecar. */
  readonly only: readonly WorkloadName[];
  /** Undefined: whatever its age. */
  readonly due?: DueWish;
  /** When the new pods would start; undefined for who has judged the live bundle already. */
  readonly startsAt?: Date;
}

/**
 * Which workloads have pods with a sidecar, and which of them a restart would replace. Writes nothing. A pod
 * that runs lives on by what it holds, while one that starts on a bundle of two roots, or on one that has
 * ended, gets no certificate: before that nothing is planned.
 * @throws DaprMtlsError `usage.invalid` for a name that is not there, `cluster.*` also for a right that is missing,
 * `store.missing`, `store.mismatch`, `trust.refused` for a bundle on which no pod should start
 */
export async function planApplicationsRestart(
  cluster: Cluster,
  { controlPlaneNamespace, namespace, only, due: wish, startsAt }: ApplicationsWish,
): Promise<ApplicationsPlan> {
  const [controlPlane, bundle] = await Promise.all([
    readControlPlane(cluster, controlPlaneNamespace),
    startsAt && lookAtBundle(cluster, controlPlaneNamespace),
  ]);
  const unjudged = bundle && startsAt ? judgeLiveBundle(bundle, controlPlane, startsAt) : [];
  // Injectors before 1.11 label nothing; without a version nothing is taken for granted, nor by a rotation,
  // whose gates count whoever has a sidecar.
  const { release } = controlPlane;
  const labels = wish === undefined && release !== undefined && (release.major > 1 || release.minor >= 11);
  const lacksAnchor = judgeLack(wish?.neededAnchors ?? []);
  const pods: DatedPod[] = [];
  // Of each pod little is kept: its anchors alone are two kilobytes.
  for await (const batch of readPods(cluster, { namespace, labelSelector: labels ? injectedSelector : undefined })) {
    for (const pod of batch) {
      const { namespace, phase, workload, deletionTimestamp, createdAt } = pod;
      pods.push({ namespace, phase, workload, deletionTimestamp, createdAt, lacksAnchor: lacksAnchor(pod) });
    }
  }
  const found = chooseApplications(groupByWorkload(pods), only);
  const dueWorkloads = wish && findDueWorkloads(pods, wish);
  const chosen = dueWorkloads ? keepDue(found, dueWorkloads) : found;
  const looked = await runInTurns(chosen.due, requestsAtOnce, async ({ ref }) => readWorkload(cluster, ref));
  const { due, left, remarks } = judgeApplications(chosen, looked, ({ ref }, workload) => {
    if (!wish) return false;
    const key = `${ref.namespace}/${ref.resource.kind}/${ref.name}`;
    const lackingFrom = dueWorkloads?.get(key)?.lackingFrom;
    const isDone = isRestartBegun(workload, wish.since, lackingFrom);
    return isDone || (isRestartBegun(workload, wish.since) && !wish.mayRepeat(ref));
  });
  await rehearseRestarts(cluster, due);
  return {
    scope: 'applications',
    controlPlaneNamespace,
    anchorsName: controlPlane.fileNames.anchors,
    due,
    left,
    remarks: [...unjudged, ...remarks],
  };
}

/**
 * Pure: sorts out what would not roll.
 * @param workloads in the order of `due`; undefined where there is none
 * @param isBegun whether a restart is only to be waited for
 */
export function judgeApplications(
  { due, left }: Applications,
  workloads: readonly (RollingWorkload | undefined)[],
  isBegun: (restart: DueRestart, workload: RollingWorkload) => boolean = () => false,
): Pick<RestartPlan, 'due' | 'left' | 'remarks'> {
  const rolling: DueRestart[] = [];
  const leftHere: LeftWorkload[] = [];
  const remarks: string[] = [];
  due.forEach((restart, index) => {
    const { ref, pods } = restart;
    const parts = { kind: ref.resource.kind, namespace: ref.namespace, name: ref.name, pods };
    const workload = workloads[index];
    const reason = workload && whyNotRestartable(workload);
    if (!workload) {
      // A ReplicaSet that somebody made without a Deployment, under a name that looks like one.
      leftHere.push({ ...parts, action: 'by-hand', reason: `it is not there: ${whatToDo('ReplicaSet', '', '')}` });
    } else if (reason) leftHere.push({ ...parts, action: 'skipped', reason });
    else {
      rolling.push(isBegun(restart, workload) ? { ...restart, isBegun: true } : restart);
      const partition = workload.spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
      if (partition > 0) {
        remarks.push(`${nameApplication(ref)} has partition ${partition}: its pods below that number are not replaced`);
      }
    }
  });
  return { due: rolling, left: [...leftHere, ...left], remarks };
}
