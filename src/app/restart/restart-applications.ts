import type { DaprMtlsError } from '../../errors.ts';
import { injectorName } from '../../kube/admission/webhook.ts';
import { controlPlaneServices } from '../../kube/dapr/services.ts';
import type { Cluster } from '../../kube/port.ts';
import { isAlive, isOfTemplate } from '../../kube/rollout/pod.ts';
import { readPodsOf, readWorkload } from '../../kube/rollout/read-workload.ts';
import { restartWorkload } from '../../kube/rollout/restart-workload.ts';
import { type WaitOptions, waitForRollout } from '../../kube/rollout/wait-for-rollout.ts';
import { nameWorkload, type RollingWorkload, type WorkloadRef } from '../../kube/rollout/workload.ts';
import { nameApplication } from './applications.ts';
import { didNotComeBack, keepLedger, withLedger } from './failure.ts';
import { defaultTimeoutMs, type RestartOptions } from './options.ts';
import { keepPace } from './pace.ts';
import type { ApplicationsPlan } from './plan-applications.ts';
import { type DueRestart, leaveUnbegun, type RestartReport, reportRestart } from './report.ts';
import { runInTurns } from './run-in-turns.ts';
import { waitForWebhook } from './wait-for-webhook.ts';

export interface ApplicationsOptions extends Omit<RestartOptions, 'timeoutMs'> {
  /** For all of it; undefined gives each workload the usual time for itself. */
  readonly timeoutMs: number | undefined;
  /** How many workloads are restarted at a time. Each asks for one thing at a time. */
  readonly maxParallel: number;
  /** The least time between the beginnings of two restarts; none unless told. */
  readonly paceMs?: number;
}

/**
 * Restarts workloads a few at a time, and stops at the first that does not come back, or comes back
 * without its sidecar. Sentry, the injector and its webhook have to be well before any of it.
 * @throws DaprMtlsError `rollout.failed` with what is done and what is not, `cluster.*`
 */
export async function carryOutApplications(
  cluster: Cluster,
  plan: ApplicationsPlan,
  options: ApplicationsOptions,
): Promise<RestartReport> {
  const { timeoutMs, maxParallel, paceMs = 0, clock, assertRunning, mayBegin = async () => true } = options;
  const { onProgress, ledger } = keepLedger(options.onProgress);
  const after = (ms: number) => new Date(clock.now().getTime() + ms);
  const common = timeoutMs === undefined ? undefined : after(timeoutMs);
  const deadline = () => common ?? after(defaultTimeoutMs);
  const ownTurn = keepPace(paceMs, clock);
  const remarks = [...plan.remarks];
  for (const text of plan.remarks) onProgress({ kind: 'remark', text });
  onProgress({ kind: 'planned', workloads: plan.due.map(({ ref }) => nameApplication(ref)) });
  let isOver = false;
  const restart = async ({ ref, isBegun = false }: DueRestart, hasFailed: () => boolean) => {
    const workload = nameApplication(ref);
    const assertWanted = () => {
      assertRunning();
      if (hasFailed()) throw new Abandoned();
    };
    if (!isBegun) {
      if (!isOver) await ownTurn(assertWanted);
      isOver ||= !(await mayBegin());
      if (isOver) return undefined;
    }
    const begunMs = clock.now().getTime();
    onProgress({ kind: 'restarting', workload, isBegun });
    if (!isBegun) await restartWorkload(cluster, ref, clock.now());
    const end = await waitForRollout(cluster, ref, {
      clock,
      deadline: deadline(),
      assertRunning: assertWanted,
      onWait: (message, isTrouble) => onProgress({ kind: 'waiting', workload, message, isTrouble }),
    });
    if (end.kind === 'failed') throw didNotComeBack(workload, end.reason, hintFor(ref));
    if (!(await hasSidecars(cluster, end.workload))) throw lostSidecar(workload, plan.controlPlaneNamespace);
    const elapsedMs = clock.now().getTime() - begunMs;
    onProgress({ kind: 'restarted', workload, elapsedMs, isBegun });
    return elapsedMs;
  };
  try {
    if (plan.due.length > 0) {
      const remark = await waitForControlPlane(cluster, plan, { clock, deadline: deadline(), assertRunning });
      if (remark) {
        remarks.push(remark);
        onProgress({ kind: 'remark', text: remark });
      }
    }
    const elapsed = await runInTurns(plan.due, maxParallel, async (due, hasFailed) => {
      assertRunning();
      return await restart(due, hasFailed);
    });
    const carriedOut = leaveUnbegun({ ...plan, remarks }, elapsed);
    return reportRestart(cluster.location, carriedOut.plan, carriedOut.elapsedMs);
  } catch (error) {
    throw withLedger(error, ledger());
  }
}

/** Another workload has failed: this one is not waited for any longer. Never leaves `runInTurns`. */
class Abandoned extends Error {}

/**
 * A pod that starts asks the injector for its sidecar and Sentry for a certificate. Those that are
 * not there are no matter here: without them there would be no sidecars.
 */
async function waitForControlPlane(
  cluster: Cluster,
  { controlPlaneNamespace: namespace, anchorsName }: ApplicationsPlan,
  wait: WaitOptions,
): Promise<string | undefined> {
  for (const service of controlPlaneServices.filter(({ role }) => role === 'sentry' || role === 'injector')) {
    const ref = { ...service, namespace };
    if (!(await readWorkload(cluster, ref))) continue;
    const end = await waitForRollout(cluster, ref, wait);
    if (end.kind === 'failed') throw notReady(`${nameWorkload(ref)} is not well: ${end.reason}`);
  }
  const webhook = await waitForWebhook(cluster, { namespace, anchorsName }, wait);
  if (webhook.kind === 'failed') throw notReady(webhook.reason);
  return webhook.remark;
}

/** failurePolicy Ignore: a pod that the injector was not asked for comes up all the same, alone. */
async function hasSidecars(cluster: Cluster, workload: RollingWorkload): Promise<boolean> {
  const pods = (await readPodsOf(cluster, workload)).filter((pod) => isAlive(pod) && isOfTemplate(pod, workload));
  return pods.every(({ spec }) =>
    [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].some(({ name }) => name === 'daprd'),
  );
}

function notReady(reason: string): DaprMtlsError {
  return didNotComeBack(
    'The control plane',
    reason,
    'Applications that start now get no sidecar, or none that works. Restart the control plane first: `dapr-mtls restart -k`.',
  );
}

function lostSidecar(workload: string, namespace: string): DaprMtlsError {
  return didNotComeBack(
    workload,
    'its new pods have no sidecar',
    `The API server did not get through to the injector (failurePolicy Ignore). See its log: \`kubectl logs -n ${namespace} deploy/${injectorName}\`; then restart this workload again.`,
  );
}

function hintFor(ref: WorkloadRef): string {
  const name = nameApplication(ref);
  return `Its old pods go on where its strategy keeps them. See why: \`kubectl describe ${name}\`, \`kubectl logs ${name} -c daprd\`. Take it back with \`kubectl rollout undo ${name}\`, or mend it and go on with --only.`;
}
