import { readControlPlane } from '../kube/dapr/control-plane.ts';
import { searchControlPlane } from '../kube/dapr/find.ts';
import { defaultNamespace } from '../kube/dapr/services.ts';
import type { Cluster } from '../kube/port.ts';
import { type SecretObject, secretRef } from '../store/cluster/objects.ts';
import { SecretReader } from '../store/cluster/secret-reader.ts';
import { defaultNames, type FileNames } from '../store/file-names.ts';
import type { BundleReader } from '../store/port.ts';
import { openCluster } from './open-cluster.ts';
import type { StoreFlags } from './open-store.ts';

/**
 * The Secret of the control plane, by one GET where everything is called as usual.
 * @throws DaprMtlsError `cluster.*`, `dapr.missing`, `dapr.ambiguous`
 */
export async function openClusterReader(flags: StoreFlags, env: NodeJS.ProcessEnv): Promise<BundleReader> {
  const cluster = await openCluster(flags, env);
  const read = (namespace: string) => cluster.get<SecretObject>(secretRef({ namespace }));
  let namespace = flags.namespace ?? defaultNamespace;
  let secret = await read(namespace);
  if (!secret && flags.namespace === undefined) {
    namespace = await searchControlPlane(cluster);
    secret = await read(namespace);
  }
  const names = await namesIn(secret, cluster, namespace);
  return new SecretReader({ cluster, namespace, names, hasConfigMap: true }, secret);
}

/** Sentry's Deployment is asked only where the Secret lacks one of the usual names. */
async function namesIn(secret: SecretObject | undefined, cluster: Cluster, namespace: string): Promise<FileNames> {
  const keys = Object.keys(secret?.data ?? {});
  const isUsual = keys.length === 0 || Object.values(defaultNames).every((name) => keys.includes(name));
  return isUsual ? defaultNames : (await readControlPlane(cluster, namespace)).fileNames;
}
