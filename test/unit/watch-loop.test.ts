import { describe, expect, test } from 'vitest';
import type { Leadership, Sight, WatchSource } from '../../src/app/watch/ports.ts';
import { beginWatch, type Effect } from '../../src/app/watch/watch.ts';
import type { Clock } from '../../src/cli/watch/clock.ts';
import { type LoopOptions, longestWaitMs, runLoop } from '../../src/cli/watch/loop.ts';
import { DaprMtlsError } from '../../src/errors.ts';
import { dayMs, makeBundle } from '../support/bundles.ts';
import { sightOf, thresholdsOf, watchedDirectory } from '../support/watch-world.ts';

const begin = Date.parse('2026-12-01T12:00:00Z');
const hourMs = 3_600_000;
const everyMs = 300_000;
const tenYears = await makeBundle({ at: new Date(begin), rootValidMs: 3650 * dayMs });

interface World {
  readonly clock: Clock;
  readonly stop: AbortSignal;
  /** By the clock that only runs, in ms since the beginning. */
  elapsed(): number;
  /** Work that takes time, and is not waiting. */
  pass(ms: number): void;
  readonly waits: readonly number[];
}

interface Script {
  readonly lastsMs: number;
  /** What happens when that time has come: the clock is set, something changes. */
  readonly at?: Readonly<Record<number, () => { readonly jumpMs?: number } | undefined>>;
}

/** Time passes where somebody waits for it, at once, and wakes who is told of a change. */
function makeWorld({ lastsMs, at = {} }: Script): World {
  const stop = new AbortController();
  const pending = Object.entries(at).map(([ms, happen]) => ({ ms: Number(ms), happen }));
  const waits: number[] = [];
  let [elapsedMs, offsetMs] = [0, begin + 100 * dayMs];
  return {
    stop: stop.signal,
    waits,
    elapsed: () => elapsedMs,
    pass: (ms) => {
      elapsedMs += ms;
    },
    clock: {
      now: () => ({ at: new Date(offsetMs + elapsedMs), elapsedMs }),
      wait: async (ms, signal) => {
        if (signal.aborted) return;
        waits.push(ms);
        const end = elapsedMs + Math.max(1, ms);
        while (!signal.aborted && pending[0] && pending[0].ms <= end) {
          const { ms: due, happen } = pending.shift() as (typeof pending)[number];
          elapsedMs = Math.max(elapsedMs, due);
          offsetMs += happen()?.jumpMs ?? 0;
        }
        if (!signal.aborted) elapsedMs = end;
        if (elapsedMs >= lastsMs) stop.abort();
      },
    },
  };
}

interface Watched {
  readonly looks: readonly number[];
  readonly effects: readonly { readonly effect: Effect; readonly elapsedMs: number }[];
  readonly lines: readonly string[];
}

async function watch(
  world: World,
  look: () => Promise<Sight>,
  rest: Partial<Pick<LoopOptions, 'leadership'>> & {
    readonly follow?: WatchSource['follow'];
    readonly thresholds?: string;
  } = {},
): Promise<Watched> {
  const looks: number[] = [];
  const effects: { effect: Effect; elapsedMs: number }[] = [];
  const source: WatchSource = {
    location: watchedDirectory,
    look: () => {
      looks.push(world.elapsed());
      return look();
    },
    follow: rest.follow ?? (async () => {}),
  };
  const state = beginWatch(watchedDirectory, thresholdsOf(rest.thresholds ?? '30d'), rest.leadership?.leads ?? true);
  const perform = (effect: Effect) => effects.push({ effect, elapsedMs: world.elapsed() });
  const options = { source, leadership: rest.leadership, clock: world.clock, everyMs, perform };
  await runLoop(state, options, world.stop, () => {});
  const lines = effects.flatMap(({ effect }) => (effect.kind === 'log' ? effect.message : []));
  return { looks, effects, lines };
}

const well = async () => sightOf(tenYears.files);

describe('when it looks', () => {
  test('at once and every five minutes, no more often, and asks the clock each minute', async () => {
    const world = makeWorld({ lastsMs: hourMs });
    const { looks } = await watch(world, well);
    expect(looks).toEqual(Array.from({ length: 12 }, (_, index) => index * everyMs));
    expect(Math.max(...world.waits)).toBe(longestWaitMs);
  });

  test('a second after a change, once for many of them, and the rhythm goes on from there', async () => {
    let changed = () => {};
    const world = makeWorld({
      lastsMs: 700_000,
      at: { 100000: () => void changed(), 100001: () => void changed(), 100500: () => void changed() },
    });
    const follow: WatchSource['follow'] = async (tell) => {
      changed = tell;
    };
    const { looks } = await watch(world, well, { follow });
    expect(looks).toEqual([0, 101_000, 401_000]);
  });

  test('no more than a fifth of the time where changes never end', async () => {
    let changed = () => {};
    const follow: WatchSource['follow'] = async (tell) => {
      changed = tell;
    };
    const at = Object.fromEntries(Array.from({ length: 120 }, (_, second) => [second * 1000, () => void changed()]));
    const world = makeWorld({ lastsMs: 60_000, at });
    const look = async () => {
      world.pass(2000);
      return sightOf(tenYears.files);
    };
    const { looks } = await watch(world, look, { follow });
    expect(looks.length).toBeGreaterThan(4);
    expect(looks.length).toBeLessThanOrEqual(6);
  });

  test('turns at least each minute, however long a look takes', async () => {
    let changed = () => {};
    const follow: WatchSource['follow'] = async (tell) => {
      changed = tell;
    };
    const world = makeWorld({ lastsMs: 600_000 });
    const look = async () => {
      world.pass(45_000);
      changed();
      return sightOf(tenYears.files);
    };
    await watch(world, look, { follow });
    expect(Math.max(...world.waits)).toBe(longestWaitMs);
  });

  test('after a machine has slept, within a minute', async () => {
    const world = makeWorld({ lastsMs: 200_000, at: { 70000: () => ({ jumpMs: 8 * hourMs }) } });
    const { looks } = await watch(world, well);
    expect(looks).toEqual([0, 120_000]);
  });

  test('no more often for a clock that is set back', async () => {
    const world = makeWorld({ lastsMs: hourMs, at: { 70000: () => ({ jumpMs: -8 * hourMs }) } });
    expect((await watch(world, well)).looks).toHaveLength(12);
  });
});

