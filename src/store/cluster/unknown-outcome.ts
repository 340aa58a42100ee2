/**
 * Whether a write that failed may have been carried out all the same: its answer was lost, or late.
 * What cannot be told is taken for possible.
 */
export function mayHaveHappened(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  if (typeof cause !== 'object' || cause === null || !('outcomeUnknown' in cause)) return false;
  return cause.outcomeUnknown !== false;
}
