import { DaprMtlsError } from '../../errors.ts';
import type { FileNames } from '../file-names.ts';
import {
  anchorsOf,
  bundleName,
  type ClusterPlace,
  type ConfigMapObject,
  configMapRef,
  filesOf,
  preconditionsOf,
  readObjects,
  type SecretObject,
  secretRef,
} from './objects.ts';

/**
 * Reads both objects again. Should they differ, the ConfigMap is taken away at once: better a
 * Sentry that waits than one that makes a new root.
 * @throws DaprMtlsError `store.mismatch`, `store.replaced`
 */
export async function readBack(place: ClusterPlace, expected: Readonly<Record<string, string>>): Promise<void> {
  const { secret, configMap } = await readObjects(place);
  const { names, namespace } = place;
  const isWritten = Object.entries(expected).every(([name, value]) => secret?.data?.[name] === value);
  if (place.hasConfigMap && secret && configMap && !isSame(secret, configMap, names)) {
    const again = await place.cluster.get<SecretObject>(secretRef(place));
    if (again && !isSame(again, configMap, names)) {
      await place.cluster.remove(configMapRef(place), preconditionsOf(configMap));
      throw new DaprMtlsError('store.mismatch', {
        message: `somebody else wrote ${namespace}/${bundleName} at the same moment; the ConfigMap was taken away, so that no Sentry starts on two different roots`,
        hint: 'Make both one bundle again: `dapr-mtls repair -k --from secret`.',
      });
    }
  }
  if (isWritten && (configMap || !place.hasConfigMap)) return;
  throw new DaprMtlsError('store.replaced', {
    message: `${namespace}/${bundleName} was changed by somebody else right after it was written`,
    hint: 'Look at it with `dapr-mtls check -k`; find out who writes there with `kubectl get --show-managed-fields`.',
  });
}

function isSame(secret: SecretObject, configMap: ConfigMapObject, names: FileNames): boolean {
  const { anchors } = filesOf(secret, names);
  const others = anchorsOf(configMap, names);
  return anchors !== undefined && others !== undefined && anchors.equals(others);
}
