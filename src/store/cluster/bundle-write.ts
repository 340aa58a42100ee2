import { DaprMtlsError } from '../../errors.ts';
import type { WriteOptions } from '../../kube/port.ts';
import { bundleParts, type FoundFiles } from '../../pki/reading.ts';
import { digest } from '../digest.ts';
import type { FileNames } from '../file-names.ts';
import { type KeptConfigMap, keepConfigMap } from './claim.ts';
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
import { mayHaveHappened } from './unknown-outcome.ts';

/** How long a Sentry that has read the old Secret may take until it reads the ConfigMap. */
export interface Pause {
  /** @throws DaprMtlsError `store.locked` where another run has taken over */
  readonly assertClaimed: () => Promise<void>;
  readonly pauseMs: number;
  readonly sleep: (ms: number) => Promise<void>;
}

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

/**
 * Makes the ConfigMap anew from what the Secret holds, whoever left it missing. The Secret is
 * touched first: a run that was thought dead and still holds its old resourceVersion cannot write
 * it any more.
 * @returns the anchors that now stand in both objects
 * @throws DaprMtlsError `store.missing` where the Secret has none
 */
export async function closeGap(place: ClusterPlace, kept: KeptConfigMap, pause: Pause): Promise<Buffer> {
  try {
    await fence(place);
  } catch (error) {
    // Who may not touch the Secret must not leave the ConfigMap away for that.
    if (!(error instanceof DaprMtlsError) || error.code !== 'cluster.forbidden') throw leftOpen(place, error);
  }
  await pause.sleep(pause.pauseMs);
  return putConfigMap(place, kept, pause);
}

const fenceAnnotation = 'dapr-mtls/fence';
const fenceAttempts = 5;

/** Moves the Secret's resourceVersion and returns the anchors it holds at that moment. */
export async function fence(place: ClusterPlace): Promise<Buffer> {
  for (let attempt = 1; ; attempt++) {
    const secret = await place.cluster.get<SecretObject>(secretRef(place));
    const { anchors } = filesOf(secret, place.names);
    if (!secret || !anchors) throw noAnchors(place);
    const { uid, resourceVersion } = preconditionsOf(secret);
    const annotations = { [fenceAnnotation]: digest(Buffer.from(`${resourceVersion} ${attempt}`)).slice(0, 16) };
    try {
      await place.cluster.patch(secretRef(place), { metadata: { uid, resourceVersion, annotations } });
      return anchors;
    } catch (error) {
      const isBeaten = error instanceof DaprMtlsError && error.code === 'cluster.conflict';
      if (!isBeaten || attempt >= fenceAttempts) throw error;
    }
  }
}

/** A single API server that restarts is away for the better part of a minute. */
const putFailures = 60;
/** Who writes again and again meanwhile is not outlasted. */
const putAttempts = 10;
const putRetryMs = 1000;

/**
 * Puts the ConfigMap there with the anchors that the Secret holds at that moment, whoever wrote them:
 * tried until both are seen to hold the same, for while it is missing no Sentry can start. A run
 * whose claim was taken over writes nothing any more.
 * @returns the anchors that stand in both
 */
async function putConfigMap(
  place: ClusterPlace,
  kept: KeptConfigMap,
  { sleep, assertClaimed }: Pause,
): Promise<Buffer> {
  let failures = 0;
  for (let attempt = 1; attempt <= putAttempts; ) {
    try {
      await assertClaimed();
      const anchors = await liveAnchors(place);
      await createOrAlign(place, kept, anchors);
      if ((await liveAnchors(place)).equals(anchors)) return anchors;
      attempt++;
    } catch (error) {
      failures++;
      if (isFinal(error) || failures >= putFailures) throw leftOpen(place, error);
      await sleep(putRetryMs);
    }
  }
  throw restless(place);
}

/** What no patience mends: a right that is missing, a Secret without anchors, a claim that is another run's now. */
function isFinal(error: unknown): boolean {
  if (!(error instanceof DaprMtlsError)) return true;
  return ['cluster.forbidden', 'store.missing', 'store.locked'].includes(error.code);
}

async function liveAnchors(place: ClusterPlace): Promise<Buffer> {
  const { anchors } = filesOf(await place.cluster.get<SecretObject>(secretRef(place)), place.names);
  if (!anchors) throw noAnchors(place);
  return anchors;
}

/** One that somebody else has made meanwhile is brought to the same anchors. */
async function createOrAlign(place: ClusterPlace, kept: KeptConfigMap, anchors: Buffer): Promise<void> {
  const present = await place.cluster.get<ConfigMapObject>(configMapRef(place));
  if (!present) {
    await place.cluster.create(configMapRef(place), newConfigMap(place, kept, anchors));
    return;
  }
  if (anchorsOf(present, place.names)?.equals(anchors)) return;
  const data = { [place.names.anchors]: anchors.toString('utf8') };
  await place.cluster.patch(configMapRef(place), { metadata: preconditionsOf(present), data });
}

function leftOpen({ namespace }: ClusterPlace, cause: unknown): unknown {
  if (!(cause instanceof DaprMtlsError) || cause.code === 'store.locked') return cause;
  return new DaprMtlsError(cause.code, {
    message: `the ConfigMap ${namespace}/${bundleName} could not be put back, and no Sentry starts until it is there: ${cause.message}`,
    hint: `Finish it as soon as the cluster answers: \`dapr-mtls repair -k\`. ${cause.hint}`,
    cause,
  });
}

function restless({ namespace }: ClusterPlace): DaprMtlsError {
  return new DaprMtlsError('store.conflict', {
    message: `somebody else writes ${namespace}/${bundleName} again and again`,
    hint: 'Find out who writes there (`kubectl get secret --show-managed-fields`), then look at it: `dapr-mtls check -k`.',
  });
}

function newConfigMap({ namespace, names }: ClusterPlace, kept: KeptConfigMap, anchors: Buffer) {
  const { labels, annotations, data, binaryData, immutable } = kept;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: bundleName, namespace, labels, annotations },
    data: { ...data, [names.anchors]: anchors.toString('utf8') },
    ...(Object.keys(binaryData).length > 0 ? { binaryData } : {}),
    ...(immutable ? { immutable } : {}),
  };
}

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

function gone({ namespace }: ClusterPlace): DaprMtlsError {
  return new DaprMtlsError('cluster.conflict', {
    message: `the ConfigMap ${namespace}/${bundleName} was deleted by somebody else meanwhile; nothing was written`,
    hint: 'Wait until the other run has ended, look at it with `dapr-mtls check -k`, then run the command again.',
  });
}

function noAnchors({ namespace, names }: ClusterPlace): DaprMtlsError {
  return new DaprMtlsError('store.missing', {
    message: `the Secret ${namespace}/${bundleName} holds no ${names.anchors}`,
    hint: 'Restore a copy: `dapr-mtls repair -k --from backup`.',
  });
}
