import { injectorName } from '../../kube/admission/webhook.ts';
import { sentryName } from '../../kube/dapr/services.ts';
import type { Cluster } from '../../kube/port.ts';
import { restartWorkload } from '../../kube/rollout/restart-workload.ts';
import { waitForRollout } from '../../kube/rollout/wait-for-rollout.ts';
import { nameWorkload, type WorkloadRef } from '../../kube/rollout/workload.ts';
import { didNotComeBack, keepLedger, withLedger } from './failure.ts';
import type { RestartOptions } from './options.ts';
import { type ControlPlanePlan, planControlPlaneRestart } from './plan-control-plane.ts';
import { leaveUnbegun, type RestartReport, reportRestart } from './report.ts';
import { waitForWebhook } from './wait-for-webhook.ts';

/**
 * Restarts the services of a control plane one after the other, each waited for: Sentry, the injector
 * and its webhook, operator, placement, scheduler. Whoever starts asks Sentry for a certificate, so
 * that nothing follows on one that did not come back.
 * @throws DaprMtlsError as `planControlPlaneRestart` does; `rollout.failed` with what is done and what is not
 */
export async function restartControlPlane(
  cluster: Cluster,
  { namespace, ...options }: RestartOptions & { readonly namespace: string },
): Promise<RestartReport> {
  const plan = await planControlPlaneRestart(cluster, namespace, options.clock.now());
  return await carryOutControlPlane(cluster, plan, options);
}

/** Carries out a plan that may have been shown before. */
export async function carryOutControlPlane(
  cluster: Cluster,
  plan: ControlPlanePlan,
  { timeoutMs, clock, assertRunning, mayBegin = async () => true, onProgress: listener }: RestartOptions,
): Promise<RestartReport> {
  const { onProgress, ledger } = keepLedger(listener);
  const deadline = new Date(clock.now().getTime() + timeoutMs);
  const remarks = [...plan.remarks];
  const remark = (text: string) => {
    remarks.push(text);
    onProgress({ kind: 'remark', text });
  };
  for (const text of plan.remarks) onProgress({ kind: 'remark', text });
  for (const { name, reason } of plan.left) onProgress({ kind: 'skipped', workload: name, reason });
  onProgress({ kind: 'planned', workloads: plan.due.map(({ ref }) => nameWorkload(ref)) });
  const elapsed: number[] = [];
  try {
    for (const { ref, isBegun = false } of plan.due) {
      assertRunning();
      if (!isBegun && !(await mayBegin())) break;
      const workload = nameWorkload(ref);
      const begunMs = clock.now().getTime();
      const wait = {
        clock,
        deadline,
        assertRunning,
        onWait: (message: string, isTrouble: boolean) => onProgress({ kind: 'waiting', workload, message, isTrouble }),
      };
      onProgress({ kind: 'restarting', workload, isBegun });
      if (!isBegun) await restartWorkload(cluster, ref, clock.now());
      const end = await waitForRollout(cluster, ref, wait);
      if (end.kind === 'failed') throw didNotComeBack(workload, end.reason, hintFor(ref));
      if (ref.name === injectorName) {
        const webhook = await waitForWebhook(cluster, { ...ref, anchorsName: plan.anchorsName }, wait);
        if (webhook.kind === 'failed') throw didNotComeBack(workload, webhook.reason, hintForWebhook(ref));
        if (webhook.remark) remark(webhook.remark);
      }
      const elapsedMs = clock.now().getTime() - begunMs;
      elapsed.push(elapsedMs);
      onProgress({ kind: 'restarted', workload, elapsedMs, isBegun });
    }
  } catch (error) {
    throw withLedger(error, ledger());
  }
  const unbegun = plan.due.slice(elapsed.length).map(() => undefined);
  const carriedOut = leaveUnbegun({ ...plan, remarks }, [...elapsed, ...unbegun]);
  return reportRestart(cluster.location, carriedOut.plan, carriedOut.elapsedMs);
}

function hintFor({ resource, namespace, name }: WorkloadRef): string {
  const workload = nameWorkload({ resource, name });
  const look = `See its log: \`kubectl logs -n ${namespace} ${workload}\`.`;
  const judge = name === sentryName ? ' Judge the bundle that it starts on: `dapr-mtls check -k`.' : '';
  return `${look}${judge} Once it is well, run \`dapr-mtls restart -k\` again; --timeout SECONDS gives it longer.`;
}

function hintForWebhook({ namespace, name }: WorkloadRef): string {
  return `Pods that start now get no sidecar, and no error (failurePolicy Ignore). See why the injector does not write its anchors there: \`kubectl logs -n ${namespace} deploy/${name}\`.`;
}
