/** What asks a run to stop; SIGHUP is the terminal that went away. */
export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** Thrown between two steps when the run is to stop. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly signal: StopSignal;
  /** What is done, what is not, and how to go on, where no journal keeps it. */
  readonly account: { readonly message: string; readonly hint: string } | undefined;

  constructor(signal: StopSignal, account?: Interrupted['account']) {
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
  /**
   * Carries work to its end whatever signals come. Each one is answered, none ends the process, and
   * the run stops at the next safe point behind the work.
   */
  uninterrupted<T>(work: () => Promise<T>, answer: (signal: StopSignal) => void): Promise<T>;
}

/**
 * A first signal stops the run at the next safe point; a second one ends the process at once, but
 * not within what has to come to its end. Only commands that change something install it: the others
 * may simply die.
 * @param account what is said of a stopped run, where its store keeps no journal
 */
export function installStopSwitch(account?: Interrupted['account']): StopSwitch {
  let received: StopSignal | undefined;
  let answerTo: ((signal: StopSignal) => void) | undefined;
  const sleepers = new Set<() => void>();
  const watched = ['SIGINT', 'SIGTERM'] as const;
  const take = (name: NodeJS.Signals) => {
    const signal = name as StopSignal;
    if (!answerTo && received) return end(signal);
    received ??= signal;
    answerTo?.(signal);
    for (const wake of sleepers) wake();
  };
  const end = (signal: StopSignal) => {
    for (const one of watched) process.off(one, take);
    process.kill(process.pid, signal);
  };
  for (const one of watched) process.on(one, take);
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
    uninterrupted: async (work, answer) => {
      answerTo = answer;
      // Elsewhere it ends the process, as it does by default: `nohup` may have it ignored.
      process.on('SIGHUP', take);
      try {
        return await work();
      } finally {
        answerTo = undefined;
        process.off('SIGHUP', take);
      }
    },
  };
}
