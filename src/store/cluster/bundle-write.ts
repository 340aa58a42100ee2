import { DaprMtlsError } from '../../errors.ts';
import type { WriteOptions } from '../../kube/port.ts';
import { bundleParts, type FoundFiles } from '../../pki/reading.ts';
import { type KeptConfigMap, keepConfigMap } from './claim.ts';
import { closeGap, fence, newConfigMap, type Pause, putConfigMap } from './close-gap.ts';
import {
  anchorsOf,
  bundleName,
  type ClusterPlace,
  type ConfigMapObject,
  configMapRef,
  preconditionsOf,
  type SecretObject,
  secretRef,
} from './objects.ts';
import { mayHaveHappened } from './unknown-outcome.ts';

/** The Secret's data as a merge patch has it, on exactly the state that was read. */
export interface SecretChange {
  readonly secret: SecretObject;
  /** In base64. */
  readonly data: Readonly<Record<string, string>>;
}

function patchOf({ secret, data }: SecretChange): object {
  return { metadata: preconditionsOf(secret), data };
}

/** For everything but `ca.crt`, and where no ConfigMap is known: one write, and the bundle is the new one. */
export async function writeSecret(place: ClusterPlace, change: SecretChange): Promise<void> {
  await place.cluster.patch(secretRef(place), patchOf(change));
}

/** Asks the server to do that write but the doing. */
export async function rehearseSecret(place: ClusterPlace, change: SecretChange): Promise<void> {
  await place.cluster.patch(secretRef(place), patchOf(change), { dryRun: true });
}

/**
 * Asks the server to do every write of a change of `ca.crt` but the doing: rights, admission and
 * validation may say no while nothing has happened yet.
 * @throws DaprMtlsError `cluster.forbidden`, `cluster.rejected`, `cluster.conflict`
 */
export async function rehearse(place: ClusterPlace, change: SecretChange, configMap: ConfigMapObject): Promise<void> {
  const { cluster, names } = place;
  const dryRun = { dryRun: true };
  await rehearseSecret(place, change);
  await cluster.remove(configMapRef(place), preconditionsOf(configMap), dryRun);
  // One of the same name stands there still, so another one is asked for.
  const probe = newConfigMap(place, keepConfigMap(configMap), anchorsOf(configMap, names) ?? Buffer.from(''));
  const { metadata, ...rest } = probe;
  await cluster.create(
    configMapRef(place),
    { ...rest, metadata: { ...metadata, name: `${bundleName}-rehearsal` } },
    dryRun,
  );
}

/**
 * The write that cannot arm the accident. A Sentry that starts while the `ca.crt` of the two objects
 * differ makes a new root; one that starts while the ConfigMap is missing exits and writes nothing
 * (both measured). So the ConfigMap is absent while the two could differ. Whatever fails in between
 * is undone or finished by `closeGap` before the error goes on.
 * @param anchors that both objects shall hold
 * @param replaced the ConfigMap as it stands, and what of it the new one bears; none where it is missing already
 * @throws DaprMtlsError `cluster.conflict` when somebody else has written either object
 */
export async function writeAnchors(
  place: ClusterPlace,
  change: SecretChange,
  anchors: Buffer,
  { configMap, kept }: ReplacedConfigMap,
  pause: Pause,
): Promise<void> {
  if (configMap) await removeOrPutBack(place, configMap, kept, pause);
  try {
    await (Object.keys(change.data).length > 0 ? writeSecret(place, change) : fence(place));
  } catch (error) {
    const live = await closeGap(place, kept, pause);
    // The answer may have been lost on its way, and the write done.
    if (live.equals(anchors)) return;
    throw error;
  }
  await pause.sleep(pause.pauseMs);
  await putConfigMap(place, kept, pause);
}

/** A deletion whose answer was lost may have been done: then the ConfigMap is put back before the error goes on. */
async function removeOrPutBack(
  place: ClusterPlace,
  configMap: ConfigMapObject,
  kept: KeptConfigMap,
  pause: Pause,
): Promise<void> {
  try {
    await removeConfigMap(place, configMap);
  } catch (error) {
    if (mayHaveHappened(error)) await closeGap(place, kept, pause);
    throw error;
  }
}

/** @throws DaprMtlsError `cluster.conflict` where it is another one by now, or gone */
export async function removeConfigMap(place: ClusterPlace, configMap: ConfigMapObject): Promise<void> {
  const wasThere = await place.cluster.remove(configMapRef(place), preconditionsOf(configMap));
  if (!wasThere) throw gone(place);
}

/** With the labels and annotations by which a chart knows its own objects. */
export async function createSecret(
  place: ClusterPlace,
  files: FoundFiles,
  { labels, annotations }: Pick<KeptConfigMap, 'labels' | 'annotations'>,
  options?: WriteOptions,
): Promise<void> {
  const data = Object.fromEntries(
    bundleParts.map((part) => [place.names[part], (files[part] ?? Buffer.alloc(0)).toString('base64')]),
  );
  const metadata = { name: bundleName, namespace: place.namespace, labels, annotations };
  await place.cluster.create(
    secretRef(place),
    { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data },
    options,
  );
}

export interface ReplacedConfigMap {
  readonly configMap: ConfigMapObject | undefined;
  readonly kept: KeptConfigMap;
}

function gone({ namespace }: ClusterPlace): DaprMtlsError {
  return new DaprMtlsError('cluster.conflict', {
    message: `the ConfigMap ${namespace}/${bundleName} was deleted by somebody else meanwhile; nothing was written`,
    hint: 'Wait until the other run has ended, look at it with `dapr-mtls check -k`, then run the command again.',
  });
}
