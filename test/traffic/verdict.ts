import { expect } from 'vitest';
import type { Tally } from './tally.ts';

export function expectNothingLost(tally: Tally): void {
  expect(tally.reasons).toEqual({});
  expect(tally.failed).toBe(0);
  expectBusy(tally);
}

/** @param reason one of those that were told, each a line with the phase before it */
export function expectLost(tally: Tally, reason: RegExp): void {
  expect(Object.keys(tally.reasons).join('\n')).toMatch(reason);
  expect(tally.failed).toBeGreaterThan(0);
  expectBusy(tally);
}

/** Where nobody calls nothing is lost. */
function expectBusy({ made, seconds }: Tally): void {
  expect(made).toBeGreaterThan(seconds * 10);
}
