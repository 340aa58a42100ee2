import { DaprMtlsError } from '../../errors.ts';
import type { ObjectRef } from '../../kube/port.ts';
import { resources } from '../../kube/resources.ts';
import type { SavedRotation } from '../rotation-port.ts';
import { isConflict } from './conflict.ts';
import type { LeasePlace } from './lease.ts';
import { preconditionsOf, type SecretObject } from './objects.ts';
import { mayHaveHappened } from './unknown-outcome.ts';

/** One Secret of a fixed name: get and patch by resourceNames and one create are all the rights it takes. */
export const recordName = 'dapr-mtls-rotation';
const recordKey = 'rotation.json';

/** Its resourceVersion moves with it, so that no run before this one can write any more. */
const fenceAnnotation = 'dapr-mtls/run';
const fenceAttempts = 5;

/** What a Secret may hold (ValidateSecret in Kubernetes' pkg/apis/core/validation). */
const sizeLimit = 1024 * 1024;

export function recordRef({ namespace }: Pick<LeasePlace, 'namespace'>): ObjectRef {
  return { resource: resources.secrets, namespace, name: recordName };
}

export function readRecord(place: LeasePlace): Promise<SecretObject | undefined> {
  return place.cluster.get<SecretObject>(recordRef(place));
}

export function contentOf(secret: SecretObject | undefined): SavedRotation | undefined {
  const value = secret?.data?.[recordKey];
  return value ? { content: Buffer.from(value, 'base64') } : undefined;
}

/** True where both hold the same record, whatever else was written beside it. */
export function isSameRecord(left: SecretObject | undefined, right: SecretObject | undefined): boolean {
  return (left?.data?.[recordKey] ?? '') === (right?.data?.[recordKey] ?? '');
}

/** @throws DaprMtlsError `store.full` */
export function assertRoom(content: Buffer, { namespace }: LeasePlace): void {
  if (content.length <= sizeLimit) return;
  throw new DaprMtlsError('store.full', {
    message: `the record of the rotation has ${Math.ceil(content.length / 1024)} KiB, and the Secret ${namespace}/${recordName} holds 1024; nothing was written`,
    hint: 'It keeps the bundle of each stage: take anchors that nobody needs out of the bundle, see `dapr-mtls inspect -k`.',
  });
}

/**
 * Writes the record on exactly the state that was read.
 * @param secret undefined where there is none yet
 * @throws DaprMtlsError `cluster.conflict` when somebody else has written it since
 */
export function writeRecord(
  place: LeasePlace,
  secret: SecretObject | undefined,
  content: Buffer,
): Promise<SecretObject> {
  const data = { [recordKey]: content.toString('base64') };
  if (!secret) return createRecord(place, { data });
  const { uid, resourceVersion } = preconditionsOf(secret);
  return place.cluster.patch<SecretObject>(recordRef(place), { metadata: { uid, resourceVersion }, data });
}

/**
 * Touches the Secret, so that what a run before this one is still about to write meets a
 * resourceVersion that is no more. Only after one that died, not after one that ended, it is made
 * where there is none yet: nobody else is about to make it.
 * @returns undefined where there is none
 */
export async function fenceRecord(
  place: LeasePlace,
  runId: string,
  isTakenOver: boolean,
): Promise<SecretObject | undefined> {
  const annotations = { [fenceAnnotation]: runId };
  for (let attempt = 1; ; attempt++) {
    const secret = await readRecord(place);
    if (secret?.metadata.annotations?.[fenceAnnotation] === runId) return secret;
    if (!secret && !isTakenOver) return undefined;
    try {
      if (!secret) return await createRecord(place, { annotations });
      const { uid, resourceVersion } = preconditionsOf(secret);
      const metadata = { uid, resourceVersion, annotations };
      return await place.cluster.patch<SecretObject>(recordRef(place), { metadata });
    } catch (error) {
      const isWorthAnother = isConflict(error) || mayHaveHappened(error);
      if (!isWorthAnother || attempt >= fenceAttempts) throw error;
    }
  }
}

interface NewRecord {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly data?: Readonly<Record<string, string>>;
}

function createRecord(place: LeasePlace, { annotations = {}, data = {} }: NewRecord): Promise<SecretObject> {
  return place.cluster.create<SecretObject>(recordRef(place), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: recordName,
      namespace: place.namespace,
      labels: { 'app.kubernetes.io/managed-by': 'dapr-mtls' },
      annotations,
    },
    type: 'Opaque',
    data,
  });
}
