import { expect, test } from 'vitest';
import { encodeTlv, readTlv } from '../../src/pki/der.ts';
import { assertName } from '../../src/pki/names.ts';
import { commonName, name, oid, sequence } from '../support/forged-certificate.ts';

const bmp = (...points: number[]) => Buffer.from(points.flatMap((point) => [point >> 8, point & 0xff]));
const ofTag = (tag: number, text: string) =>
  sequence(encodeTlv(0x31, sequence(oid('2.5.4.3'), encodeTlv(tag, Buffer.from(text, 'latin1')))));

test.each([
  ['no attribute', name()],
  ['an empty RDN', sequence(encodeTlv(0x31))],
  ['UTF-8', commonName('Größe 根 😀')],
  ['printable characters', commonName("Az09 '()*+,-./:=?&", 'printable')],
  ['Latin-1 in a T61String', commonName('Gr\xf6\xdfe', 't61')],
  ['ASCII in an IA5String', commonName('user@host\x7f', 'ia5')],
  ['a BMPString with its terminator', name({ type: 'commonName', as: 'bmp', value: bmp(0x41, 0) })],
  ['digits in a NumericString', ofTag(18, '0123 9')],
])('%s is a name to Go', (_, der) => {
  expect(() => assertName(readTlv(der))).not.toThrow();
});

test.each([
  ['an underscore in a PrintableString', commonName('my_cluster', 'printable')],
  ['an at sign in a PrintableString', commonName('a@b', 'printable')],
  ['UTF-8 cut short', name({ type: 'commonName', as: 'utf8', value: Buffer.from([0xc3]) })],
  ['a surrogate in UTF-8', name({ type: 'commonName', as: 'utf8', value: Buffer.from([0xed, 0xa0, 0x80]) })],
  ['an IA5String beyond ASCII', commonName('\xe9', 'ia5')],
  ['half a character in a BMPString', name({ type: 'commonName', as: 'bmp', value: Buffer.from([0]) })],
  ['a surrogate in a BMPString', name({ type: 'commonName', as: 'bmp', value: bmp(0xd800) })],
  ['a noncharacter in a BMPString', name({ type: 'commonName', as: 'bmp', value: bmp(0xfdd0) })],
  ['a letter in a NumericString', ofTag(18, '1a')],
  ['a UniversalString', ofTag(28, '\0\0\0a')],
  ['a VisibleString', ofTag(26, 'a')],
  ['a SEQUENCE where a SET is due', sequence(sequence(sequence(oid('2.5.4.3'), encodeTlv(12))))],
  ['an attribute without a value', sequence(encodeTlv(0x31, sequence(oid('2.5.4.3'))))],
  ['an attribute without a type', sequence(encodeTlv(0x31, sequence(encodeTlv(12), encodeTlv(12))))],
])('%s is none', (_, der) => {
  expect(() => assertName(readTlv(der))).toThrow();
});
