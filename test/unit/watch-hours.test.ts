import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Moment } from '../../src/app/watch/moment.ts';
import { msUntilDue } from '../../src/app/watch/watch.ts';
import { dayMs, makeBundle } from '../support/bundles.ts';
import { randomSeed } from '../support/seed.ts';
import { linesOf, momentAt, sightOf, startWatch } from '../support/watch-world.ts';

const hourMs = 3_600_000;
const begin = new Date('2026-12-01T12:00:00Z');
const tenYears = await makeBundle({ at: begin, rootValidMs: 3650 * dayMs });
const isOfRoot = (line: string) => line.includes('Dapr root certificate expiration warning');

/** Time goes on by so much; the clock on the wall is set to another time besides. */
const steps = fc.array(
  fc.record({
    passedMs: fc.oneof(fc.integer({ min: 0, max: 90_000 }), fc.integer({ min: 0, max: 3 * hourMs })),
    jumpMs: fc.oneof(
      { weight: 5, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: -2 * hourMs, max: 2 * hourMs }) },
      { weight: 1, arbitrary: fc.integer({ min: -10 * dayMs, max: 10 * dayMs }) },
    ),
  }),
  { maxLength: 200 },
);

describe('each hour', () => {
  test(`whatever the clock does, no hour is missed and none told twice (${randomSeed.words})`, () => {
    fc.assert(
      fc.property(steps, (path) => {
        const watch = startWatch({ thresholds: '100%' });
        let now: Moment = momentAt(new Date(begin.getTime() + 1000 * dayMs));
        let told = now;
        const first = watch.turn({ kind: 'looked', sight: sightOf(tenYears.files) }, now);
        expect(linesOf(first).filter(isOfRoot)).toHaveLength(1);
        for (const { passedMs, jumpMs } of path) {
          now = {
            at: new Date(now.at.getTime() + passedMs + jumpMs),
            elapsedMs: now.elapsedMs + passedMs,
          };
          const lines = linesOf(watch.turn({ kind: 'passed' }, now)).filter(isOfRoot);
          const [wallMs, elapsedMs] = [now.at.getTime() - told.at.getTime(), now.elapsedMs - told.elapsedMs];
          expect(lines).toHaveLength(wallMs >= hourMs || elapsedMs >= hourMs ? 1 : 0);
          if (lines.length > 0) told = now;
          expect(msUntilDue(watch.state(), now)).toBeGreaterThan(0);
          expect(msUntilDue(watch.state(), now)).toBeLessThanOrEqual(hourMs);
        }
      }),
      { seed: randomSeed.value, numRuns: 300 },
    );
  });

  test('a week that is skipped is one line, and the hours go on from there', () => {
    const watch = startWatch({ thresholds: '100%' });
    watch.turn({ kind: 'looked', sight: sightOf(tenYears.files) }, momentAt(begin));
    const afterwards = new Date(begin.getTime() + 7 * dayMs);
    const at = (ms: number): Moment => ({
      at: new Date(afterwards.getTime() + ms),
      elapsedMs: begin.getTime() + 1 + ms,
    });
    const told = (ms: number) => linesOf(watch.turn({ kind: 'passed' }, at(ms))).filter(isOfRoot).length;
    expect([0, 1, hourMs - 1, hourMs, hourMs + 1, 2 * hourMs].map(told)).toEqual([1, 0, 0, 1, 0, 1]);
  });

  test('a clock that is set back by a day silences nothing', () => {
    const watch = startWatch({ thresholds: '100%' });
    const later = begin.getTime() + 100 * dayMs;
    watch.turn({ kind: 'looked', sight: sightOf(tenYears.files) }, momentAt(new Date(later)));
    const back = (ms: number): Moment => ({ at: new Date(later - dayMs + ms), elapsedMs: later + ms });
    const told = (ms: number) => linesOf(watch.turn({ kind: 'passed' }, back(ms))).filter(isOfRoot).length;
    expect([1, hourMs - 1, hourMs, hourMs + 1, 2 * hourMs].map(told)).toEqual([0, 0, 1, 0, 1]);
  });
});

describe('when the next turn is due', () => {
  const year = makeBundle({ at: begin });

  test('at the threshold, each hour, and at the end', async () => {
    const watch = startWatch();
    const { files, bundle } = await year;
    const end = bundle.anchors[0]?.notAfter.getTime() ?? Number.NaN;
    watch.turn({ kind: 'looked', sight: sightOf(files) }, momentAt(begin));
    expect(msUntilDue(watch.state(), momentAt(begin))).toBe(end - 30 * dayMs - begin.getTime());
    const instants = [end - 30 * dayMs - 1, end - 30 * dayMs, end - 600_000, end, end + 1];
    const lines = instants.map((ms) =>
      linesOf(watch.turn({ kind: 'passed' }, momentAt(new Date(ms)))).filter(isOfRoot),
    );
    const sentence = 'warning: Dapr root certificate expiration warning: certificate';
    expect(lines).toEqual([
      [],
      [`${sentence} expires in 30 days and 0 hours`],
      [`${sentence} expires in 0 days and 0 hours`],
      [],
      [`${sentence} has expired.`],
    ]);
    expect(msUntilDue(watch.state(), momentAt(new Date(end + 1)))).toBe(hourMs);
  });

  test('never, where nothing can be seen to end and nothing fails', () => {
    expect(msUntilDue(startWatch().state(), momentAt(begin))).toBeUndefined();
  });
});
