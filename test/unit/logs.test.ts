import { describe, expect, test } from 'vitest';
import { knownLines } from '../../src/app/explain/known-lines.ts';
import { type Merge, startMerge } from '../../src/app/logs/merge-by-time.ts';
import { readEntry } from '../../src/app/logs/read-entry.ts';
import { schemaViolations } from '../support/schema.ts';

interface Line {
  readonly at: string;
  readonly from: string;
}

const line = (at: number, from: string): Line => ({ at: String(at).padStart(4, '0'), from });

/** A source that tells what the test pushes. */
function pushable() {
  const queue: Line[] = [];
  let isOpen = true;
  let wake = () => {};
  let taken = 0;
  async function* lines(): AsyncGenerator<Line> {
    for (;;) {
      const next = queue.shift();
      if (next) {
        taken += 1;
        yield next;
      } else if (isOpen) await new Promise<void>((resolve) => (wake = resolve));
      else return;
    }
  }
  return {
    lines,
    push: (...more: Line[]) => {
      queue.push(...more);
      wake();
    },
    end: () => {
      isOpen = false;
      wake();
    },
    taken: () => taken,
  };
}

/** Time passes when the test says so. */
function handClock() {
  let nowMs = 0;
  const waiting = new Set<{ readonly untilMs: number; readonly done: () => void }>();
  return {
    nowMs: () => nowMs,
    wait: (ms: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        if (signal.aborted) return resolve();
        const one = {
          untilMs: nowMs + ms,
          done: () => {
            waiting.delete(one);
            resolve();
          },
        };
        waiting.add(one);
        signal.addEventListener('abort', one.done);
      }),
    pass: async (ms: number) => {
      await settle();
      nowMs += ms;
      for (const one of [...waiting]) if (one.untilMs <= nowMs) one.done();
      await settle();
    },
  };
}

/** Until everybody who can go on has gone on. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

function collect(merge: Merge<Line>) {
  const told: string[] = [];
  const run = async () => {
    for await (const { at, from } of merge.lines()) told.push(`${Number(at)}${from}`);
  };
  const ended = run();
  ended.catch(() => undefined);
  return { told, ended };
}

async function* of(...lines: Line[]): AsyncGenerator<Line> {
  yield* lines;
}

const whole = { windowMs: Number.POSITIVE_INFINITY, startMs: Number.POSITIVE_INFINITY };
const live = { windowMs: 300, startMs: 2000 };

describe('logs that end', () => {
  test('are one by time, and those of one instant stay together', async () => {
    const merge = startMerge<Line>({ ...whole, clock: handClock() });
    merge.add(of(line(1, 'a'), line(4, 'a'), line(5, 'a')));
    merge.add(of(line(2, 'b'), line(4, 'b'), line(9, 'b')));
    merge.add(of());
    merge.complete();
    const { told, ended } = collect(merge);
    await ended;
    expect(told).toEqual(['1a', '2b', '4a', '4b', '5a', '9b']);
  });

  test('are waited for as long as it takes, and held in no memory meanwhile', async () => {
    const merge = startMerge<Line>({ ...whole, clock: handClock() });
    const [quick, slow] = [pushable(), pushable()];
    quick.push(...Array.from({ length: 3000 }, (_, index) => line(index, 'a')));
    quick.end();
    merge.add(quick.lines());
    merge.add(slow.lines());
    merge.complete();
    const { told, ended } = collect(merge);
    await settle();
    expect(told).toEqual([]);
    expect(quick.taken()).toBeLessThanOrEqual(501);
    slow.push(line(9000, 'b'));
    slow.end();
    await ended;
    expect([told.length, told.at(-1)]).toEqual([3001, '9000b']);
  });

  test('fail when one of them does', async () => {
    const merge = startMerge<Line>({ ...whole, clock: handClock() });
    merge.add(of(line(1, 'a')));
    merge.add(
      (async function* () {
        yield* [];
        throw new Error('forbidden');
      })(),
    );
    merge.complete();
    await expect(collect(merge).ended).rejects.toThrow('forbidden');
  });
});

describe('logs that go on', () => {
  test('are held back for as long as an earlier line may come, and no longer', async () => {
    const clock = handClock();
    const merge = startMerge<Line>({ ...live, clock });
    const [a, b] = [pushable(), pushable()];
    merge.add(a.lines());
    merge.add(b.lines());
    const { told } = collect(merge);
    a.push(line(1, 'a'));
    b.push(line(2, 'b'));
    await clock.pass(300);
    expect(told).toEqual(['1a', '2b']);
    a.push(line(20, 'a'));
    await clock.pass(200);
    b.push(line(10, 'b'));
    await clock.pass(99);
    expect(told.slice(2)).toEqual(['10b']);
    await clock.pass(1);
    expect(told.slice(2)).toEqual(['10b', '20a']);
    b.push(line(15, 'b'));
    await clock.pass(300);
    expect(told.at(-1)).toBe('15b');
  });

  test('a pod that has written nothing yet holds up the others at the start alone', async () => {
    const clock = handClock();
    const merge = startMerge<Line>({ ...live, clock });
    const [a, silent] = [pushable(), pushable()];
    merge.add(a.lines());
    merge.add(silent.lines());
    const { told } = collect(merge);
    a.push(line(1, 'a'));
    await clock.pass(1999);
    expect(told).toEqual([]);
    await clock.pass(1);
    expect(told).toEqual(['1a']);
    a.push(line(2, 'a'));
    await clock.pass(300);
    expect(told).toEqual(['1a', '2a']);
  });

  test('take in who comes, let go of who ends, and end when no other can come', async () => {
    const clock = handClock();
    const merge = startMerge<Line>({ ...live, clock });
    const [a, b] = [pushable(), pushable()];
    merge.add(a.lines());
    const { told, ended } = collect(merge);
    a.push(line(1, 'a'));
    a.end();
    await settle();
    merge.add(b.lines());
    b.push(line(2, 'b'));
    await settle();
    expect(told).toEqual(['1a', '2b']);
    b.end();
    merge.complete();
    await ended;
  });
});

describe('a line', () => {
  const entry = (text: string) => readEntry({ pod: 'dapr-sentry-0', at: '2026-11-22T01:02:03.000000004Z', text });

  test.each<[string, string | null, string]>([
    [
      'time="2026-11-22T01:02:03Z" level=warning msg="a \\"quoted\\" word" scope=dapr.sentry ver=1.17',
      'warning',
      'a "quoted" word',
    ],
    ['{"level":"error","msg":"no way","time":"2026-11-22T01:02:03Z"}', 'error', 'no way'],
    ['{"level":"fatal","msg":"cannot start","error":"x509: oops"}', 'fatal', 'cannot start: x509: oops'],
    ['panic: runtime error', null, 'panic: runtime error'],
    ['{"level":"strange","msg":7}', null, '{"level":"strange","msg":7}'],
    ['', null, ''],
  ])('of either shape is understood, and another passes as it is: %s', (text, level, msg) => {
    expect(entry(text)).toMatchObject({ level, msg, line: text, time: '2026-11-22T01:02:03.000000004Z' });
    expect(schemaViolations(entry(text))).toEqual([]);
  });

  test('is known where explain knows it by itself', () => {
    const alone = knownLines.filter(({ atLeast = 1, unlessFollowedBy }) => atLeast === 1 && !unlessFollowedBy);
    expect(alone.length).toBeGreaterThan(10);
    expect(alone.map(({ example }) => entry(example).known)).toEqual(alone.map(({ code }) => code));
    expect(entry('level=info msg="Starting sentry server"').known).toBeNull();
  });
});
