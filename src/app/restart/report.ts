import type { ClusterAddress } from '../../kube/port.ts';
import type { WorkloadRef } from '../../kube/rollout/workload.ts';
import { type ClusterReport, describeCluster } from '../cluster-report.ts';
import { type Document, document } from '../report.ts';

export interface RestartReport extends Document<'Restart'> {
  readonly cluster: ClusterReport;
  readonly scope: 'control-plane' | 'applications';
  /** nothing: there was no workload to restart. */
  readonly outcome: 'restarted' | 'dry-run' | 'nothing';
  readonly workloads: readonly WorkloadReport[];
  readonly remarks: readonly string[];
}

export interface WorkloadReport {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** by-hand: nothing that this program does would replace its pods. */
  readonly action: 'restarted' | 'would-restart' | 'skipped' | 'by-hand';
  /** Why it was skipped, or what to do by hand. */
  readonly reason: string | null;
  /** As many as it shall have, or with a sidecar as many as it has. */
  readonly pods: number;
  /** Until it had come back. */
  readonly seconds: number | null;
}

/** A workload that is to be restarted. */
export interface DueRestart {
  readonly ref: WorkloadRef;
  readonly pods: number;
  /** A restart of it is under way or done: it is only waited for. */
  readonly isBegun?: boolean;
}

/** One that is left alone. */
export interface LeftWorkload {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly pods: number;
  readonly action: 'skipped' | 'by-hand';
  readonly reason: string;
}

/** What a restart would do, before anything is done. */
export interface RestartPlan {
  readonly scope: RestartReport['scope'];
  readonly controlPlaneNamespace: string;
  readonly due: readonly DueRestart[];
  readonly left: readonly LeftWorkload[];
  readonly remarks: readonly string[];
}

/** Pure: the plan as it was carried out, where some workloads were not begun any more. */
export function leaveUnbegun<Plan extends RestartPlan>(
  plan: Plan,
  elapsedMs: readonly (number | undefined)[],
): { readonly plan: Plan; readonly elapsedMs: readonly number[] } {
  const due = plan.due.filter((_, index) => elapsedMs[index] !== undefined);
  const left = plan.due
    .filter((_, index) => elapsedMs[index] === undefined)
    .map(({ ref: { resource, namespace, name }, pods }): LeftWorkload => {
      const reason = 'it was not begun any more';
      return { kind: resource.kind, namespace, name, pods, action: 'skipped', reason };
    });
  return {
    plan: { ...plan, due, left: [...left, ...plan.left] },
    elapsedMs: elapsedMs.filter((ms) => ms !== undefined),
  };
}

/** @param elapsedMs how long each workload took, by its place in the plan; undefined for a dry run */
export function reportRestart(
  address: ClusterAddress,
  { scope, controlPlaneNamespace, due, left, remarks }: RestartPlan,
  elapsedMs: readonly number[] | undefined,
): RestartReport {
  const action = elapsedMs ? 'restarted' : 'would-restart';
  return document('Restart', {
    cluster: describeCluster(address, controlPlaneNamespace),
    scope,
    outcome: due.length === 0 ? 'nothing' : elapsedMs ? 'restarted' : 'dry-run',
    workloads: [
      ...due.map(({ ref: { resource, namespace, name }, pods }, index) => ({
        kind: resource.kind,
        namespace,
        name,
        action: action as WorkloadReport['action'],
        reason: null,
        pods,
        seconds: elapsedMs ? Math.round((elapsedMs[index] ?? 0) / 1000) : null,
      })),
      ...left.map(({ kind, namespace, name, action, reason, pods }) => ({
        kind,
        namespace,
        name,
        action,
        reason,
        pods,
        seconds: null,
      })),
    ],
    remarks,
  });
}
