import { apiFailureOf } from './failure.ts';

/** What time mends: no connection, too many requests, a server that fails. */
export function passes(error: unknown): boolean {
  const failure = apiFailureOf(error);
  if (!failure) return false;
  const { status, reason } = failure;
  if (status === 0) return passingReasons.has(reason);
  return status === 429 || status >= 500;
}

const passingReasons = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'CONNECT_TIMEOUT',
  'TIMEOUT',
]);

const longestPauseMs = 30_000;

/** Before the next try of something that has failed so often in a row. @param random between 0 and 1 */
export function pauseMs(failures: number, random: () => number): number {
  return Math.min(longestPauseMs, 100 * 2 ** Math.min(failures - 1, 10)) * (0.5 + random() / 2);
}
