import { hasPassed, type Moment, msUntilPassed } from '../../app/watch/moment.ts';
import type { Leadership, LeadershipListener, WatchSource } from '../../app/watch/ports.ts';
import { type Effect, type Happening, msUntilDue, turnWatch, type WatchState } from '../../app/watch/watch.ts';
import { describeFailure } from '../failure.ts';
import type { Clock } from './clock.ts';

export interface LoopOptions {
  readonly source: WatchSource;
  readonly leadership: Leadership | undefined;
  readonly clock: Clock;
  readonly everyMs: number;
  /** Carries an effect out; returns at once. */
  readonly perform: (effect: Effect) => void;
}

/** What the endpoints tell of the loop. */
export interface Loop {
  readonly state: WatchState;
  /** When it has turned last. */
  readonly turnedAt: Moment;
}

/** Several events of one change are one: a renewal writes three files, kubelet a folder of them. */
const debounceMs = 1000;
/** Where changes never end, looking takes a fifth of the time and no more. */
const restForLook = 4;
/** Timers know nothing of a clock that was set or a machine that slept: the clock is asked so often. */
export const longestWaitMs = 60_000;

/**
 * Looks, and tells what has come of it, until the signal: at once, on a change, and when it is time.
 * Nothing that a look throws ends it.
 */
export async function runLoop(
  begin: WatchState,
  { source, leadership, clock, everyMs, perform }: LoopOptions,
  signal: AbortSignal,
  turned: (loop: Loop) => void,
): Promise<void> {
  let state = begin;
  let hasChanged = true;
  let wake = new AbortController();
  const take = (happening: Happening) => {
    const now = clock.now();
    const turn = turnWatch(state, happening, now);
    state = turn.state;
    turned({ state, turnedAt: now });
    for (const effect of turn.effects) perform(effect);
  };
  const awaken = () => wake.abort();
  signal.addEventListener('abort', awaken);
  const goOnWithout = (what: string) => (error: unknown) => {
    const { message } = describeFailure(error, 'dapr-mtls watch');
    perform({ kind: 'log', level: 'error', message: `${what}: ${message}` });
  };
  const changed = () => {
    hasChanged = true;
    awaken();
  };
  const led = (leads: boolean) => {
    // Who gives the lead up because it ends has nothing more to say.
    if (signal.aborted) return;
    take({ kind: 'lead', leads });
    awaken();
  };
  const background = [
    source.follow(changed, signal).catch(goOnWithout('Changes are not seen at once any more')),
    leadership
      ?.run({ changed: led, ...explainLead(perform) }, signal)
      .catch(goOnWithout('The lead is not sought any more')),
  ];
  let lookedAt: Moment | undefined;
  let lookTookMs = 0;
  while (!signal.aborted) {
    const now = clock.now();
    const isDue = msUntilDue(state, now) === 0;
    if (!lookedAt || hasChanged || isDue || hasPassed(lookedAt, now, everyMs)) {
      const restMs = Math.min(Math.max(debounceMs, restForLook * lookTookMs), longestWaitMs);
      if (lookedAt && hasChanged) await clock.wait(restMs, signal);
      if (signal.aborted) break;
      hasChanged = false;
      const began = clock.now();
      const happening = await look(source, began.at);
      lookedAt = clock.now();
      lookTookMs = lookedAt.elapsedMs - began.elapsedMs;
      take(happening);
    } else take({ kind: 'passed' });
    if (hasChanged || signal.aborted) continue;
    wake = new AbortController();
    const later = clock.now();
    await clock.wait(
      Math.min(longestWaitMs, msUntilDue(state, later) ?? longestWaitMs, msUntilPassed(lookedAt, later, everyMs)),
      wake.signal,
    );
  }
  await Promise.all(background);
}

/** Who does not lead says nothing of the bundle: that it is silent, and why, is to be known. */
function explainLead(perform: LoopOptions['perform']): Pick<LeadershipListener, 'waits' | 'troubled'> {
  return {
    waits: (holder) => {
      const message = `This replica does not lead, ${holder} does: it looks and serves figures`;
      perform({ kind: 'log', level: 'info', message });
    },
    troubled: (error) => {
      const { code, message, hint } = describeFailure(error, 'dapr-mtls watch');
      const what = 'This replica cannot take or keep the lead, and tells of no changes and warnings without it';
      perform({ kind: 'log', level: 'warning', message: `${what}: ${message} (${code}). ${hint}` });
    },
  };
}

async function look(source: WatchSource, at: Date): Promise<Happening> {
  try {
    return { kind: 'looked', sight: await source.look(at) };
  } catch (error) {
    const { code, message, hint } = describeFailure(error, 'dapr-mtls watch');
    if (process.env.DAPR_MTLS_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return { kind: 'failed', failure: { code, message, hint } };
  }
}
