import { type ControlPlane, look } from '../../kube/dapr/control-plane.ts';
import { trustBundleName } from '../../kube/dapr/services.ts';
import type { Cluster } from '../../kube/port.ts';
import { resources } from '../../kube/resources.ts';
import { assertSentryMayStart, type ConfigMapObject, type SecretObject } from './judge-stored-bundle.ts';

/** Both objects of the live bundle, as far as this user may read them. */
export type LiveBundle = Awaited<ReturnType<typeof lookAtBundle>>;

/** @throws DaprMtlsError `cluster.*` but for a right that is missing */
export async function lookAtBundle(cluster: Cluster, namespace: string) {
  const ref = { namespace, name: trustBundleName };
  const [secret, configMap] = await Promise.all([
    look<SecretObject>(cluster, { resource: resources.secrets, ...ref }),
    look<ConfigMapObject>(cluster, { resource: resources.configMaps, ...ref }),
  ]);
  return { secret, configMap };
}

/**
 * That what starts at that instant starts on a bundle by which it can live.
 * @returns what could not be checked, in sentences
 * @throws DaprMtlsError as `assertSentryMayStart` does
 */
export function judgeLiveBundle({ secret, configMap }: LiveBundle, controlPlane: ControlPlane, at: Date): string[] {
  const read = <T>({ presence, object }: { presence: string; object: T | undefined }) =>
    presence === 'unknown' ? 'unread' : object;
  assertSentryMayStart({ secret: read(secret), configMap: read(configMap) }, controlPlane, at);
  const same = 'whether Secret and ConfigMap hold the same anchors';
  return [
    { refusal: secret.refusal, unjudged: `whether Sentry accepts the bundle, and ${same}` },
    { refusal: configMap.refusal, unjudged: same },
  ].flatMap(({ refusal, unjudged }) => (refusal ? `Not checked ${unjudged}: ${refusal.message}` : []));
}
