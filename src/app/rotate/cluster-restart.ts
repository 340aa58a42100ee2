import { DaprMtlsError } from '../../errors.ts';
import { controlPlaneServices, sentryName } from '../../kube/dapr/services.ts';
import type { Cluster } from '../../kube/port.ts';
import type { WorkloadRef } from '../../kube/rollout/workload.ts';
import { nameApplication } from '../restart/applications.ts';
import { defaultTimeoutMs, type RestartOptions } from '../restart/options.ts';
import { type ApplicationsPlan, planApplicationsRestart } from '../restart/plan-applications.ts';
import { planControlPlaneRestart } from '../restart/plan-control-plane.ts';
import type { LeftWorkload } from '../restart/report.ts';
import { carryOutApplications } from '../restart/restart-applications.ts';
import { carryOutControlPlane } from '../restart/restart-control-plane.ts';
import { holdsAll, readAnchors } from './held-anchors.ts';
import type { Handout, RestartOutcome, RestartRequest } from './world.ts';

export interface ClusterRestartOptions extends Omit<RestartOptions, 'timeoutMs'> {
  /** For each scope; undefined: the usual time for the control plane, and for each application. */
  readonly timeoutMs: number | undefined;
  /** How many applications are restarted at a time. */
  readonly maxParallel: number;
  /** The least time between the beginnings of two of them; 0 for none. */
  readonly paceMs: number;
}

/** What one run has done already, because a gate is looked at every few seconds. */
export interface RestartMemory {
  /** Scopes of the control plane that are done, with their instant. */
  readonly services: Set<string>;
  /** Applications that were restarted once more. */
  readonly repeated: Set<string>;
  readonly remarks: Set<string>;
}

export interface RestartSurroundings {
  readonly cluster: Cluster;
  /** Of the control plane. */
  readonly namespace: string;
  readonly readHandout: () => Promise<Handout>;
  readonly memory: RestartMemory;
}

/**
 * Restarts what is due, scope after scope, each waited for. What has been restarted since the instant of
 * the request is left alone, so that a run which was killed goes on where it stopped.
 * @param options its clock is the API server's, which pods and the instant of the request are dated by
 * @throws DaprMtlsError as the restarts of the control plane and of applications do
 */
export async function restartDue(
  surroundings: RestartSurroundings,
  { scopes, mayBegin = async () => true, ...request }: RestartRequest,
  options: ClusterRestartOptions,
): Promise<RestartOutcome> {
  await letSecondPass(request.since, options);
  let isOver = false;
  const asking = {
    ...options,
    mayBegin: async () => {
      isOver ||= !(await mayBegin());
      return !isOver;
    },
  };
  const outcomes: RestartOutcome[] = [];
  for (const scope of scopes) {
    options.assertRunning();
    const restart = scope === 'applications' ? restartApplications : restartServices(scope);
    const outcome = await restart(surroundings, request, asking);
    outcomes.push(isOver ? { ...outcome, carriedOut: false } : outcome);
    // Who comes behind what was left out would be restarted before it.
    if (isOver) break;
  }
  const { remarks: told } = surroundings.memory;
  const remarks = outcomes.flatMap((outcome) => outcome.remarks).filter((remark) => isFirst(told, remark));
  return {
    carriedOut: outcomes.every(({ carriedOut }) => carriedOut),
    restarted: outcomes.flatMap(({ restarted }) => restarted),
    remarks,
  };
}

type DueRequest = Pick<RestartRequest, 'since' | 'neededAnchors' | 'skipped'>;
type Restart = (
  surroundings: RestartSurroundings,
  request: DueRequest,
  options: ClusterRestartOptions,
) => Promise<RestartOutcome>;

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

