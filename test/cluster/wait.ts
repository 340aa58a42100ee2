import { setTimeout as pause } from 'node:timers/promises';

export interface Patience {
  /** 60 seconds unless told: a busy machine is slow, not broken. */
  readonly timeoutMs?: number;
  readonly everyMs?: number;
}

/**
 * Looks again and again until something is seen.
 * @throws Error with `what` and the last error of looking, when the time is up
 */
export async function waitUntil<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  { timeoutMs = 60_000, everyMs = 50 }: Patience = {},
): Promise<T> {
  const until = Date.now() + timeoutMs;
  let trouble: unknown;
  for (;;) {
    try {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
      trouble = undefined;
    } catch (error) {
      trouble = error;
    }
    if (Date.now() > until) throw new Error(`waited ${timeoutMs / 1000} s in vain: ${what}`, { cause: trouble });
    await pause(everyMs);
  }
}
