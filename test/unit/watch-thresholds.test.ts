import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseThresholds, warningStart } from '../../src/app/watch/thresholds.ts';
import { randomSeed } from '../support/seed.ts';
import { thresholdsOf } from '../support/watch-world.ts';

const notBefore = new Date('2026-01-01T00:00:00Z');
const year = { notBefore, notAfter: new Date('2027-01-01T00:00:00Z') };

describe('from when on an end is worth a warning', () => {
  test.each([
    ['30d', '2026-12-02T00:00:00.000Z'],
    ['30', '2026-12-02T00:00:00.000Z'],
    ['12h', '2026-12-31T12:00:00.000Z'],
    ['20%', '2026-10-20T00:00:00.000Z'],
    ['30d,20%', '2026-10-20T00:00:00.000Z'],
    ['20%, 30d', '2026-10-20T00:00:00.000Z'],
    ['30d,1%', '2026-12-02T00:00:00.000Z'],
    ['0.1%', '2026-12-31T15:14:24.000Z'],
    ['100%', '2026-01-01T00:00:00.000Z'],
    ['10y', '2026-01-01T00:00:00.000Z'],
  ])('%s: %s', (text, instant) => {
    expect(warningStart(year, thresholdsOf(text)).toISOString()).toBe(instant);
  });

  test.each(['', ',', '30d,', '0', '0%', '101%', '-1d', '20 %', '%', '30days', 'NaN%', '1e3d'])('not %j', (text) => {
    expect(parseThresholds(text)).toBeUndefined();
  });

  test(`never before the certificate is valid, never behind its end, and one more threshold never makes it later (${randomSeed.words})`, () => {
    const text = fc.oneof(
      fc.integer({ min: 1, max: 5000 }).map((days) => `${days}d`),
      fc.integer({ min: 1, max: 100 }).map((percent) => `${percent}%`),
    );
    fc.assert(
      fc.property(text, text, fc.integer({ min: 1, max: 4e11 }), (one, other, lifetimeMs) => {
        const certificate = { notBefore, notAfter: new Date(notBefore.getTime() + lifetimeMs) };
        const [alone, both] = [one, `${one},${other}`].map((words) => warningStart(certificate, thresholdsOf(words)));
        expect(both?.getTime()).toBeLessThanOrEqual(alone?.getTime() ?? Number.NaN);
        expect(both?.getTime()).toBeGreaterThanOrEqual(notBefore.getTime());
        expect(alone?.getTime()).toBeLessThan(certificate.notAfter.getTime() + 1);
      }),
      { seed: randomSeed.value },
    );
  });
});
