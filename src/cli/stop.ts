/** Thrown between two steps when the run is to stop. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly signal: 'SIGINT' | 'SIGTERM';
  /** What is done, what is not, and how to go on, where no journal keeps it. */
  readonly account: { readonly message: string; readonly hint: string } | undefined;

  constructor(signal: 'SIGINT' | 'SIGTERM', account?: Interrupted['account']) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
    this.account = account;
  }
}

export interface StopSwitch {
  /** @throws Interrupted */
  assertRunning(): void;
  /** Sleeps, or wakes at once when a signal of the system comes, or that of the caller. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/**
 * A first signal stops the run at the next safe point; a second one ends the process at once.
 * Only commands that change something install it: the others may simply die.
 * @param account what is said of a stopped run, where its store keeps no journal
 */
export function installStopSwitch(account?: Interrupted['account']): StopSwitch {
  let received: 'SIGINT' | 'SIGTERM' | undefined;
  const sleepers = new Set<() => void>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      received ??= signal;
      for (const wake of sleepers) wake();
    });
  }
  return {
    assertRunning: () => {
      if (received) throw new Interrupted(received, account);
    },
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const timer = setTimeout(wake, ms);
        function wake() {
          clearTimeout(timer);
          sleepers.delete(wake);
          signal?.removeEventListener('abort', wake);
          resolve();
        }
        sleepers.add(wake);
        signal?.addEventListener('abort', wake);
        if (received || signal?.aborted) wake();
      }),
  };
}
