import { DaprMtlsError } from '../../errors.ts';
import { digest } from '../digest.ts';
import type { KeptConfigMap } from './claim.ts';
import {
  anchorsOf,
  bundleName,
  type ClusterPlace,
  type ConfigMapObject,
  configMapRef,
  filesOf,
  preconditionsOf,
  type SecretObject,
  secretRef,
} from './objects.ts';

/** How long a Sentry that has read the old Secret may take until it reads the ConfigMap. */
export interface Pause {
  /** @throws DaprMtlsError `store.locked` where another run has taken over */
  readonly assertClaimed: () => Promise<void>;
  readonly pauseMs: number;
  readonly sleep: (ms: number) => Promise<void>;
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
export async function putConfigMap(
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

/** One with the anchors, and with all else that the one before it held. */
export function newConfigMap({ namespace, names }: ClusterPlace, kept: KeptConfigMap, anchors: Buffer) {
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

function noAnchors({ namespace, names }: ClusterPlace): DaprMtlsError {
  return new DaprMtlsError('store.missing', {
    message: `the Secret ${namespace}/${bundleName} holds no ${names.anchors}`,
    hint: 'Restore a copy: `dapr-mtls repair -k --from backup`.',
  });
}
