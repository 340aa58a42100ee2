import type { ObjectRef } from '../../kube/port.ts';
import { resources } from '../../kube/resources.ts';
import { type ClusterPlace, preconditionsOf, type SecretObject } from './objects.ts';

/**
 * One Secret of a fixed name keeps the backups and the claim of the run at work, so that get and
 * patch by resourceNames and one create are all the rights it takes.
 */
export const keeperName = 'dapr-mtls-backup';

export function keeperRef({ namespace }: Pick<ClusterPlace, 'namespace'>): ObjectRef {
  return { resource: resources.secrets, namespace, name: keeperName };
}

export function readKeeper(place: ClusterPlace): Promise<SecretObject | undefined> {
  return place.cluster.get<SecretObject>(keeperRef(place));
}

/** The JSON under one key of the Secret; undefined for none, and for what is no JSON. */
export function readEntry<T>(keeper: SecretObject | undefined, key: string): T | undefined {
  const value = keeper?.data?.[key];
  if (!value) return undefined;
  try {
    return JSON.parse(Buffer.from(value, 'base64').toString('utf8')) as T;
  } catch {
    return undefined;
  }
}

export function encodeEntry(entry: object): string {
  return Buffer.from(JSON.stringify(entry)).toString('base64');
}

/**
 * Writes entries, null to remove one, on exactly the state that was read.
 * @throws DaprMtlsError `cluster.conflict` when somebody else has written it since
 */
export function writeKeeper(
  place: ClusterPlace,
  keeper: SecretObject | undefined,
  data: Readonly<Record<string, string | null>>,
): Promise<SecretObject> {
  if (keeper) {
    const { uid, resourceVersion } = preconditionsOf(keeper);
    return place.cluster.patch<SecretObject>(keeperRef(place), { metadata: { uid, resourceVersion }, data });
  }
  const present = Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null));
  return place.cluster.create<SecretObject>(keeperRef(place), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: keeperName,
      namespace: place.namespace,
      labels: { 'app.kubernetes.io/managed-by': 'dapr-mtls' },
    },
    type: 'Opaque',
    data: present,
  });
}
