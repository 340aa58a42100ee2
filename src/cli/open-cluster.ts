import { DaprMtlsError } from '../errors.ts';
import type { Cluster } from '../kube/port.ts';

/** The flags by which a command is told its cluster (`clusterFlags`). */
export interface ClusterFlags {
  readonly context: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly 'request-timeout': number;
}

/** @throws DaprMtlsError `cluster.kubeconfig`, `cluster.credentials` */
export async function openCluster(_flags: ClusterFlags, _env: NodeJS.ProcessEnv): Promise<Cluster> {
  throw new DaprMtlsError('cluster.kubeconfig', { message: 'no client yet', hint: 'Wait for it.' });
}