function restartServices(scope: 'sentry' | 'services'): Restart {
  return async ({ cluster, namespace, memory }, { since }, { timeoutMs = defaultTimeoutMs, ...options }) => {
    const key = `${scope} ${since.toISOString()}`;
    if (memory.services.has(key)) return { carriedOut: true, restarted: [], remarks: [] };
    const services = controlPlaneServices.filter(({ name }) => (name === sentryName) === (scope === 'sentry'));
    const plan = await planControlPlaneRestart(cluster, namespace, options.clock.now(), { services, since });
    const { restarted, onProgress } = listRestarted(options.onProgress);
    const { remarks, workloads } = await carryOutControlPlane(cluster, plan, { ...options, onProgress, timeoutMs });
    if (workloads.filter(({ action }) => action === 'restarted').length === plan.due.length) memory.services.add(key);
    return { carriedOut: true, restarted, remarks };
  };
}

async function restartApplications(
  { cluster, namespace: controlPlaneNamespace, readHandout, memory }: RestartSurroundings,
  { neededAnchors, ...request }: DueRequest,
  options: ClusterRestartOptions,
): Promise<RestartOutcome> {
  const handout = neededAnchors.length > 0 ? await readHandout() : undefined;
  const isGiven = handout?.kind === 'anchors' && holdsAll(readAnchors(handout.pem), neededAnchors);
  if (handout?.kind === 'anchors' && !isGiven) {
    return notCarriedOut('No application was restarted: the injector still gives old anchors to the next pod');
  }
  const repeats = new Set<string>();
  const mayRepeat = (ref: WorkloadRef) => {
    const name = nameApplication(ref);
    if (!isGiven || memory.repeated.has(name)) return false;
    repeats.add(name);
    return true;
  };
  const due = { ...request, neededAnchors, mayRepeat };
  const plan = await planAllowed(cluster, { controlPlaneNamespace, namespace: undefined, only: [], due });
  if (plan instanceof DaprMtlsError) {
    return notCarriedOut(
      `No application was restarted: ${plan.message}. Who may does it: \`dapr-mtls restart -k --apps -A\``,
    );
  }
  const { restarted, onProgress } = listRestarted(options.onProgress);
  const { remarks } = await carryOutApplications(cluster, plan, { ...options, onProgress });
  for (const name of restarted) if (repeats.has(name)) memory.repeated.add(name);
  return { carriedOut: true, restarted, remarks: [...remarks, ...plan.left.map(describeLeft)] };
}

/** Passes progress on, and keeps who was restarted; who was only waited for was restarted before. */
function listRestarted(listener: RestartOptions['onProgress']) {
  const restarted: string[] = [];
  const onProgress: RestartOptions['onProgress'] = (progress) => {
    if (progress.kind === 'restarting' && !progress.isBegun) restarted.push(progress.workload);
    listener(progress);
  };
  return { restarted, onProgress };
}

function isFirst(seen: Set<string>, name: string): boolean {
  const isNew = !seen.has(name);
  seen.add(name);
  return isNew;
}

function notCarriedOut(remark: string): RestartOutcome {
  return { carriedOut: false, restarted: [], remarks: [remark] };
}

/** Who may not restart other people's applications leaves that to them, and the gate tells whose turn it is. */
async function planAllowed(
  cluster: Cluster,
  wish: Parameters<typeof planApplicationsRestart>[1],
): Promise<ApplicationsPlan | DaprMtlsError> {
  try {
    return await planApplicationsRestart(cluster, wish);
  } catch (error) {
    if (error instanceof DaprMtlsError && error.code === 'cluster.forbidden') return error;
    throw error;
  }
}

/** Pure: what nobody has restarted, and the mend. */
function describeLeft({ kind, namespace, name, pods, action, reason }: LeftWorkload): string {
  const workload = `${kind.toLowerCase()}/${name} -n ${namespace}`;
  const count = `${pods} pod${pods === 1 ? '' : 's'}`;
  return `${workload} (${count}) was not restarted: ${reason}${action === 'skipped' ? `; ${mendOf(kind, workload)}` : ''}`;
}

function mendOf(kind: string, workload: string): string {
  if (kind === 'Deployment') return `to have it restarted: \`kubectl rollout resume ${workload}\`, then go on`;
  return 'delete its pods one by one, each when the last one is ready again';
}
