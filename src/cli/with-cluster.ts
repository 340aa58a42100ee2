import { DaprMtlsError } from '../errors.ts';
import type { Cluster } from '../kube/port.ts';
import { type ClusterFlags, openCluster } from './open-cluster.ts';

/**
 * For commands that know clusters alone. The connections are let go of afterwards, so that a request
 * that nobody waits for any more does not keep the program from ending.
 * @throws DaprMtlsError `usage.store` in the official CLI's words where no cluster is meant
 */
export async function withCluster<T>(
  flags: ClusterFlags & { readonly kubernetes: boolean },
  env: NodeJS.ProcessEnv,
  use: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  if (!flags.kubernetes && flags.context === undefined && flags.kubeconfig === undefined) {
    throw new DaprMtlsError('usage.store', {
      message: 'required flag(s) "kubernetes" not set',
      hint: 'Say -k for the cluster of your kubeconfig, or name one with --context or --kubeconfig.',
    });
  }
  const cluster = await openCluster(flags, env);
  try {
    return await use(cluster);
  } finally {
    cluster.close();
  }
}
