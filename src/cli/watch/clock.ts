import { performance } from 'node:perf_hooks';
import type { Moment } from '../../app/watch/moment.ts';

/** What time it is, and waiting; a parameter, so that a test need not wait. */
export interface Clock {
  now(): Moment;
  /** Until the time has passed, or the signal comes. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** @param begin the clock on the wall starts there, and runs as the machine's does */
export function systemClock(begin: Date | undefined): Clock {
  const offsetMs = begin ? begin.getTime() - Date.now() : 0;
  return {
    now: () => ({ at: new Date(Date.now() + offsetMs), elapsedMs: performance.now() }),
    wait: (ms, signal) =>
      new Promise((resolve) => {
        const timer = setTimeout(done, ms);
        function done() {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          resolve();
        }
        signal.addEventListener('abort', done);
        if (signal.aborted) done();
      }),
  };
}
