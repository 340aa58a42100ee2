import { DaprMtlsError } from '../../errors.ts';
import { type Looked, look } from '../../kube/dapr/control-plane.ts';
import { searchControlPlane } from '../../kube/dapr/find.ts';
import type { ControlPlanePod, Workload } from '../../kube/dapr/objects.ts';
import {
  controlPlaneServices,
  dashboardService,
  defaultNamespace,
  sentryName,
  trustBundleName,
} from '../../kube/dapr/services.ts';
import type { Cluster, KubeObject, Resource } from '../../kube/port.ts';
import { resources } from '../../kube/resources.ts';
import type { PublicLook, SecretData } from '../banner.ts';
import { isRolledOut } from './revision.ts';

export const statusServices = [...controlPlaneServices, dashboardService];

/** What a namespace holds of a control plane. */
export interface StatusObjects {
  readonly namespace: string;
  /** Undefined where this user may not list them; the reason stands in `refusals`. */
  readonly workloads: readonly Workload[] | undefined;
  /** Empty also where every Deployment is rolled out: its pods are of one revision then. */
  readonly replicaSets: readonly KubeObject[] | undefined;
  readonly pods: readonly ControlPlanePod[];
  readonly secret: Looked<SecretData>;
  /** Where the Secret was refused, and something else can be asked. */
  readonly publicParts?: PublicLook | undefined;
  readonly refusals: readonly string[];
}

/** Asks for what a refused Secret holds beside its key; never fails. */
export type LookWithoutSecret = (namespace: string, refusal: DaprMtlsError) => Promise<PublicLook>;

/**
 * Reads the usual namespace before it is known whether the control plane is there, because mostly it
 * is; only where it is not, and none was named, all namespaces are searched.
 * @throws DaprMtlsError `dapr.missing`, `dapr.ambiguous`, and as `Cluster.list` does; of refusals only
 * the one to list pods, without which nothing can be said
 */
export async function gatherStatus(
  cluster: Cluster,
  namespace?: string,
  lookWithoutSecret?: LookWithoutSecret,
): Promise<StatusObjects> {
  const objects = await gatherIn(cluster, namespace ?? defaultNamespace, lookWithoutSecret);
  if (holdsControlPlane(objects)) return objects;
  if (namespace !== undefined) throw noStatus();
  return await gatherIn(cluster, await search(cluster), lookWithoutSecret);
}

async function search(cluster: Cluster): Promise<string> {
  try {
    return await searchControlPlane(cluster);
  } catch (error) {
    throw error instanceof DaprMtlsError && error.code === 'dapr.missing' ? noStatus() : error;
  }
}

/** The official CLI's words, which scripts look for. */
function noStatus(): DaprMtlsError {
  return new DaprMtlsError('dapr.missing', {
    message: 'No status returned. Is Dapr initialized in your cluster?',
    hint: 'Name its namespace with -n, another cluster with --context, or install it: `dapr init -k`.',
  });
}

/** With Sentry alone it is one; who may not list workloads has only the pods to go by. */
function holdsControlPlane({ workloads, pods }: StatusObjects): boolean {
  return (workloads ?? []).some(({ metadata }) => metadata.name === sentryName) || pods.length > 0;
}

async function gatherIn(
  cluster: Cluster,
  namespace: string,
  lookWithoutSecret: LookWithoutSecret | undefined,
): Promise<StatusObjects> {
  const labelSelector = `app in (${statusServices.map(({ name }) => name).join(',')})`;
  const list = <T extends KubeObject>(resource: Resource, metadataOnly = false) =>
    collect<T>(cluster.list<T>(resource, { namespace, labelSelector, metadataOnly }));
  const askForSecret = async () => {
    const secret = await look<SecretData>(cluster, { resource: resources.secrets, namespace, name: trustBundleName });
    return { secret, publicParts: secret.refusal && (await lookWithoutSecret?.(namespace, secret.refusal)) };
  };
  const [pods, deployments, statefulSets, bundle] = await Promise.all([
    list<ControlPlanePod>(resources.pods),
    list<Workload>(resources.deployments),
    list<Workload>(resources.statefulSets),
    askForSecret(),
  ]);
  if (pods.refusal) throw pods.refusal;
  const isRollingOut = deployments.objects?.some((deployment) => !isRolledOut(deployment));
  const replicaSets: Collected<KubeObject> = isRollingOut
    ? await list<KubeObject>(resources.replicaSets, true)
    : { objects: [] };
  return {
    namespace,
    pods: pods.objects ?? [],
    workloads:
      deployments.objects && statefulSets.objects ? [...deployments.objects, ...statefulSets.objects] : undefined,
    replicaSets: replicaSets.objects,
    ...bundle,
    refusals: [deployments, statefulSets, replicaSets].flatMap(({ refusal }) => refusal?.message ?? []),
  };
}

/** All of a list; a refusal (403) is an answer. */
async function collect<T>(list: AsyncIterable<T>): Promise<Collected<T>> {
  const objects: T[] = [];
  try {
    for await (const object of list) objects.push(object);
    return { objects };
  } catch (error) {
    if (error instanceof DaprMtlsError && error.code === 'cluster.forbidden') return { refusal: error };
    throw error;
  }
}

interface Collected<T> {
  readonly objects?: T[];
  readonly refusal?: DaprMtlsError;
}
