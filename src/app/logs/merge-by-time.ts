/** What comes with the instant at which it was written; instants compare as text. */
export interface Timed {
  readonly at: string;
}

export interface MergeOptions {
  /**
   * How long a line waits for an earlier one of a source that is silent; `Infinity`: until that has told
   * something or has ended.
   */
  readonly windowMs: number;
  /** How long a source that has not told anything yet is waited for. */
  readonly startMs: number;
  readonly clock: MergeClock;
}

export interface MergeClock {
  nowMs(): number;
  /** Ends early, without an error, when the signal comes. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export interface Merge<T> {
  /** From now on what it tells is merged, too. */
  add(source: AsyncIterable<T>): void;
  /** No other source will come: the lines end when all sources have. */
  complete(): void;
  /** @throws what a source throws */
  lines(): AsyncGenerator<T>;
}

interface Source<T> {
  readonly openedMs: number;
  /** Each with when it came. */
  readonly queue: { readonly line: T; readonly cameMs: number }[];
  isOpen: boolean;
  hasTold: boolean;
  /** Lets the source go on, which has told more than was taken. */
  goOn: (() => void) | undefined;
}

/** So many lines of a source are held at most. */
const mostHeld = 500;

/**
 * Several logs as one, by time. Each source is in order, but for what was written at nearly the same
 * instant; what comes later than the window is told late rather than never.
 */
export function startMerge<T extends Timed>({ windowMs, startMs, clock }: MergeOptions): Merge<T> {
  const sources = new Set<Source<T>>();
  let isComplete = false;
  let failure: { readonly error: unknown } | undefined;
  /** Nobody waits, or is woken by it. */
  let wake = () => {};

  async function pump(source: Source<T>, lines: AsyncIterable<T>): Promise<void> {
    try {
      for await (const line of lines) {
        source.queue.push({ line, cameMs: clock.nowMs() });
        source.hasTold = true;
        wake();
        if (source.queue.length >= mostHeld) await new Promise<void>((resolve) => (source.goOn = resolve));
      }
    } catch (error) {
      failure ??= { error };
    } finally {
      source.isOpen = false;
      wake();
    }
  }

  async function waitToBeWoken(ms: number): Promise<void> {
    if (ms === Number.POSITIVE_INFINITY) await new Promise<void>((resolve) => (wake = resolve));
    else {
      const waiting = new AbortController();
      wake = () => waiting.abort();
      await clock.wait(ms, waiting.signal);
    }
    wake = () => {};
  }

  /** The source whose first line is the earliest one. */
  function earliest(): Source<T> | undefined {
    let found: Source<T> | undefined;
    for (const source of sources) {
      const [first] = source.queue;
      if (first && (!found || first.line.at < (found.queue[0]?.line.at ?? ''))) found = source;
    }
    return found;
  }

  /** How long the line still waits for those who may tell an earlier one. */
  function msToWait(cameMs: number): number {
    const waits = [...sources]
      .filter(({ queue }) => queue.length === 0)
      .map(({ hasTold, openedMs }) => Math.max(cameMs + windowMs, hasTold ? 0 : openedMs + startMs));
    return waits.length === 0 ? 0 : Math.max(...waits) - clock.nowMs();
  }

  return {
    add(lines) {
      const source = { openedMs: clock.nowMs(), queue: [], isOpen: true, hasTold: false, goOn: undefined };
      sources.add(source);
      void pump(source, lines);
    },
    complete() {
      isComplete = true;
      wake();
    },
    async *lines() {
      for (;;) {
        if (failure) throw failure.error;
        for (const source of sources) if (!source.isOpen && source.queue.length === 0) sources.delete(source);
        const source = earliest();
        const first = source?.queue[0];
        if (!source || !first) {
          if (isComplete && sources.size === 0) return;
          await waitToBeWoken(Number.POSITIVE_INFINITY);
          continue;
        }
        const waitMs = msToWait(first.cameMs);
        if (waitMs > 0) {
          await waitToBeWoken(waitMs);
          continue;
        }
        source.queue.shift();
        if (source.queue.length < mostHeld) source.goOn?.();
        yield first.line;
      }
    },
  };
}
