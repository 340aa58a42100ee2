import { DaprMtlsError } from '../../errors.ts';
import { readControlPlane } from '../../kube/dapr/control-plane.ts';
import { type ControlPlaneService, controlPlaneServices, sentryName } from '../../kube/dapr/services.ts';
import type { Cluster } from '../../kube/port.ts';
import { readPodsOf, readWorkload } from '../../kube/rollout/read-workload.ts';
import { whyNotRestartable } from '../../kube/rollout/restart-workload.ts';
import { nameWorkload, type RollingWorkload, type WorkloadRef } from '../../kube/rollout/workload.ts';
import { isRestartBegun, isServiceFresh } from './due.ts';
import { judgeLiveBundle, lookAtBundle } from './judge-live-bundle.ts';
import { rehearseRestarts } from './rehearse.ts';
import type { RestartPlan } from './report.ts';

export interface ControlPlanePlan extends RestartPlan {
  readonly scope: 'control-plane';
  /** The key of the ConfigMap under which the anchors are. */
  readonly anchorsName: string;
}

/** Which services are restarted. */
export interface ServicesWish {
  /** Sentry, where it is not among them, is only waited for: whoever starts asks it for a certificate. */
  readonly services: readonly ControlPlaneService[];
  /** Those that are as young, or whose restart has been begun since, are only waited for. Undefined: none are. */
  readonly since: Date | undefined;
}

const everything: ServicesWish = { services: controlPlaneServices, since: undefined };

/** A service of the control plane as it was found. */
interface FoundService {
  readonly ref: WorkloadRef;
  readonly workload: RollingWorkload | undefined;
  readonly isBegun?: boolean;
}

/**
 * What a restart of the control plane would do, in its order. Everything that can be known to go wrong
 * is told here, before anything is restarted: a bundle on which a starting Sentry would exit or make a
 * new root, a paused Deployment, a right that is missing. Writes nothing.
 * @param at when Sentry would start
 * @throws DaprMtlsError `dapr.missing`, `store.missing`, `store.mismatch`, `trust.refused`, `rollout.failed`, `cluster.*`
 */
export async function planControlPlaneRestart(
  cluster: Cluster,
  namespace: string,
  at: Date,
  wish: ServicesWish = everything,
): Promise<ControlPlanePlan> {
  const [services, controlPlane, bundle] = await Promise.all([
    findServices(cluster, namespace, wish),
    readControlPlane(cluster, namespace),
    lookAtBundle(cluster, namespace),
  ]);
  const plan = judgeServices(services, namespace);
  const remarks = judgeLiveBundle(bundle, controlPlane, at);
  await rehearseRestarts(cluster, plan.due);
  return { ...plan, remarks, scope: 'control-plane', anchorsName: controlPlane.fileNames.anchors };
}

/**
 * What would keep the control plane from being restarted once the bundle of today has been replaced:
 * that Sentry would refuse this one may be why.
 * @throws DaprMtlsError `dapr.missing`, `rollout.failed`, `cluster.*`
 */
export async function rehearseControlPlaneRestart(cluster: Cluster, namespace: string): Promise<void> {
  const { due } = judgeServices(await findServices(cluster, namespace, everything), namespace);
  await rehearseRestarts(cluster, due);
}

/** In the order of a restart, whatever that of the wish is. */
async function findServices(cluster: Cluster, namespace: string, wish: ServicesWish): Promise<FoundService[]> {
  const wanted = new Set<string>(wish.services.map(({ name }) => name));
  const services = controlPlaneServices.filter(({ name }) => name === sentryName || wanted.has(name));
  return await Promise.all(
    services.map((service) => findService(cluster, { ...service, namespace }, wanted.has(service.name), wish.since)),
  );
}

async function findService(
  cluster: Cluster,
  ref: WorkloadRef,
  isWanted: boolean,
  since: Date | undefined,
): Promise<FoundService> {
  const workload = await readWorkload(cluster, ref);
  if (!isWanted) return { ref, workload, isBegun: true };
  if (!workload || !since) return { ref, workload };
  const isBegun = isRestartBegun(workload, since) || isServiceFresh(await readPodsOf(cluster, workload), since);
  return { ref, workload, isBegun };
}

/** Pure. @throws DaprMtlsError `dapr.missing` without a running Sentry, `rollout.failed` for what would not roll */
export function judgeServices(
  services: readonly FoundService[],
  namespace: string,
): Pick<RestartPlan, 'controlPlaneNamespace' | 'due' | 'left'> {
  assertSentryRuns(services, namespace);
  const found = services.flatMap(({ workload, ...service }) => (workload ? { workload, ...service } : []));
  const running = found.filter(({ workload }) => replicasOf(workload) > 0);
  for (const { ref, workload, isBegun } of running) {
    const reason = isBegun ? undefined : whyNotRestartable(workload);
    if (reason) throw wouldNotRoll(ref, reason);
  }
  const skip = (ref: WorkloadRef, reason: string) => ({
    ...nameParts(ref),
    pods: 0,
    action: 'skipped' as const,
    reason,
  });
  return {
    controlPlaneNamespace: namespace,
    due: running.map(({ ref, workload, isBegun = false }) => ({ ref, pods: replicasOf(workload), isBegun })),
    left: services.flatMap(({ ref, workload }) => {
      if (!workload) return skip(ref, 'it is not there');
      return replicasOf(workload) > 0 ? [] : skip(ref, 'it is scaled to 0');
    }),
  };
}

function nameParts({ resource, namespace, name }: WorkloadRef) {
  return { kind: resource.kind, namespace, name };
}

function replicasOf({ spec }: RollingWorkload): number {
  return spec?.replicas ?? 1;
}

/** Whoever starts without it gets no certificate, and waits for one for ever. */
function assertSentryRuns(services: readonly FoundService[], namespace: string): void {
  const sentry = services.find(({ ref }) => ref.name === sentryName)?.workload;
  if (sentry && replicasOf(sentry) > 0) return;
  throw new DaprMtlsError('dapr.missing', {
    message: `${sentry ? `${sentryName} is scaled to 0` : `there is no ${sentryName}`} in namespace ${namespace}: what starts without it gets no certificate; nothing was restarted`,
    hint: sentry
      ? `Bring it back first: \`kubectl scale -n ${namespace} deploy/${sentryName} --replicas=1\`.`
      : 'Name the namespace of the control plane with -n, or another cluster with --context.',
  });
}

function wouldNotRoll(ref: WorkloadRef, reason: string): DaprMtlsError {
  const name = nameWorkload(ref);
  const isPaused = ref.resource.kind === 'Deployment';
  return new DaprMtlsError('rollout.failed', {
    message: `${name} in namespace ${ref.namespace} cannot be restarted: ${reason}; nothing was restarted`,
    hint: isPaused
      ? `Whoever has paused it may have a reason. To go on: \`kubectl rollout resume -n ${ref.namespace} ${name}\`.`
      : 'Set its updateStrategy to RollingUpdate, or restart the control plane by hand.',
  });
}
