import type { ClusterAddress } from '../kube/port.ts';

/** Which control plane a report is about. */
export interface ClusterReport {
  /** Null inside a cluster, where no context is named. */
  readonly context: string | null;
  readonly server: string;
  readonly namespace: string;
}

export function describeCluster({ context, server }: ClusterAddress, namespace: string): ClusterReport {
  return { context: context ?? null, server, namespace };
}

/** For standard error: a script that reads standard output must not stumble over it. */
export function clusterRemark({ context, server, namespace }: ClusterReport): string {
  return `Control plane: namespace ${namespace}, ${context === null ? server : `context ${context} (${server})`}`;
}
