import type { KubeObject, ObjectRef } from '../port.ts';
import { call, type Line } from './call.ts';
import { apiFailureOf } from './failure.ts';
import { objectPath } from './request.ts';

/** Undefined where there is no such object. @throws DaprMtlsError `cluster.*` */
export async function getObject<T extends KubeObject>(line: Line, ref: ObjectRef): Promise<T | undefined> {
  const { resource, namespace, name } = ref;
  try {
    return await call<T>(line, { verb: 'get', resource, namespace, name, path: objectPath(ref), effect: 'none' });
  } catch (error) {
    if (isNotFound(error, resource.group)) return undefined;
    throw error;
  }
}

/**
 * Where a kind is not installed its whole path is missing, and the server says so without a Status.
 * The core group is never missing: such an answer is no API server's.
 */
export function isNotFound(error: unknown, group: string): boolean {
  const failure = apiFailureOf(error);
  return failure?.status === 404 && (failure.reason === 'NotFound' || group !== '');
}
