import type { Cluster } from '../port.ts';
import { digestData } from './digest.ts';
import type { OwnerFacts } from './facts.ts';
import { findHelmRelease } from './find-helm.ts';
import { type BundleObject, describeMarks } from './marked-object.ts';
import { findClaims, findHelmTrace } from './marks.ts';

/** The two objects as read, with their metadata; undefined where there is none. */
export interface BundleObjects {
  readonly secret: BundleObject | undefined;
  readonly configMap: BundleObject | undefined;
}

/**
 * Everybody else who keeps the bundle: the Helm release that renders it, and who has marked the two
 * objects. Reads metadata and at most two release Secrets; what this user may not read is "not checked".
 * @throws DaprMtlsError as `Cluster.list` does, but for `cluster.forbidden`
 */
export async function findOwners(
  cluster: Cluster,
  namespace: string,
  { secret, configMap }: BundleObjects,
): Promise<OwnerFacts> {
  const marked = [
    ...(secret ? [describeMarks('Secret', secret)] : []),
    ...(configMap ? [describeMarks('ConfigMap', configMap)] : []),
  ];
  const name = secret?.metadata.name ?? configMap?.metadata.name ?? 'dapr-trust-bundle';
  const helm = await findHelmRelease(cluster, { name, namespace }, [secret, configMap]);
  const traces = helm.state === 'not-checked' ? marked.flatMap((object) => findHelmTrace(object) ?? []) : [];
  return {
    live: {
      Secret: secret && digestData('Secret', secret.data),
      ConfigMap: configMap && digestData('ConfigMap', configMap.data),
    },
    helm,
    claims: [...marked.flatMap(findClaims), ...traces],
  };
}
