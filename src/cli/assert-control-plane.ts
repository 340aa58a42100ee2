import { DaprMtlsError } from '../errors.ts';
import { type ControlPlane, look } from '../kube/dapr/control-plane.ts';
import { sentryName } from '../kube/dapr/services.ts';
import type { Cluster } from '../kube/port.ts';
import { configMapRef, secretRef } from '../store/cluster/objects.ts';

/**
 * That a namespace which was named is a control plane's. A bundle may lie there before Sentry does, and
 * a Sentry without its bundle is what most needs to be looked at: only where neither is there is none.
 * @throws DaprMtlsError `dapr.missing`
 */
export async function assertControlPlane(
  cluster: Cluster,
  { namespace, sentry }: Pick<ControlPlane, 'namespace' | 'sentry'>,
): Promise<void> {
  if (sentry !== 'absent') return;
  const objects = await Promise.all([
    look(cluster, secretRef({ namespace })),
    look(cluster, configMapRef({ namespace })),
  ]);
  if (objects.some(({ presence }) => presence !== 'absent')) return;
  throw noControlPlane(namespace);
}

export function noControlPlane(namespace: string): DaprMtlsError {
  return new DaprMtlsError('dapr.missing', {
    message: `there is no control plane in namespace ${namespace}: no Deployment ${sentryName}, and no bundle`,
    hint: 'Name its namespace with -n, another cluster with --context, or install it: `dapr init -k`.',
  });
}
