/** What became of the calls of a town. */
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
  | { readonly event: 'ended'; readonly made: number; readonly failed: number };

export interface Counter {
  /** From now on this is what was going on. */
  during(phase: string): void;
  count(event: CallEvent): void;
  /** @throws where something failed for another reason than distrust: a fault of the tests, not of the trust */
  total(): Tally;
}

export function startCounting(): Counter {
  const start = performance.now();
  const reasons: Record<string, number> = {};
  const faults: string[] = [];
  let phase = 'start';
  let made = 0;
  let failed = 0;
  const note = (reason: string) => {
    const words = `${phase}: ${reason.replace(/: current time .*/, '')}`;
    reasons[words] = (reasons[words] ?? 0) + 1;
  };
  return {
    during: (next) => {
      phase = next;
    },
    count: (event) => {
      if (event.event === 'ended') {
        made += event.made;
        failed += event.failed;
      } else if (!event.distrust) {
        faults.push(`${phase}: ${event.reason}`);
      } else note(event.event === 'identity-missed' ? `Sentry: ${event.reason}` : event.reason);
    },
    total: () => {
      if (faults.length > 0) throw new Error(`something failed, and not for lack of trust:\n${faults.join('\n')}`);
      return { made, failed, seconds: (performance.now() - start) / 1000, reasons };
    },
  };
}
