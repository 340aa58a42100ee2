import { type ControlPlane, readControlPlane } from '../kube/dapr/control-plane.ts';
import { findControlPlane } from '../kube/dapr/find.ts';
import type { Cluster } from '../kube/port.ts';
import { isAtLeast } from '../pki/rules/context.ts';
import { type ClusterPlace, configMapRef } from '../store/cluster/objects.ts';
import { openCluster } from './open-cluster.ts';
import type { StoreFlags } from './open-store.ts';

/** A control plane and where its bundle lies. */
export interface ClusterSite {
  readonly cluster: Cluster;
  readonly controlPlane: ControlPlane;
  readonly place: ClusterPlace;
}

/** @throws DaprMtlsError `cluster.*`, `dapr.missing`, `dapr.ambiguous` */
export async function openClusterSite(flags: StoreFlags, env: NodeJS.ProcessEnv): Promise<ClusterSite> {
  const cluster = await openCluster(flags, env);
  return readClusterSite(cluster, await findControlPlane(cluster, flags.namespace));
}

/** @throws DaprMtlsError `cluster.*` */
export async function readClusterSite(cluster: Cluster, namespace: string): Promise<ClusterSite> {
  const controlPlane = await readControlPlane(cluster, namespace);
  return { cluster, controlPlane, place: await findPlace(cluster, controlPlane) };
}

/**
 * The ConfigMap came with Dapr 1.12 (pkg/sentry/server/ca/kube.go). The tag of an image may be
 * anybody's own, so an older one counts only where there is no ConfigMap either.
 */
async function findPlace(
  cluster: Cluster,
  { namespace, fileNames: names, release }: ControlPlane,
): Promise<ClusterPlace> {
  const isOld = release !== undefined && !isAtLeast(release, 1, 12);
  const hasConfigMap = !isOld || (await cluster.get(configMapRef({ namespace }))) !== undefined;
  return { cluster, namespace, names, hasConfigMap };
}
