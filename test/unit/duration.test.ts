import { describe, expect, test } from 'vitest';
import { parseGoDuration, parseValidity } from '../../src/app/configuration/duration.ts';

const hourMs = 3_600_000;

describe('parseGoDuration reads what time.ParseDuration reads', () => {
  test.each([
    ['24h', 24 * hourMs],
    ['1h30m', 1.5 * hourMs],
    ['15m', 900_000],
    ['25s', 25_000],
    ['1.5h', 1.5 * hourMs],
    ['.5h', 0.5 * hourMs],
    ['1.h', hourMs],
    ['1m1ms', 60_001],
    ['100us', 0.1],
    ['100µs', 0.1],
    ['100μs', 0.1],
    ['1ns', 1e-6],
    ['-15m', -900_000],
    ['+15m', 900_000],
    ['0', 0],
    ['-0', 0],
    ['+0', 0],
    ['0s', 0],
    ['1s1h', hourMs + 1000],
    ['2562047h', 2_562_047 * hourMs],
  ])('%s', (text, ms) => {
    expect(parseGoDuration(text)).toBeCloseTo(ms, 6);
  });

  test.each([
    '',
    '1',
    '24',
    'h',
    '.h',
    '1d',
    '1w',
    '1y',
    '24 h',
    ' 24h',
    '24h ',
    '1h-30m',
    '--1h',
    '1H',
    '1e3s',
    '0x1h',
    '1,5h',
    '2562048h',
    '9999999h',
    '1h\n',
  ])('and refuses "%s"', (text) => {
    expect(parseGoDuration(text)).toBeUndefined();
  });
});

describe('parseValidity', () => {
  test.each([
    ['365', 365 * 24 * hourMs],
    ['20', 20 * 24 * hourMs],
    ['12h', 12 * hourMs],
    ['90d', 90 * 24 * hourMs],
    ['52w', 364 * 24 * hourMs],
    ['10y', 3650 * 24 * hourMs],
    ['1.5h', 1.5 * hourMs],
    ['90m', 1.5 * hourMs],
    ['30s', 30_000],
    [' 7d ', 7 * 24 * hourMs],
  ])('reads %s', (text, ms) => {
    expect(parseValidity(text)).toBe(ms);
  });

  test.each(['', '0', '0d', '-1', '1h30m', 'd', '1M', '1 d', '1e3', 'forever', 'Infinity', '0x10', '1'.repeat(400)])(
    'refuses "%s"',
    (text) => {
      expect(parseValidity(text)).toBeUndefined();
    },
  );
});
