import fc from 'fast-check';

/** An answer of HTTP/1.1, and the bytes that say it: by an encoder of the tests' own. */
export interface WrittenAnswer {
  readonly status: number;
  /** By their names in lower case, those that repeat joined. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly framing: 'chunked' | 'sized' | 'open';
  readonly bytes: Buffer;
  /** Where the head ends, what announces it included. */
  readonly headEnd: number;
}

type Line = readonly [name: string, value: string];

const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,8}$/);
/** Octets above 127 are allowed, and come as Latin-1. */
const text = fc.stringMatching(/^([!-~\x80-\xff]([\t -~\x80-\xff]{0,10}[!-~\x80-\xff])?)?$/);
/** All that says how the end of the body is known is written apart. */
const framingNames = ['content-length', 'transfer-encoding', 'connection', 'upgrade'];
const otherName = token.filter((name) => !framingNames.includes(name.toLowerCase()));
const line: fc.Arbitrary<Line> = fc.tuple(fc.oneof(otherName, fc.constantFrom('X-One', 'x-one', '__proto__')), text);
const lines = fc.array(line, { maxLength: 5 });
const blank = fc.stringMatching(/^ {0,3}$/);
const announcement = fc.record({ status: fc.constantFrom(100, 102, 103), lines });
const extension = fc.oneof(
  fc.constant(''),
  token.map((name) => `;${name}`),
  fc.tuple(token, token).map(([name, value]) => `;${name}=${value}`),
  token.map((name) => `;${name}="a b"`),
);
const chunk = fc.record({
  data: fc.uint8Array({ minLength: 1, maxLength: 90 }),
  extension,
  zeros: fc.nat({ max: 2 }),
  isUpper: fc.boolean(),
});

const writing = fc.record({
  announcements: fc.array(announcement, { maxLength: 2 }),
  version: fc.constantFrom('HTTP/1.1', 'HTTP/1.0'),
  status: fc.integer({ min: 200, max: 599 }).filter((status) => status !== 204 && status !== 304),
  reason: fc.oneof(
    fc.constantFrom('', ' ', ' OK', ' Not Found'),
    text.map((words) => ` ${words}`),
  ),
  lines,
  /** Where among the headers the framing stands. */
  place: fc.nat({ max: 5 }),
  /** How it is written. */
  flips: fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
  before: blank,
  behind: blank,
  framing: fc.constantFrom('chunked', 'sized', 'open'),
  chunks: fc.array(chunk, { maxLength: 5 }),
  lastExtension: extension,
  trailers: lines,
});
type Writing = typeof writing extends fc.Arbitrary<infer T> ? T : never;

export const writtenAnswers: fc.Arbitrary<WrittenAnswer> = writing.map(write);

function write(given: Writing): WrittenAnswer {
  const body = Buffer.concat(given.chunks.map(({ data }) => data));
  const stated = given.lines.toSpliced(given.place, 0, ...framingLine(given, body.length));
  const announced = given.announcements.map(({ status, lines }) => writeHead(`HTTP/1.1 ${status} Wait`, lines));
  const head = writeHead(`${given.version} ${given.status}${given.reason}`, stated, given);
  const before = Buffer.from([...announced, head].join(''), 'latin1');
  return {
    status: given.status,
    headers: joinLines(stated),
    body,
    framing: given.framing as WrittenAnswer['framing'],
    bytes: Buffer.concat([before, given.framing === 'chunked' ? writeChunks(given) : body]),
    headEnd: before.length,
  };
}

function framingLine({ framing, flips }: Writing, length: number): Line[] {
  const flip = (name: string) =>
    [...name].map((letter, index) => (flips[index % flips.length] ? letter.toUpperCase() : letter)).join('');
  if (framing === 'sized') return [[flip('content-length'), String(length)]];
  return framing === 'chunked' ? [[flip('transfer-encoding'), flip('chunked')]] : [];
}

function writeHead(first: string, lines: readonly Line[], { before, behind } = { before: ' ', behind: '' }): string {
  return `${[first, ...lines.map(([name, value]) => `${name}:${before}${value}${behind}`)].join('\r\n')}\r\n\r\n`;
}

function writeChunks({ chunks, lastExtension, trailers }: Writing): Buffer {
  const written = chunks.flatMap(({ data, extension, zeros, isUpper }) => {
    const digits = data.length.toString(16).padStart(zeros, '0');
    return [Buffer.from(`${isUpper ? digits.toUpperCase() : digits}${extension}\r\n`), data, Buffer.from('\r\n')];
  });
  const end = writeHead(`0${lastExtension}`, trailers);
  return Buffer.concat([...written, Buffer.from(end, 'latin1')]);
}

function joinLines(lines: readonly Line[]): Record<string, string> {
  const joined = new Map<string, string>();
  for (const [name, value] of lines) {
    const known = joined.get(name.toLowerCase());
    joined.set(name.toLowerCase(), known === undefined ? value : `${known}, ${value}`);
  }
  return Object.fromEntries(joined);
}
