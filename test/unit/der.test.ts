import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  assertDer,
  assertTag,
  DerError,
  encodeTlv,
  readBits,
  readChildren,
  readExactly,
  readOid,
  readTlv,
  tags,
} from '../../src/pki/der.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('readTlv', () => {
  test('reads back what encodeTlv frames, of any length', () => {
    fc.assert(
      fc.property(fc.constantFrom(0x02, 0x04, 0x30, 0x80, 0xa3), fc.nat(70_000), (tag, length) => {
        const content = Buffer.alloc(length, 7);
        const tlv = readTlv(Buffer.concat([encodeTlv(tag, content), Buffer.from('behind')]));
        expect(tlv.tag).toBe(tag);
        expect(content.equals(tlv.content)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    ['nothing', '', 'ends inside'],
    ['a tag alone', '30', 'ends inside'],
    ['less than it says', '3003 0500', 'ends inside'],
    ['a length cut short', '3082 01', 'ends inside'],
    ['a tag of two bytes', '1f01 00', 'a tag of more than one byte'],
    ['an indefinite length', '3080 0000', 'an indefinite or oversized length'],
    ['a length of five bytes', '3085 0000000001 00', 'an indefinite or oversized length'],
    ['a long form where the short one does', '3081 01 00', 'not minimal'],
    ['a length with a zero in front', '3082 0001 00', 'not minimal'],
  ])('refuses %s', (_, bytes, reason) => {
    expect(() => readTlv(hex(bytes))).toThrow(reason);
  });
});

test('readChildren cuts a content into its frames', () => {
  expect(readChildren(hex('0201 05 0400 3000')).map(({ tag }) => tag)).toEqual([0x02, 0x04, 0x30]);
  expect(() => readChildren(hex('0201 05 04'))).toThrow(DerError);
});

test('readExactly takes neither another tag nor a byte more', () => {
  expect([...readExactly(hex('0201 05'), tags.integer).content]).toEqual([5]);
  expect(() => readExactly(hex('0201 05'), tags.sequence)).toThrow('tag 0x2 where tag 0x30 is due');
  expect(() => readExactly(hex('0201 05 00'), tags.integer)).toThrow('trailing data');
});

test('assertTag says that nothing is there', () => {
  expect(() => assertTag(undefined, tags.oid)).toThrow('nothing where tag 0x6 is due');
});

describe('assertDer', () => {
  test.each([
    ['integers and booleans', '300c 0201 00 0202 0080 0101 ff 0500'],
    ['a negative integer', '0202 ff7f'],
    ['bytes of an octet string, whatever they are', '0402 0280'],
    ['32 levels of nesting', nested(32)],
  ])('takes %s', (_, bytes) => {
    expect(() => assertDer(hex(bytes))).not.toThrow();
  });

  test.each([
    ['an empty integer', '0200', 'an empty integer'],
    ['an integer with a zero in front', '0202 007f', 'not minimal'],
    ['a negative integer with ones in front', '0202 ff80', 'not minimal'],
    ['a boolean of another value', '0101 01', 'a boolean that is not DER'],
    ['a boolean of two bytes', '0102 ffff', 'a boolean that is not DER'],
    ['damage deep inside', '3006 3004 0202 0001', 'not minimal'],
    ['nesting without end', nested(2000), 'nested too deep'],
  ])('refuses %s', (_, bytes, reason) => {
    expect(() => assertDer(hex(bytes))).toThrow(reason);
  });

  function nested(depth: number): string {
    let der = encodeTlv(0x05);
    for (let level = 0; level < depth; level++) der = encodeTlv(0x30, der);
    return der.toString('hex');
  }
});

describe('readOid', () => {
  test.each([
    ['0603 551d13', '2.5.29.19'],
    ['0608 2b06010505070301', '1.3.6.1.5.5.7.3.1'],
    ['0609 2a864886f70d01010b', '1.2.840.113549.1.1.11'],
    ['0601 00', '0.0'],
    ['0601 4f', '1.39'],
    ['0602 8837', '2.999'],
    ['0606 2a 87ffffff7f', '1.2.2147483647'],
  ])('reads %s as %s', (bytes, dotted) => {
    expect(readOid(readTlv(hex(bytes)))).toBe(dotted);
  });

  test.each([
    ['an empty one', '0600'],
    ['one that ends inside an arc', '0602 5580'],
    ['an arc with a zero in front', '0603 558013'],
    ['an arc of 2^31', '0606 2a 8880808000'],
    ['another tag', '0403 551d13'],
  ])('refuses %s', (_, bytes) => {
    expect(() => readOid(readTlv(hex(bytes)))).toThrow(DerError);
  });
});

describe('readBits', () => {
  test.each([
    ['none', '0301 00', []],
    ['whole bytes', '0303 00 0102', [1, 2]],
    ['unused bits that are zero', '0302 05 a0', [0xa0]],
  ])('reads %s', (_, bytes, bits) => {
    expect([...readBits(readTlv(hex(bytes)))]).toEqual(bits);
  });

  test.each([
    ['no count of unused bits', '0300'],
    ['unused bits of nothing', '0301 01'],
    ['eight unused bits', '0302 08 00'],
    ['unused bits that are set', '0302 05 b0'],
    ['another tag', '0402 00 01'],
  ])('refuses %s', (_, bytes) => {
    expect(() => readBits(readTlv(hex(bytes)))).toThrow(DerError);
  });
});
