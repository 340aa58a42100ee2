import { clusterRemark, describeCluster } from '../app/cluster-report.ts';
import { keepLedger } from '../app/restart/failure.ts';
import { defaultTimeoutMs, type RestartOptions } from '../app/restart/options.ts';
import { planApplicationsRestart } from '../app/restart/plan-applications.ts';
import {
  type ControlPlanePlan,
  planControlPlaneRestart,
  rehearseControlPlaneRestart,
} from '../app/restart/plan-control-plane.ts';
import { describeLedger } from '../app/restart/progress.ts';
import { type RestartPlan, type RestartReport, reportRestart } from '../app/restart/report.ts';
import { carryOutApplications } from '../app/restart/restart-applications.ts';
import { carryOutControlPlane, restartControlPlane } from '../app/restart/restart-control-plane.ts';
import { findControlPlane } from '../kube/dapr/find.ts';
import type { ControlPlaneService } from '../kube/dapr/services.ts';
import type { Cluster } from '../kube/port.ts';
import type { RestartScope } from './restart-input.ts';
import { openProgressDisplay } from './restart-progress.ts';
import { Interrupted, installStopSwitch, type StopSwitch } from './stop.ts';
import type { Streams } from './streams.ts';

export interface RestartSurroundings {
  readonly streams: Streams;
  readonly env: NodeJS.ProcessEnv;
  readonly stop: StopSwitch;
  /** No progress, as --quiet asks for. */
  readonly isQuiet: boolean;
}

const now = () => new Date();

/**
 * Lets a restart run under a display of its progress; a signal stops it between two requests.
 * @param hint how to go on after a signal
 * @throws Interrupted with what is done and what is not; whatever the restart throws
 */
async function runRestart(
  { streams, env, stop, isQuiet }: RestartSurroundings,
  hint: string,
  restart: (options: Omit<RestartOptions, 'timeoutMs'>) => Promise<RestartReport>,
): Promise<RestartReport> {
  const display = await openProgressDisplay(streams, env, isQuiet);
  const { onProgress, ledger } = keepLedger(display.show);
  try {
    return await restart({
      clock: { now, sleep: stop.sleep },
      assertRunning: stop.assertRunning,
      onProgress,
    });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    throw new Interrupted(error.signal, { message: describeLedger(ledger()), hint });
  } finally {
    display.close();
  }
}

/**
 * `--restart` of a renewal: the control plane in its order, each service waited for.
 * @throws DaprMtlsError as `restartControlPlane` does; Interrupted
 */
export async function restartAfterRenewal(
  cluster: Cluster,
  namespace: string,
  timeoutMs: number,
  surroundings: RestartSurroundings,
): Promise<RestartReport> {
  const hint = 'The renewed bundle is written. Restart what is left: `dapr-mtls restart -k`.';
  return await runRestart(surroundings, hint, (options) =>
    restartControlPlane(cluster, { ...options, namespace, timeoutMs }),
  );
}

/**
 * `--restart` of a change of settings: these services in the order of a restart, each waited for.
 * @throws DaprMtlsError as the plan and the restart do; Interrupted
 */
export async function restartServices(
  cluster: Cluster,
  namespace: string,
  services: readonly ControlPlaneService[],
  timeoutMs: number,
  surroundings: Omit<RestartSurroundings, 'stop'>,
): Promise<RestartReport> {
  const plan = await rehearseServices(cluster, namespace, services);
  const hint = 'The settings are written. Restart what is left: `dapr-mtls restart -k`.';
  return await runRestart({ ...surroundings, stop: installStopSwitch() }, hint, (options) =>
    carryOutControlPlane(cluster, plan, { ...options, timeoutMs }),
  );
}

/** @throws DaprMtlsError what would keep these services from being restarted; nothing is restarted */
export async function rehearseServices(
  cluster: Cluster,
  namespace: string,
  services: readonly ControlPlaneService[],
): Promise<ControlPlanePlan> {
  return await planControlPlaneRestart(cluster, namespace, now(), { services, since: undefined });
}

/** @throws DaprMtlsError what would keep that restart from being carried out; nothing is restarted */
export async function rehearseRestart(cluster: Cluster, namespace: string): Promise<void> {
  await rehearseControlPlaneRestart(cluster, namespace);
}

interface PerformFlags {
  readonly timeout: number | undefined;
  readonly 'max-parallel': number;
  readonly 'dry-run': boolean;
}

/**
 * `mtls restart`: finds the control plane, plans, and unless it is a dry run carries the plan out.
 * @throws DaprMtlsError as the plans and restarts do; Interrupted
 */
export async function performRestart(
  cluster: Cluster,
  { controlPlaneNamespace: named, applications }: RestartScope,
  { timeout, 'max-parallel': maxParallel, 'dry-run': isDryRun }: PerformFlags,
  surroundings: Omit<RestartSurroundings, 'stop'>,
): Promise<RestartReport> {
  const controlPlaneNamespace = await findControlPlane(cluster, named);
  surroundings.streams.note(`${clusterRemark(describeCluster(cluster.location, controlPlaneNamespace))}\n`);
  const timeoutMs = timeout === undefined ? undefined : timeout * 1000;
  if (applications) {
    const plan = await planApplicationsRestart(cluster, { ...applications, controlPlaneNamespace, startsAt: now() });
    if (isDryRun) return preview(cluster, plan, surroundings.streams);
    const hint = 'What was begun goes on in the cluster. Go on with those that are not restarted: --only KIND/NAME.';
    return await runRestart({ ...surroundings, stop: installStopSwitch() }, hint, (options) =>
      carryOutApplications(cluster, plan, { ...options, timeoutMs, maxParallel }),
    );
  }
  const plan = await planControlPlaneRestart(cluster, controlPlaneNamespace, now());
  if (isDryRun) return preview(cluster, plan, surroundings.streams);
  const hint =
    'What was begun goes on in the cluster. Run the same command again: it restarts all of them in their order.';
  return await runRestart({ ...surroundings, stop: installStopSwitch() }, hint, (options) =>
    carryOutControlPlane(cluster, plan, { ...options, timeoutMs: timeoutMs ?? defaultTimeoutMs }),
  );
}

/** What a restart would tell on its way has to be told here, too. */
function preview(cluster: Cluster, plan: RestartPlan, streams: Streams): RestartReport {
  for (const remark of plan.remarks) streams.warn(`${remark}\n`);
  return reportRestart(cluster.location, plan, undefined);
}