test('what it throws does not end it, and is told with its code', async () => {
  const world = makeWorld({ lastsMs: 20 * 60_000 });
  let count = 0;
  const { looks, lines } = await watch(world, async () => {
    count += 1;
    if (count === 2) throw new DaprMtlsError('cluster.unreachable', { message: 'no answer', hint: 'Wait.' });
    if (count === 3) throw new TypeError('x is not a function');
    return sightOf(tenYears.files);
  });
  expect(looks).toHaveLength(4);
  expect(lines.slice(1, 2)).toEqual(['Looking failed: no answer (cluster.unreachable). Wait.']);
  expect(lines[2]).toMatch(/^Looking failed: x is not a function \(bug\)/);
  expect(lines[3]).toMatch(/^Looking succeeds again, after 2 looks/);
});

test('two days in which the clock is set to and fro: a sentence each hour, and never two', async () => {
  const jumps = [7 * dayMs, -3 * dayMs, 12 * 60_000, -50 * 60_000, -2 * dayMs, hourMs];
  const at = Object.fromEntries(
    jumps.map((jumpMs, index) => [(index + 1) * (6 * hourMs + 123_456), () => ({ jumpMs })]),
  );
  const { effects } = await watch(makeWorld({ lastsMs: 2 * dayMs, at }), well, { thresholds: '100%' });
  const told = effects
    .filter(({ effect }) => effect.kind === 'log' && effect.message.startsWith('Dapr root certificate expiration'))
    .map(({ elapsedMs }) => elapsedMs);
  const gaps = told.slice(1).map((ms, index) => ms - (told[index] ?? 0));
  expect(Math.max(...gaps)).toBeLessThanOrEqual(hourMs + 1);
  // Only a jump forwards makes a gap shorter: the hour on the wall is another one.
  expect(gaps.filter((gap) => gap < hourMs)).toHaveLength(jumps.filter((jumpMs) => jumpMs > 0).length);
  expect(told.length).toBeGreaterThanOrEqual(48);
});

test('who does not lead is silent, and speaks from the moment on in which it does', async () => {
  let lead = (_leads: boolean) => {};
  const leadership: Leadership = {
    leads: false,
    run: async ({ changed }) => {
      lead = changed;
    },
  };
  const world = makeWorld({ lastsMs: 4 * hourMs, at: { [2 * hourMs]: () => void lead(true) } });
  const { effects } = await watch(world, well, { leadership, thresholds: '100%' });
  const told = effects
    .filter(({ effect }) => effect.kind === 'log' && effect.message.startsWith('Dapr root'))
    .map(({ elapsedMs }) => elapsedMs);
  expect(told).toEqual([2 * hourMs, 3 * hourMs]);
});

test('who cannot lead says so with the mend, and who waits for another says for whom', async () => {
  const leadership: Leadership = {
    leads: false,
    run: async ({ waits, troubled }) => {
      troubled(new DaprMtlsError('cluster.forbidden', { message: 'this user may not get lease', hint: 'Apply this.' }));
      waits('pod-b');
    },
  };
  const { effects } = await watch(makeWorld({ lastsMs: hourMs }), well, { leadership, thresholds: '100%' });
  const what = 'This replica cannot take or keep the lead, and tells of no changes and warnings without it';
  const message = `${what}: this user may not get lease (cluster.forbidden). Apply this.`;
  expect(effects.map(({ effect }) => effect)).toEqual([
    { kind: 'log', level: 'warning', message },
    { kind: 'log', level: 'info', message: 'This replica does not lead, pod-b does: it looks and serves figures' },
    expect.objectContaining({ kind: 'log', level: 'info' }),
  ]);
});

test('who cannot be followed is looked at all the same', async () => {
  const follow = async () => {
    throw new DaprMtlsError('cluster.forbidden', { message: 'watching is not allowed', hint: '' });
  };
  const { looks, lines } = await watch(makeWorld({ lastsMs: hourMs }), well, { follow });
  expect(looks).toHaveLength(12);
  expect(lines).toContain('Changes are not seen at once any more: watching is not allowed');
});
