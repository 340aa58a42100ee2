import { gatherStatus, type StatusObjects } from '../app/status/gather.ts';
import type { Cluster } from '../kube/port.ts';

export interface StatusFlags {
  readonly namespace: string | undefined;
  readonly 'sentry-address': string | undefined;
}

/** What reads without the Secret is loaded only where that is refused. @throws DaprMtlsError as `gatherStatus` does */
export function readStatus(cluster: Cluster, flags: StatusFlags): Promise<StatusObjects> {
  return gatherStatus(cluster, flags.namespace, async (namespace, refusal) => {
    const { lookWithoutSecret } = await import('./without-secret.ts');
    return lookWithoutSecret(cluster, { namespace, sentryAddress: flags['sentry-address'] }, refusal);
  });
}
