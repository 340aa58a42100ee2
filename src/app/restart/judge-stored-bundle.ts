import { DaprMtlsError } from '../../errors.ts';
import type { ControlPlane } from '../../kube/dapr/control-plane.ts';
import { trustBundleName } from '../../kube/dapr/services.ts';
import type { KubeObject } from '../../kube/port.ts';
import { whySentryRefuses } from '../../pki/sentry.ts';

interface DataObject extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}
export type SecretObject = DataObject;
export type ConfigMapObject = DataObject;

/** The two objects of a bundle; 'unread' where this user may not read one. */
export interface StoredObjects {
  readonly secret: SecretObject | undefined | 'unread';
  readonly configMap: ConfigMapObject | undefined | 'unread';
}

type Place = Pick<ControlPlane, 'namespace' | 'fileNames' | 'release'>;

/**
 * That a Sentry which starts at that instant takes the bundle as it is. It makes a new root, and cuts
 * off every running sidecar, if the Secret lacks a part or the two objects differ by a byte; it exits if
 * one of them is missing, or if it refuses what they hold (pkg/sentry/server/ca/kube.go, validate.go).
 * What may not be read is not judged.
 * @throws DaprMtlsError `store.missing`, `store.mismatch`, `trust.refused`
 */
export function assertSentryMayStart(objects: StoredObjects, place: Place, at: Date): void {
  assertWhole(objects, place);
  assertAccepted(objects, place, at);
}

function assertWhole({ secret, configMap }: StoredObjects, { namespace, fileNames, release }: Place): void {
  const where = `${namespace}/${trustBundleName}`;
  if (secret !== 'unread') {
    const lacking = Object.values(fileNames).find((name) => !secret?.data?.[name]);
    if (!secret) throw missing(`there is no Secret ${where}: a Sentry that starts now exits`, 'backup');
    if (lacking)
      throw missing(`the Secret ${where} has no ${lacking}: a Sentry that starts now makes a new root`, 'backup');
  }
  if (configMap === 'unread' || !knowsConfigMap(release, configMap)) return;
  if (!configMap) throw missing(`there is no ConfigMap ${where}: a Sentry that starts now exits`, 'secret');
  const anchors = configMap.data?.[fileNames.anchors];
  if (!anchors)
    throw missing(
      `the ConfigMap ${where} has no ${fileNames.anchors}: a Sentry that starts now makes a new root`,
      'secret',
    );
  if (secret === 'unread' || secret?.data?.[fileNames.anchors] === Buffer.from(anchors).toString('base64')) return;
  throw new DaprMtlsError('store.mismatch', {
    message: `Secret and ConfigMap ${where} hold different ${fileNames.anchors}: a Sentry that starts now makes a new root, and cuts off every sidecar; nothing was restarted`,
    hint: 'Make them one bundle again: `dapr-mtls repair -k --from secret` or `--from configmap`.',
  });
}

/** A Sentry that runs may serve for weeks on what it would refuse at its start. */
function assertAccepted({ secret }: StoredObjects, { namespace, fileNames }: Place, at: Date): void {
  if (secret === 'unread') return;
  const read = (name: string) => Buffer.from(secret?.data?.[name] ?? '', 'base64');
  const { anchors, issuerChain, issuerKey } = fileNames;
  const files = { anchors: read(anchors), issuerChain: read(issuerChain), issuerKey: read(issuerKey) };
  const refusal = whySentryRefuses(files, at);
  if (refusal === undefined) return;
  throw new DaprMtlsError('trust.refused', {
    message: `a Sentry that starts now refuses the bundle in ${namespace}/${trustBundleName}, and does not come back: ${refusal}; nothing was restarted`,
    hint: 'See what is wrong: `dapr-mtls check -k`. A copy from before: `dapr-mtls repair -k --from backup`; what has ended is renewed: `dapr-mtls renew-certificate -k`.',
  });
}

/** Dapr up to 1.11 keeps the bundle in the Secret alone; the tag of an image may be anybody's own. */
function knowsConfigMap(release: ControlPlane['release'], configMap: ConfigMapObject | undefined): boolean {
  if (configMap !== undefined) return true;
  return release !== undefined && (release.major > 1 || release.minor >= 12);
}

/** @param from what is left to make the bundle whole by */
function missing(message: string, from: 'secret' | 'backup'): DaprMtlsError {
  const mend =
    from === 'backup'
      ? 'Bring a copy back: `dapr-mtls repair -k --from backup`.'
      : 'Finish a change that was interrupted: `dapr-mtls repair -k`. Else take what the Secret holds: `dapr-mtls repair -k --from secret`.';
  return new DaprMtlsError('store.missing', {
    message: `${message}; nothing was restarted`,
    hint: `See what stands there: \`dapr-mtls check -k\`. ${mend}`,
  });
}
