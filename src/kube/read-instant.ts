import { DaprMtlsError } from '../errors.ts';
import type { Cluster } from './port.ts';
import { resources } from './resources.ts';

/**
 * The time by the clock of the API server, which stamps every `creationTimestamp`: a ConfigMap is made
 * without being kept. In whole seconds, cut off: the true time is up to a second later. Undefined where
 * this user may not ask.
 * @throws DaprMtlsError `cluster.*` where the API server gives no answer
 */
export async function readInstant(cluster: Cluster, namespace: string): Promise<Date | undefined> {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'dapr-mtls-clock', namespace } };
  try {
    const { metadata } = await cluster.create({ resource: resources.configMaps, namespace }, object, { dryRun: true });
    return metadata.creationTimestamp === undefined ? undefined : new Date(metadata.creationTimestamp);
  } catch (error) {
    if (error instanceof DaprMtlsError && isRefusal(error)) return undefined;
    throw error;
  }
}

function isRefusal({ code }: DaprMtlsError): boolean {
  return code === 'cluster.forbidden' || code === 'cluster.rejected' || code === 'cluster.conflict';
}
