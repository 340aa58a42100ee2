import { describe, expect, test } from 'vitest';
import { isOpen, nextOpening, parseWindow } from '../../src/app/rotate/window.ts';

const at = (text: string) => new Date(text);

/** In 2026 Berlin's clocks go forward on 29 March at 01:00Z, and back on 25 October at 01:00Z. */
describe('a window is open', () => {
  test.each<[string, string, boolean]>([
    ['Sat 02:00-05:00', '2026-11-21T01:59:59.999Z', false],
    ['Sat 02:00-05:00', '2026-11-21T02:00:00Z', true],
    ['Sat 02:00-05:00', '2026-11-21T04:59:59.999Z', true],
    ['Sat 02:00-05:00', '2026-11-21T05:00:00Z', false],
    ['Sat 02:00-05:00', '2026-11-22T03:00:00Z', false],
    ['saturday 2:00-5:00 UTC', '2026-11-21T02:00:00Z', true],
    ['Sat 02:00-05:00 Europe/Berlin', '2026-11-21T01:00:00Z', true],
    ['Sat 02:00-05:00 Europe/Berlin', '2026-11-21T04:00:00Z', false],
    ['Sat 02:00-05:00 Europe/Berlin', '2026-07-04T00:00:00Z', true],
    ['Sat 02:00-05:00 Europe/Berlin', '2026-07-04T03:00:00Z', false],
    ['Mon,Wed 00:00-24:00', '2026-11-23T00:00:00Z', true],
    ['Mon,Wed 00:00-24:00', '2026-11-24T12:00:00Z', false],
    ['Mon,Wed 00:00-24:00', '2026-11-25T23:59:59Z', true],
    ['Mon-Fri 01:00-02:00', '2026-11-27T01:30:00Z', true],
    ['Mon-Fri 01:00-02:00', '2026-11-28T01:30:00Z', false],
    ['Fri-Mon 01:00-02:00', '2026-11-22T01:30:00Z', true],
    ['Fri-Mon 01:00-02:00', '2026-11-24T01:30:00Z', false],
    ['Mon-Wed,Sat 01:00-02:00', '2026-11-21T01:00:00Z', true],
    ['daily 01:00-02:00', '2026-11-24T01:00:00Z', true],
    ['Fri 22:00-04:00', '2026-11-20T23:00:00Z', true],
    ['Fri 22:00-04:00', '2026-11-21T03:59:00Z', true],
    ['Fri 22:00-04:00', '2026-11-20T03:00:00Z', false],
    ['Fri 22:00-04:00', '2026-11-21T22:30:00Z', false],
    ['Sat 22:00-00:00', '2026-11-21T23:59:00Z', true],
    ['Sat 22:00-00:00', '2026-11-22T00:00:00Z', false],
    ['Sat 02:00-05:00; Sun 01:00-02:00 Asia/Kolkata', '2026-11-21T19:30:00Z', true],
    ['Sat 02:00-05:00; Sun 01:00-02:00 Asia/Kolkata;', '2026-11-21T04:00:00Z', true],
    // The hour is left out: the clock goes from 02:00 to 03:00.
    ['Sun 02:00-03:00 Europe/Berlin', '2026-03-29T00:59:59Z', false],
    ['Sun 02:00-03:00 Europe/Berlin', '2026-03-29T01:00:00Z', false],
    ['Sun 02:30-04:00 Europe/Berlin', '2026-03-29T01:00:00Z', true],
    ['Sun 02:30-04:00 Europe/Berlin', '2026-03-29T02:00:00Z', false],
    // The hour comes twice.
    ['Sun 02:00-03:00 Europe/Berlin', '2026-10-25T00:00:00Z', true],
    ['Sun 02:00-03:00 Europe/Berlin', '2026-10-25T01:59:59Z', true],
    ['Sun 02:00-03:00 Europe/Berlin', '2026-10-25T02:00:00Z', false],
  ])('%s at %s: %s', (text, instant, open) => {
    expect(isOpen(parseWindow(text), at(instant))).toBe(open);
  });
});

