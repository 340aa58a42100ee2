/** Thrown between two steps when the run is to stop; the journal keeps what is left to do. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly signal: 'SIGINT' | 'SIGTERM';

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }
}

export interface StopSwitch {
  /** @throws Interrupted */
  assertRunning(): void;
  /** Sleeps, or wakes at once when a signal comes. */
  sleep(ms: number): Promise<void>;
}

/**
 * A first signal stops the run at the next safe point; a second one ends the process at once.
 * Only commands that change something install it: the others may simply die.
 */
export function installStopSwitch(): StopSwitch {
  let received: 'SIGINT' | 'SIGTERM' | undefined;
  let wake: (() => void) | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      received ??= signal;
      wake?.();
    });
  }
  return {
    assertRunning: () => {
      if (received) throw new Interrupted(received);
    },
    sleep: (ms) =>
      new Promise((resolve) => {
        const timer = setTimeout(done, ms);
        function done() {
          clearTimeout(timer);
          wake = undefined;
          resolve();
        }
        wake = done;
        if (received) done();
      }),
  };
}
