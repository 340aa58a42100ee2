import { hasPassed, type Moment } from './moment.ts';

/** Why a watch cannot be alive any more: it turns at least so often, whatever it finds. Undefined while it is. */
export function whyNotAlive(turnedAt: Moment, now: Moment, longestWaitMs: number): string | undefined {
  // A machine that slept has only the clock on the wall against it, and wakes with all its timers.
  const silentMs = now.elapsedMs - turnedAt.elapsedMs;
  return silentMs > 3 * longestWaitMs ? 'the watch does not turn any more' : undefined;
}

/** Why what a watch serves is not to be trusted: three looks in a row brought nothing. Undefined while it is. */
export function whyNotReady(lookedAt: Moment | undefined, now: Moment, everyMs: number): string | undefined {
  if (!lookedAt) return 'no look has succeeded yet';
  return hasPassed(lookedAt, now, 3 * everyMs) ? 'no look has succeeded for long' : undefined;
}
