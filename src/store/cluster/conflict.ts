import { DaprMtlsError } from '../../errors.ts';

/** True where somebody else has written, made or removed the object since it was read. */
export function isConflict(error: unknown): boolean {
  return error instanceof DaprMtlsError && error.code === 'cluster.conflict';
}
