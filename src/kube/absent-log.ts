import { apiFailureOf } from './client/failure.ts';

/**
 * True where the kubelet says that there is no such log: the container has not started, or none ran before
 * it. All other refusals leave open whether there is one.
 */
export function isAbsentLog(error: unknown): boolean {
  return apiFailureOf(error)?.status === 400;
}
