import { DaprMtlsError } from '../../errors.ts';
import type { ObjectRef } from '../../kube/port.ts';
import { resources } from '../../kube/resources.ts';
import { isConflict } from './conflict.ts';
import type { LeasePlace } from './lease.ts';
import { preconditionsOf, type SecretObject } from './objects.ts';
import { mayHaveHappened } from './unknown-outcome.ts';

/** One Secret of a fixed name: get and patch by resourceNames and one create are all the rights it takes. */
export const recordName = 'dapr-mtls-rotation';
const recordKey = 'rotation.json';
const asidePattern = /^rotation\.unreadable-(\d+)\.json$/;

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

export function contentOf(secret: SecretObject | undefined): { readonly content: Buffer } | undefined {
  const value = secret?.data?.[recordKey];
  return value ? { content: Buffer.from(value, 'base64') } : undefined;
}

export function nameOfRecord({ namespace }: Pick<LeasePlace, 'namespace'>): string {
  return `Secret ${namespace}/${recordName}`;
}

/** True where both hold the same record, whatever else was written beside it. */
export function isSameRecord(left: SecretObject | undefined, right: SecretObject | undefined): boolean {
  return (left?.data?.[recordKey] ?? '') === (right?.data?.[recordKey] ?? '');
}

/** @throws DaprMtlsError `store.full` */
export function assertRoom(content: Buffer, secret: SecretObject | undefined, place: LeasePlace): void {
  const aside = Object.entries(secret?.data ?? {}).filter(([key]) => asidePattern.test(key));
  const asideSize = aside.reduce((sum, [, value]) => sum + (value.length * 3) / 4, 0);
  if (content.length + asideSize <= sizeLimit) return;
  const keys = aside.map(([key]) => key).join(', ');
  throw new DaprMtlsError('store.full', {
    message: `the record of the rotation has ${Math.ceil(content.length / 1024)} KiB, and the ${nameOfRecord(place)} holds ${Math.floor((sizeLimit - asideSize) / 1024)}; nothing was written`,
    hint:
      aside.length > 0
        ? `Earlier records were put aside in it (${keys}): move them away, as \`kubectl edit\` does.`
        : 'It keeps the bundle of each stage: take anchors that nobody needs out of the bundle, see `dapr-mtls inspect -k`.',
  });
}

/**
 * Moves the record to a number under which nobody reads it, on exactly the state that was read.
 * @returns the Secret, and the key
 * @throws DaprMtlsError `cluster.conflict` when somebody else has written it since
 */
export async function setRecordAside(
  place: LeasePlace,
  secret: SecretObject,
): Promise<{ readonly secret: SecretObject; readonly key: string }> {
  const keys = Object.keys(secret.data ?? {});
  const numbers = keys.map((key) => Number(asidePattern.exec(key)?.[1] ?? 0));
  const key = `rotation.unreadable-${Math.max(0, ...numbers) + 1}.json`;
  const { uid, resourceVersion } = preconditionsOf(secret);
  const data = { [recordKey]: null, [key]: secret.data?.[recordKey] };
  const patch = { metadata: { uid, resourceVersion }, data };
  return { secret: await place.cluster.patch<SecretObject>(recordRef(place), patch), key };
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
