import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeAsGo, encodePem, type PemProblemKind, readPem } from '../../src/pki/pem.ts';
import { pemTexts } from '../support/pem-texts.ts';

const a = encodePem('CERTIFICATE', Buffer.from('first'));
const b = encodePem('CERTIFICATE', Buffer.alloc(100, 7));
const latin1 = (text: string) => Buffer.from(text, 'latin1');

test('encodePem writes lines of 64 that both readers read back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const text = encodePem('X', bytes);
      expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(64);
      for (const blocks of [readPem(Buffer.from(text)).blocks, decodeAsGo(Buffer.from(text))]) {
        expect(blocks).toHaveLength(1);
        expect(blocks[0]?.der.equals(Buffer.from(bytes))).toBe(true);
      }
    }),
  );
});

describe('readPem', () => {
  test('keeps every block with its label, line and offset', () => {
    const { blocks, problems } = readPem(Buffer.from(`text\n${a}\n${b}`));
    expect(problems).toEqual([]);
    expect(blocks).toEqual([
      { label: 'CERTIFICATE', der: Buffer.from('first'), line: 2, offset: 5, hasHeaders: false },
      { label: 'CERTIFICATE', der: Buffer.alloc(100, 7), line: 6, offset: 5 + a.length + 1, hasHeaders: false },
    ]);
  });

  test.each([
    ['CRLF line ends', a.replaceAll('\n', '\r\n')],
    ['text between and behind', `${a}# a comment\n${b}the end`],
    ['blank lines', a.replaceAll('\n', '\n\n')],
    ['no line break at the end', a.trimEnd()],
    ['base64 on one line', b.replace(/(?<=[A-Za-z])\n(?=B)/, '')],
  ])('has no objection to %s', (_, text) => {
    expect(readPem(Buffer.from(text)).problems).toEqual([]);
    expect(readPem(Buffer.from(text)).blocks.length).toBe(decodeAsGo(Buffer.from(text)).length);
  });

  const problems: readonly [string, string, PemProblemKind, number, number][] = [
    ['UTF-16, low byte first', Buffer.from(`\ufeff${a}`, 'utf16le').toString('latin1'), 'utf16', 1, 0],
    ['UTF-16, high byte first', Buffer.from(`\ufeff${a}`, 'utf16le').swap16().toString('latin1'), 'utf16', 1, 0],
    ['a byte order mark', `\xef\xbb\xbf${a}`, 'bom', 1, 1],
    ['a NUL byte', `${a}\n\0`, 'nul', 5, 1],
    ['two blocks joined', a.trimEnd() + b, 'joined', 3, 2],
    ['an indented BEGIN line', `${a}  ${b}`, 'indented', 4, 2],
    ['a block without an END line', b.slice(0, 100), 'no-end', 1, 0],
    ['a block in a block', b.slice(0, 93) + a, 'no-end', 1, 1],
    ['an END line alone', `${a}-----END CERTIFICATE-----\n`, 'no-begin', 4, 1],
    ['two labels', a.replace('END CERTIFICATE', 'END X'), 'label-mismatch', 1, 0],
    ['a character that is not base64', `${a}${b.replace('Bwc', '%wc')}`, 'bad-base64', 4, 1],
    ['padding that is not due', a.replace('Zmly', 'Zm='), 'bad-base64', 1, 0],
    ['nothing', '', 'no-blocks', 1, 0],
    ['text alone', '{"not": "pem"}\n', 'no-blocks', 1, 0],
  ];

  test.each(problems)('names %s with its line', (_, text, kind, line, blocks) => {
    const file = readPem(latin1(text));
    expect(file.problems.map((problem) => [problem.kind, problem.line])).toContainEqual([kind, line]);
    expect(file.blocks).toHaveLength(blocks);
  });

  test('every kind of problem is among these', () => {
    const kinds: Record<PemProblemKind, true> = {
      utf16: true,
      bom: true,
      nul: true,
      joined: true,
      indented: true,
      'no-end': true,
      'no-begin': true,
      'label-mismatch': true,
      'bad-base64': true,
      'no-blocks': true,
    };
    expect(new Set(problems.map(([, , kind]) => kind))).toEqual(new Set(Object.keys(kinds)));
  });

  test('tells headers, as old encrypted keys have them', () => {
    const [block] = readPem(Buffer.from(a.replace('-----\n', '-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: x\n\n'))).blocks;
    expect(block).toMatchObject({ hasHeaders: true, der: Buffer.from('first') });
  });

  test('never throws and loses no block that Go reads, unless it says what is wrong', () => {
    fc.assert(
      fc.property(pemTexts, (text) => {
        const { blocks, problems: found } = readPem(latin1(text));
        const offsets = new Set(blocks.map(({ offset }) => offset));
        const lost = decodeAsGo(latin1(text)).filter(({ offset }) => !offsets.has(offset));
        expect(lost.length === 0 || found.length > 0).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

test.each([
  ['many blocks', a.repeat(20_000)],
  ['BEGIN lines without a line break', '-----BEGIN X-----'.repeat(50_000)],
  ['END lines alone', '\n-----END X-----'.repeat(50_000)],
  ['BEGIN lines alone', '-----BEGIN X-----\n'.repeat(50_000)],
  ['headers without end', `-----BEGIN X-----\n${'A: b\n'.repeat(200_000)}-----END X-----\n`],
  ['a line of spaces', `-----BEGIN X-----\n${' '.repeat(1_000_000)}x\n-----END X-----\n`],
  ['dashes', '-'.repeat(1_000_000)],
  ['BEGIN without an end of its line', '-----BEGIN '.repeat(50_000)],
])('a million characters of %s are read in moments', (_, text) => {
  const before = process.cpuUsage();
  readPem(Buffer.from(text));
  decodeAsGo(Buffer.from(text));
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(3000);
});

describe('decodeAsGo', () => {
  test.each([
    ['a BEGIN line that follows another block on its line', a.trimEnd() + b + a, ['first']],
    ['an indented block', `${a}  ${b}`, ['first']],
    ['a byte order mark', `\xef\xbb\xbf${a}${a}`, ['first']],
    ['bad base64 between', `${a}${b.replace('Bwc', '%wc')}${a}`, ['first', 'first']],
    ['a BEGIN line without its block', `-----BEGIN CERTIFICATE-----\n${a}`, ['first']],
    ['text behind an END line', a.replace('END CERTIFICATE-----', 'END CERTIFICATE----- x'), []],
    ['a label with a colon, whose END line passes for a header', `${encodePem('A:B', Buffer.alloc(0))}${a}`, []],
  ])('%s', (_, text, contents) => {
    expect(decodeAsGo(latin1(text)).map(({ der }) => der.toString())).toEqual(contents);
  });
});
