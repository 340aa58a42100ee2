import { expect, test } from 'vitest';
import { encodeTlv, readTlv } from '../../src/pki/der.ts';
import { readTime } from '../../src/pki/times.ts';

const time = (tag: number, text: string) => readTlv(encodeTlv(tag, Buffer.from(text)));

test.each([
  [0x17, '261201120000Z', '2026-12-01T12:00:00.000Z'],
  [0x17, '491231235959Z', '2049-12-31T23:59:59.000Z'],
  [0x17, '500101000000Z', '1950-01-01T00:00:00.000Z'],
  [0x17, '280229000000Z', '2028-02-29T00:00:00.000Z'],
  [0x18, '20500101000000Z', '2050-01-01T00:00:00.000Z'],
  [0x18, '99991231235959Z', '9999-12-31T23:59:59.000Z'],
  [0x18, '00010101000000Z', '0001-01-01T00:00:00.000Z'],
])('tag %d, %s is %s', (tag, text, iso) => {
  expect(readTime(time(tag, text)).toISOString()).toBe(iso);
});

test.each([
  [0x17, '270229000000Z', 'a 29th of February that was none'],
  [0x17, '261301000000Z', 'a 13th month'],
  [0x17, '261201240000Z', 'an hour 24'],
  [0x17, '261201120060Z', 'a leap second'],
  [0x17, '2612011200Z', 'no seconds'],
  [0x17, '261201120000', 'no zone'],
  [0x17, '261201120000+0100', 'an offset'],
  [0x17, '20261201120000Z', 'four digits of a year in UTCTime'],
  [0x18, '261201120000Z', 'two digits of a year in GeneralizedTime'],
  [0x18, '20261201120000.5Z', 'half a second'],
  [0x17, '26\xb9201120000Z', 'a digit that is none'],
  [0x17, '', 'nothing'],
  [0x0c, '261201120000Z', 'another kind of string'],
])('tag %d, %s is refused: %s', (tag, text) => {
  expect(() => readTime(time(tag, text))).toThrow('a malformed time');
});

test('a time that is not there is refused', () => {
  expect(() => readTime(undefined)).toThrow('a malformed time');
});
