import { controlPlaneServices, sentryName } from '../../kube/dapr/services.ts';
import type { Cluster } from '../../kube/port.ts';
import { nameWorkload } from '../../kube/rollout/workload.ts';
import { nameApplication } from '../restart/applications.ts';
import { defaultTimeoutMs, type RestartOptions } from '../restart/options.ts';
import { planApplicationsRestart } from '../restart/plan-applications.ts';
import { planControlPlaneRestart } from '../restart/plan-control-plane.ts';
import type { LeftWorkload } from '../restart/report.ts';
import { carryOutApplications } from '../restart/restart-applications.ts';
import { carryOutControlPlane } from '../restart/restart-control-plane.ts';
import type { RestartOutcome, RestartRequest } from './world.ts';

export interface ClusterRestartOptions extends Omit<RestartOptions, 'timeoutMs'> {
  /** For each scope; undefined: the usual time for the control plane, and for each application. */
  readonly timeoutMs: number | undefined;
  /** How many applications are restarted at a time. */
  readonly maxParallel: number;
  /** The least time between the beginnings of two of them; 0 for none. */
  readonly paceMs: number;
}

/**
 * Restarts what is due, scope after scope, each waited for. What has been restarted since the instant of
 * the request is left alone, so that a run which was killed goes on where it stopped.
 * @param namespace of the control plane
 * @param options its clock is the API server's, which pods and the instant of the request are dated by
 * @throws DaprMtlsError as the restarts of the control plane and of applications do
 */
export async function restartDue(
  cluster: Cluster,
  namespace: string,
  { scopes, ...request }: RestartRequest,
  options: ClusterRestartOptions,
): Promise<RestartOutcome> {
  await letSecondPass(request.since, options);
  const restarted: string[] = [];
  const remarks = new Set<string>();
  for (const scope of scopes) {
    options.assertRunning();
    const done =
      scope === 'applications'
        ? await restartApplications(cluster, namespace, request, options)
        : await restartServices(cluster, namespace, scope, request, options);
    restarted.push(...done.restarted);
    for (const remark of done.remarks) remarks.add(remark);
  }
  return { carriedOut: true, restarted, remarks: [...remarks] };
}

type Done = Pick<RestartOutcome, 'restarted' | 'remarks'>;

/** Pods are dated in whole seconds, cut off: one of the second in which the bundle was written looks older than it. */
async function letSecondPass(
  since: Date,
  { clock, assertRunning }: Pick<RestartOptions, 'clock' | 'assertRunning'>,
): Promise<void> {
  const remainingMs = Math.ceil(since.getTime() / 1000) * 1000 - clock.now().getTime();
  if (remainingMs <= 0) return;
  // An instant further ahead is of another clock, and waiting would not bring it nearer.
  await clock.sleep(Math.min(remainingMs, 2000));
  assertRunning();
}

async function restartServices(
  cluster: Cluster,
  namespace: string,
  scope: 'sentry' | 'services',
  { since }: Pick<RestartRequest, 'since'>,
  { timeoutMs = defaultTimeoutMs, ...options }: ClusterRestartOptions,
): Promise<Done> {
  const services = controlPlaneServices.filter(({ name }) => (name === sentryName) === (scope === 'sentry'));
  const plan = await planControlPlaneRestart(cluster, namespace, options.clock.now(), { services, since });
  const { remarks } = await carryOutControlPlane(cluster, plan, { ...options, timeoutMs });
  const restarted = plan.due.flatMap(({ ref, isBegun }) => (isBegun ? [] : nameWorkload(ref)));
  return { restarted, remarks };
}

async function restartApplications(
  cluster: Cluster,
  controlPlaneNamespace: string,
  due: Pick<RestartRequest, 'since' | 'neededAnchors' | 'skipped'>,
  options: ClusterRestartOptions,
): Promise<Done> {
  const wish = { controlPlaneNamespace, namespace: undefined, only: [], due };
  const plan = await planApplicationsRestart(cluster, wish);
  const { remarks } = await carryOutApplications(cluster, plan, options);
  const restarted = plan.due.flatMap(({ ref, isBegun }) => (isBegun ? [] : nameApplication(ref)));
  return { restarted, remarks: [...remarks, ...plan.left.map(describeLeft)] };
}

/** Pure: what nobody has restarted, and the mend. */
export function describeLeft({ kind, namespace, name, pods, action, reason }: LeftWorkload): string {
  const workload = `${kind.toLowerCase()}/${name} -n ${namespace}`;
  const count = `${pods} pod${pods === 1 ? '' : 's'}`;
  return `${workload} (${count}) was not restarted: ${reason}${action === 'skipped' ? `; ${mendOf(kind, workload)}` : ''}`;
}

function mendOf(kind: string, workload: string): string {
  if (kind === 'Deployment') return `to have it restarted: \`kubectl rollout resume ${workload}\`, then go on`;
  return `delete its pods one by one, each when the last one is ready again`;
}
