import { DaprMtlsError } from '../../errors.ts';
import type { KubeObject, ObjectRef, PatchOptions, Preconditions, WriteOptions } from '../port.ts';
import { call, type Line } from './call.ts';
import { type ApiFailure, apiFailureOf } from './failure.ts';
import { containsPatch } from './merge-patch.ts';
import { getObject } from './read.ts';
import { type ApiRequest, collectionPath, describeTarget, type Effect, objectPath, withQuery } from './request.ts';

/** Who a change is recorded for, in managedFields. */
const fieldManager = 'dapr-mtls';

const patchTypes = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const;

const parametersOf = ({ dryRun }: WriteOptions) => ({ fieldManager, dryRun: dryRun ? 'All' : undefined });

/** @throws DaprMtlsError `cluster.conflict` where an object of that name exists */
export function createObject<T>(
  line: Line,
  { resource, namespace }: Omit<ObjectRef, 'name'>,
  object: object,
  options: WriteOptions,
): Promise<T> {
  const { metadata } = object as { metadata?: { name?: string } };
  return call<T>(line, {
    verb: 'create',
    resource,
    namespace,
    name: metadata?.name,
    path: withQuery(collectionPath(resource, namespace), parametersOf(options)),
    contentType: 'application/json',
    body: JSON.stringify(object),
    effect: options.dryRun ? 'none' : 'each-time',
  });
}

/**
 * A patch that names `metadata.resourceVersion` may be sent again after an answer that was lost: if
 * the first one was carried out, the second meets another resourceVersion and gets 409. That 409 is
 * then no news, so the object is read: if it holds all that the patch asks for, the change is made,
 * by this run or word for word by another, and the object is the result. Otherwise somebody has
 * changed it, before or after us: a conflict, and the error says that the outcome is unknown.
 * @throws DaprMtlsError `cluster.conflict` for another state, also where the object is gone
 */
export async function patchObject<T extends KubeObject>(
  line: Line,
  ref: ObjectRef,
  patch: object,
  { type = 'merge', dryRun = false }: PatchOptions,
): Promise<T> {
  const { metadata } = patch as { metadata?: { resourceVersion?: string } };
  const request: ApiRequest = {
    verb: 'patch',
    ...ref,
    namespace: ref.namespace,
    path: withQuery(objectPath(ref), parametersOf({ dryRun })),
    contentType: patchTypes[type],
    body: JSON.stringify(patch),
    effect: effectOf(dryRun, metadata?.resourceVersion !== undefined),
  };
  try {
    return await call<T>(line, request);
  } catch (error) {
    const failure = apiFailureOf(error);
    if (failure?.status === 404) throw gone(request, failure);
    if (failure?.status !== 409 || !failure.outcomeUnknown) throw error;
    const found = await getObject<T>(line, ref);
    if (found && containsPatch(found, patch)) return found;
    throw unknownOutcome(request, failure);
  }
}

/**
 * A deletion names uid and resourceVersion. If the answer to it was lost and the next try finds no
 * such object, or finds it being deleted, then it is done: what the caller wanted gone is gone. If it
 * is there and was changed, it was not deleted by us, for a deletion is never taken back.
 * @returns false where the object was gone already
 * @throws DaprMtlsError `cluster.conflict` where it is another one, or was changed
 */
export async function removeObject(
  line: Line,
  ref: ObjectRef,
  { uid, resourceVersion }: Preconditions,
  { dryRun = false }: WriteOptions,
): Promise<boolean> {
  const request: ApiRequest = {
    verb: 'delete',
    ...ref,
    namespace: ref.namespace,
    path: withQuery(objectPath(ref), { dryRun: dryRun ? 'All' : undefined }),
    contentType: 'application/json',
    body: JSON.stringify({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid, resourceVersion },
      propagationPolicy: 'Background',
      // Where a deletion has a body the server passes over the query (apiserver, DeleteResource).
      ...(dryRun ? { dryRun: ['All'] } : {}),
    }),
    effect: effectOf(dryRun, true),
  };
  try {
    await call(line, request);
    return true;
  } catch (error) {
    const failure = apiFailureOf(error);
    if (failure?.status === 404) return failure.outcomeUnknown;
    if (failure?.status !== 409 || !failure.outcomeUnknown) throw error;
    const found = await getObject(line, ref);
    if (!found) return true;
    if (found.metadata.uid !== uid) throw unknownOutcome(request, failure);
    if (found.metadata.deletionTimestamp !== undefined) return true;
    throw changed(request, failure);
  }
}

function effectOf(dryRun: boolean, hasPreconditions: boolean): Effect {
  if (dryRun) return 'none';
  return hasPreconditions ? 'once' : 'each-time';
}

function gone(request: ApiRequest, failure: ApiFailure): DaprMtlsError {
  const unknown = failure.outcomeUnknown ? '; whether it was changed before that is not known' : '';
  return new DaprMtlsError('cluster.conflict', {
    message: `${describeTarget(request)} is not there any more${unknown}`,
    hint: 'See who removed it, then run the command again.',
    cause: failure,
  });
}

function changed(request: ApiRequest, failure: ApiFailure): DaprMtlsError {
  return new DaprMtlsError('cluster.conflict', {
    message: `${describeTarget(request)} was changed by somebody else since it was read`,
    hint: 'Look at it, then run the command again.',
    cause: { ...failure, outcomeUnknown: false } satisfies ApiFailure,
  });
}

function unknownOutcome(request: ApiRequest, failure: ApiFailure): DaprMtlsError {
  return new DaprMtlsError('cluster.conflict', {
    message: `the answer to ${request.verb} ${describeTarget(request)} was lost, and it was changed by somebody else since: whether the change was made in between is not known`,
    hint: 'Look at it, then run the command again.',
    cause: failure,
  });
}
