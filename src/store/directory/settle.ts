import { DaprMtlsError } from '../../errors.ts';
import { lastEventIn } from './read.ts';

export interface Clock {
  readonly now: () => Date;
  /** Resolves after the time, or at once when the run is to stop. */
  readonly sleep: (ms: number) => Promise<void>;
}

/** Longer than this nobody waits for a directory that never rests. */
const patienceMs = 5 * 60_000;

/**
 * Waits until nothing happened in the directory for the time given: a running Sentry reloads 2.5 s
 * after an event and once more for each further name, and a change in the middle of that ends it
 * (measured on 1.17.13).
 * @throws DaprMtlsError `store.not-quiet`
 */
export async function waitUntilQuiet(
  directory: string,
  quietMs: number,
  clock: Clock,
  onWait: (remainingMs: number) => void,
): Promise<void> {
  if (quietMs <= 0) return;
  const started = clock.now().getTime();
  let seen = '';
  let quietSince = 0;
  for (;;) {
    const now = clock.now().getTime();
    const { at, snapshot } = lastEventIn(directory);
    if (snapshot !== seen) {
      seen = snapshot;
      // A time stamp from the future says nothing; what counts then is what this run has watched.
      quietSince = Math.min(at, now);
    }
    const remainingMs = quietSince + quietMs - now;
    if (remainingMs <= 0) return;
    if (now - started > patienceMs + quietMs) {
      throw new DaprMtlsError('store.not-quiet', {
        message: `something keeps changing in ${directory}`,
        hint: 'Find out what writes there. Without a running Sentry, `--settle 0` goes on at once.',
      });
    }
    onWait(remainingMs);
    await clock.sleep(Math.min(remainingMs, 1000));
  }
}