describe('a window opens next', () => {
  test.each<[string, string, string]>([
    ['Sat 02:00-05:00', '2026-11-21T03:00:00.250Z', '2026-11-21T03:00:00.250Z'],
    ['Sat 02:00-05:00', '2026-11-21T01:59:30Z', '2026-11-21T02:00:00Z'],
    ['Sat 02:00-05:00', '2026-11-21T05:00:00Z', '2026-11-28T02:00:00Z'],
    ['Sat 02:00-05:00 Europe/Berlin', '2026-11-21T05:00:00Z', '2026-11-28T01:00:00Z'],
    ['Sat 02:07-02:09', '2026-11-20T00:00:00Z', '2026-11-21T02:07:00Z'],
    ['Mon,Wed 01:00-02:00', '2026-11-23T03:00:00Z', '2026-11-25T01:00:00Z'],
    ['Sat 02:00-05:00; Wed 10:00-11:00', '2026-11-22T00:00:00Z', '2026-11-25T10:00:00Z'],
    ['Fri 22:00-04:00 America/New_York', '2026-11-20T00:00:00Z', '2026-11-21T03:00:00Z'],
    ['daily 00:00-00:30 Australia/Lord_Howe', '2026-11-20T00:00:00Z', '2026-11-20T13:00:00Z'],
    // Before and after the change of the clock.
    ['Sun 12:00-13:00 Europe/Berlin', '2026-03-28T00:00:00Z', '2026-03-29T10:00:00Z'],
    ['Sun 12:00-13:00 Europe/Berlin', '2026-10-24T00:00:00Z', '2026-10-25T11:00:00Z'],
    // Left out in spring: a week later.
    ['Sun 02:00-03:00 Europe/Berlin', '2026-03-28T00:00:00Z', '2026-04-05T00:00:00Z'],
    // Its beginning is left out: when the clock shows 03:00.
    ['Sun 02:30-04:00 Europe/Berlin', '2026-03-28T00:00:00Z', '2026-03-29T01:00:00Z'],
    // The first of the two, and the second where that is over.
    ['Sun 02:10-02:20 Europe/Berlin', '2026-10-24T00:00:00Z', '2026-10-25T00:10:00Z'],
    ['Sun 02:10-02:20 Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-25T01:10:00Z'],
  ])('%s after %s: %s', (text, instant, opening) => {
    const window = parseWindow(text);
    const next = nextOpening(window, at(instant));
    expect(next).toEqual(at(opening));
    expect(isOpen(window, next)).toBe(true);
    if (next > at(instant)) expect(isOpen(window, new Date(next.getTime() - 1))).toBe(false);
  });
});

test.each([
  ['', 'is not days, times and a zone'],
  [';', 'is not days, times and a zone'],
  ['02:00-05:00', 'is not days, times and a zone'],
  ['Sat', 'is not days, times and a zone'],
  ['Sat 2-5', 'is not days, times and a zone'],
  ['Sat 02:00-05:00 Europe/Berlin please', 'is not days, times and a zone'],
  ['Sat 02:00-05:00;; Sun 02:00-05:00', 'is not days, times and a zone'],
  ['Caturday 02:00-05:00', 'Caturday is no day of the week'],
  ['Sat, 02:00-05:00', 'nothing is no day of the week'],
  ['Mon-Wed-Fri 02:00-05:00', 'Mon-Wed-Fri is neither a day nor a range of days'],
  ['Sat 25:00-05:00', '25:00 is no time of the day'],
  ['Sat 24:00-05:00', '24:00 is no time of the day'],
  ['Sat 02:60-05:00', '02:60 is no time of the day'],
  ['Sat 02:00-24:01', '24:01 is no time of the day'],
  ['Sat 02:00-02:00', 'it ends when it begins'],
  ['Sat 02:00-05:00 Europe/Berlinn', 'there is no time zone Europe/Berlinn'],
])('%j is refused: %s', (text, reason) => {
  expect(() => parseWindow(text)).toThrow(
    expect.objectContaining({
      code: 'usage.invalid',
      message: expect.stringContaining(reason),
      hint: expect.stringContaining('"Sat 02:00-05:00 Europe/Berlin"'),
    }),
  );
});
