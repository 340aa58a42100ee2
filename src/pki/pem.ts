/**
 * Two readings of one PEM file. `readPem` keeps every block that a person would call one and says
 * what is wrong with the rest; `decodeAsGo` is what Go's encoding/pem (and so Sentry and daprd)
 * gets out of the same bytes. Where the two differ, trust is silently lost.
 */
export interface PemBlock {
  readonly label: string;
  /** The decoded content. */
  readonly der: Buffer;
  /** The line of the BEGIN, counted from 1. */
  readonly line: number;
  /** Where the BEGIN stands, in bytes. */
  readonly offset: number;
  /** RFC 1421 headers such as `DEK-Info`: an old encrypted key. */
  readonly hasHeaders: boolean;
}

export type PemProblemKind =
  | 'utf16'
  | 'bom'
  | 'nul'
  | 'joined'
  | 'indented'
  | 'no-end'
  | 'no-begin'
  | 'label-mismatch'
  | 'bad-base64'
  | 'no-blocks';

export interface PemProblem {
  readonly kind: PemProblemKind;
  readonly line: number;
  readonly message: string;
}

export interface PemFile {
  readonly blocks: readonly PemBlock[];
  readonly problems: readonly PemProblem[];
}

const marker = /-----(BEGIN|END) ([^\n]*?)-----/g;

/** Reads every block and names what it does not understand with its line. Never throws. */
export function readPem(bytes: Uint8Array): PemFile {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  if (text.startsWith('\xff\xfe') || text.startsWith('\xfe\xff')) {
    return { blocks: [], problems: [{ kind: 'utf16', line: 1, message: 'the file is UTF-16, not plain ASCII' }] };
  }
  const problems: PemProblem[] = [];
  const lineAt = indexLines(text);
  const report = (kind: PemProblemKind, offset: number, message: string) =>
    problems.push({ kind, line: lineAt(offset), message });
  if (text.startsWith('\xef\xbb\xbf')) report('bom', 0, 'the file begins with a byte order mark');
  const nul = text.indexOf('\0');
  if (nul >= 0) report('nul', nul, 'the file contains NUL bytes');

  const blocks: PemBlock[] = [];
  let open: { label: string; offset: number; bodyStart: number } | undefined;
  let previous = { word: '', end: 0 };
  for (const match of text.matchAll(marker)) {
    const [whole, word = '', label = ''] = match;
    const offset = match.index;
    const gap = text.slice(previous.end, offset);
    const follows = previous.word;
    previous = { word, end: offset + whole.length };
    if (word === 'BEGIN') {
      if (open) report('no-end', open.offset, `a ${open.label} block has no END line`);
      const oddity = whyOddStart(gap, follows);
      if (oddity) report(oddity, offset, oddStarts[oddity]);
      open = { label, offset, bodyStart: offset + whole.length };
    } else if (!open) {
      report('no-begin', offset, `an END ${label} line has no BEGIN`);
    } else if (label !== open.label) {
      report('label-mismatch', open.offset, `a block begins as ${open.label} and ends as ${label}`);
      open = undefined;
    } else {
      const body = splitHeaders(text.slice(open.bodyStart, offset));
      const der = decodeBase64(body.base64);
      if (der) {
        const line = lineAt(open.offset);
        blocks.push({ label, der, line, offset: open.offset, hasHeaders: body.hasHeaders });
      } else report('bad-base64', open.offset, `a ${label} block is not valid base64`);
      open = undefined;
    }
  }
  if (open) report('no-end', open.offset, `a ${open.label} block has no END line: the file is cut short`);
  if (blocks.length === 0 && problems.length === 0) report('no-blocks', 0, 'the file holds no PEM block');
  return { blocks, problems };
}

const oddStarts = {
  joined: 'two PEM blocks are joined without a line break between them',
  indented: 'a BEGIN line does not start at the beginning of its line',
} as const;

