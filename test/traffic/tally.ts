/** What became of calls. */
export interface Tally {
  readonly made: number;
  readonly failed: number;
  readonly seconds: number;
  /** What the sides that refused have said, by what was going on: how often. Sentry may be refused, too. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** What a service tells of its calls. */
export type CallEvent =
  | { readonly event: 'failed'; readonly peer: string; readonly reason: string; readonly distrust?: boolean }
  | { readonly event: 'refused'; readonly reason: string; readonly distrust: true }
  /** No certificate was to be had from the CA. */
  | { readonly event: 'identity-missed'; readonly reason: string; readonly distrust?: boolean }
  /** A certificate came too late, though nobody was refused: the machine is too busy. */
  | { readonly event: 'late'; readonly reason: string; readonly distrust?: never }
  /** Calls that are over since this was told last. */
  | { readonly event: 'called'; readonly made: number };

export interface Counter {
  /** From now on this is what was going on. */
  during(phase: string): void;
  count(event: CallEvent): void;
  /**
   * All since the last time.
   * @throws where something failed for another reason than distrust: a fault of the tests, not of the trust
   */
  take(): Tally;
}

export function startCounting(): Counter {
  let phase = 'start';
  let since = performance.now();
  let made = 0;
  let failed = 0;
  let reasons: Record<string, number> = {};
  const faults: string[] = [];
  return {
    during: (next) => {
      phase = next;
    },
    count: (event) => {
      if (event.event === 'called') {
        made += event.made;
        return;
      }
      if (event.event === 'failed') failed++;
      const words = `${phase}: ${describe(event)}`;
      if (event.distrust) reasons[words] = (reasons[words] ?? 0) + 1;
      else faults.push(words);
    },
    take: () => {
      const found = faults.splice(0);
      if (found.length > 0) throw new Error(`something failed, and not for lack of trust:\n${found.join('\n')}`);
      const now = performance.now();
      const tally = { made, failed, seconds: (now - since) / 1000, reasons };
      [made, failed, reasons, since] = [0, 0, {}, now];
      return tally;
    },
  };
}

/** Without the instants, which differ each time. */
function describe({ event, reason }: Exclude<CallEvent, { event: 'called' }>): string {
  return `${event === 'identity-missed' ? 'Sentry: ' : ''}${reason.replace(/: current time \S+ (is \w+) .*/, ': it $1 its time')}`;
}
