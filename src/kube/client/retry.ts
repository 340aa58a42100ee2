import type { Broken } from './answer.ts';
import type { Effect } from './request.ts';

/** An answer whose status is no success. */
export interface Refused {
  readonly kind: 'refused';
  readonly status: number;
  /** `Retry-After` as it was sent. */
  readonly retryAfter: string | undefined;
  readonly text: string;
}

const mostTries = 5;
const firstPauseMs = 100;

const passing = new Set(['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'EAI_AGAIN']);
const serverFailures = new Set([500, 502, 503, 504]);

/**
 * How long to wait before the next try; undefined: there is to be none. What the server cannot have
 * carried out (refused connections, 429) may always be tried again, what it may have only where a
 * second time does no harm.
 * @param tries how many there have been
 * @param random from 0 up to 1: clients that failed together must not come back together
 */
export function pauseBeforeRetryMs(
  outcome: Refused | Broken,
  effect: Effect,
  tries: number,
  random: () => number,
): number | undefined {
  if (tries >= mostTries || !isPassing(outcome)) return undefined;
  if (effect === 'each-time' && mayHaveHappened(outcome)) return undefined;
  const backoffMs = firstPauseMs * 2 ** (tries - 1) * (0.5 + random() / 2);
  return Math.max(outcome.kind === 'refused' ? retryAfterMs(outcome.retryAfter) : 0, backoffMs);
}

function isPassing(outcome: Refused | Broken): boolean {
  if (outcome.kind === 'broken') return passing.has(outcome.code);
  return outcome.status === 429 || serverFailures.has(outcome.status);
}

/** True where a request may have been carried out although it failed. */
export function mayHaveHappened(outcome: Refused | Broken): boolean {
  return outcome.kind === 'broken' ? outcome.sent : outcome.status >= 500;
}

/** API servers send seconds, never a date. */
function retryAfterMs(text: string | undefined): number {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) * 1000 : 0;
}