/** `gap` is what stands between a BEGIN and the marker in front of it. */
function whyOddStart(gap: string, follows: string): keyof typeof oddStarts | undefined {
  const startsLine = gap.endsWith('\n') || (follows === '' && (gap === '' || gap === '\xef\xbb\xbf'));
  if (startsLine) return undefined;
  return follows === 'END' && !gap.includes('\n') ? 'joined' : 'indented';
}

/** The line of an offset, counted from 1. */
function indexLines(text: string): (offset: number) => number {
  const breaks: number[] = [];
  for (let next = text.indexOf('\n'); next >= 0; next = text.indexOf('\n', next + 1)) breaks.push(next);
  return (offset) => {
    let [low, high] = [0, breaks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((breaks[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
}

function splitHeaders(body: string): { base64: string; hasHeaders: boolean } {
  const lines = body.replace(/^\s*\n/, '').split('\n');
  const firstWithout = lines.findIndex((line) => !line.includes(':'));
  if (firstWithout <= 0) return { base64: body, hasHeaders: false };
  return { base64: lines.slice(firstWithout).join('\n'), hasHeaders: true };
}

/** Go's base64.StdEncoding: padding due, line breaks anywhere, nothing behind the padding. */
function decodeBase64(text: string): Buffer | undefined {
  const compact = text.replace(/[\r\n\t ]+/g, '');
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) return undefined;
  return Buffer.from(compact, 'base64');
}

/**
 * The blocks that Go's pem.Decode yields when it is called until nothing is left.
 * Source of the rules: encoding/pem `Decode` and `getLine` of Go 1.26.
 */
export function decodeAsGo(bytes: Uint8Array): PemBlock[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const lineAt = indexLines(text);
  const blocks: PemBlock[] = [];
  let position = 0;
  for (;;) {
    const found = nextBlockAsGo(text, position);
    if (!found) return blocks;
    blocks.push({ ...found.block, line: lineAt(found.block.offset) });
    position = found.rest;
  }
}

function nextBlockAsGo(text: string, from: number): { block: Omit<PemBlock, 'line'>; rest: number } | undefined {
  for (let searchFrom = from; ; ) {
    const end = text.indexOf('\n-----END ', searchFrom);
    if (end < 0) return undefined;
    const afterEnd = end + '\n-----END '.length;
    const resume = searchFrom;
    // Within a slice, so that a file of END lines alone is not searched back to its start for each.
    const begin = resume + text.slice(resume, end).lastIndexOf('-----BEGIN ');
    searchFrom = afterEnd;
    if (begin < resume || (begin > resume && text[begin - 1] !== '\n')) continue;
    const typeLine = getLine(text, begin + '-----BEGIN '.length);
    if (!typeLine.line.endsWith('-----')) continue;
    const label = typeLine.line.slice(0, -5);
    let body = typeLine.next;
    let hasHeaders = false;
    for (;;) {
      if (body >= text.length) return undefined;
      const header = getLine(text, body);
      if (!header.line.includes(':')) break;
      hasHeaders = true;
      body = header.next;
    }
    // Headers that swallow the END line, by a colon in its label, end the whole search in Go.
    if (afterEnd < body) return undefined;
    if (hasHeaders && end < body) continue;
    const trailer = `${label}-----`;
    if (!text.startsWith(trailer, afterEnd)) continue;
    if (getLine(text, afterEnd + trailer.length).line.length > 0) continue;
    const der = end > body ? decodeBase64(text.slice(body, end)) : Buffer.alloc(0);
    if (!der) continue;
    return { block: { label, der, offset: begin, hasHeaders }, rest: getLine(text, end + 1).next };
  }
}

function getLine(text: string, from: number): { line: string; next: number } {
  const newline = text.indexOf('\n', from);
  let end = newline < 0 ? text.length : newline;
  if (newline > from && text[newline - 1] === '\r') end -= 1;
  while (end > from && (text[end - 1] === ' ' || text[end - 1] === '\t')) end -= 1;
  return { line: text.slice(from, end), next: newline < 0 ? text.length : newline + 1 };
}

/** One PEM block, in lines of 64 as RFC 7468 has them, ended by a line break. */
export function encodePem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
