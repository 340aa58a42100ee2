import { DaprMtlsError } from '../errors.ts';
import { type Looked, look, readControlPlane } from '../kube/dapr/control-plane.ts';
import { searchControlPlane } from '../kube/dapr/find.ts';
import { defaultNamespace } from '../kube/dapr/services.ts';
import type { Cluster } from '../kube/port.ts';
import { type ConfigMapObject, configMapRef, type SecretObject, secretRef } from '../store/cluster/objects.ts';
import { SecretReader } from '../store/cluster/secret-reader.ts';
import { defaultNames, type FileNames } from '../store/file-names.ts';
import type { BundleReader } from '../store/port.ts';
import { openCluster } from './open-cluster.ts';
import type { PublicParts, StoreFlags } from './open-store.ts';

/**
 * The Secret of the control plane, by one GET where everything is called as usual.
 * @param publicParts where that is refused (403), ConfigMap and Sentry's own certificate will do
 * @throws DaprMtlsError `cluster.*`, `dapr.missing`, `dapr.ambiguous`; `trust.refused` where who answers in
 * Sentry's place is not Sentry
 */
export async function openClusterReader(
  flags: StoreFlags,
  env: NodeJS.ProcessEnv,
  publicParts: PublicParts | undefined,
): Promise<BundleReader> {
  const cluster = await openCluster(flags, env);
  const read = (namespace: string) => look<SecretObject>(cluster, secretRef({ namespace }));
  let namespace = flags.namespace ?? defaultNamespace;
  let secret = await read(namespace);
  if (flags.namespace === undefined && (await isElsewhere(cluster, secret, publicParts))) {
    namespace = await searchControlPlane(cluster).catch((error) => throwFirst(secret.refusal, error));
    secret = await read(namespace);
  }
  if (secret.refusal) {
    if (!publicParts) throw secret.refusal;
    const { readWithoutSecret } = await import('./without-secret.ts');
    return readWithoutSecret(cluster, { namespace, ...publicParts }, secret.refusal);
  }
  const names = await namesIn(secret.object, cluster, namespace);
  return new SecretReader({ cluster, namespace, names, hasConfigMap: true }, secret.object);
}

/** The usual namespace without the Secret; where that may not be read, without the ConfigMap. */
async function isElsewhere(
  cluster: Cluster,
  secret: Looked<SecretObject>,
  publicParts: PublicParts | undefined,
): Promise<boolean> {
  if (!secret.refusal) return secret.presence === 'absent';
  if (!publicParts) return false;
  return (await look<ConfigMapObject>(cluster, configMapRef({ namespace: defaultNamespace }))).presence === 'absent';
}

/** Who may not search either is told of the Secret, which is what was wanted. */
function throwFirst(refusal: DaprMtlsError | undefined, error: unknown): never {
  const isRefusal = error instanceof DaprMtlsError && ['cluster.forbidden', 'dapr.missing'].includes(error.code);
  throw refusal && isRefusal ? refusal : error;
}

/** Sentry's Deployment is asked only where the Secret lacks one of the usual names. */
async function namesIn(secret: SecretObject | undefined, cluster: Cluster, namespace: string): Promise<FileNames> {
  const keys = Object.keys(secret?.data ?? {});
  const isUsual = keys.length === 0 || Object.values(defaultNames).every((name) => keys.includes(name));
  return isUsual ? defaultNames : (await readControlPlane(cluster, namespace)).fileNames;
}
