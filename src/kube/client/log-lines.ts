import type { LogLine } from '../port.ts';

const newline = 0x0a;

/** A line longer than this is cut off: nobody reads it, and memory is not to depend on it. */
const longestLogLine = 64 * 1024;

/**
 * The lines of a log that the node has put its instants before. What stands behind the last end is told
 * as well: a log need not end in a line break.
 */
export async function* logLinesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<LogLine> {
  let parts: Buffer[] = [];
  let length = 0;
  let isCut = false;
  let at = '';
  const take = (piece: Buffer) => {
    const room = longestLogLine - length;
    if (piece.length > room) isCut = true;
    if (room > 0) parts.push(piece.subarray(0, room));
    length += Math.min(piece.length, Math.max(room, 0));
  };
  const finish = (): LogLine => {
    const line = splitLine(`${Buffer.concat(parts).toString('utf8')}${isCut ? '…' : ''}`, at);
    [parts, length, isCut, at] = [[], 0, false, line.at];
    return line;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      take(chunk.subarray(start, end));
      yield finish();
      start = end + 1;
    }
    take(chunk.subarray(start));
  }
  if (length > 0) yield finish();
}

/** `2026-11-22T01:02:03.000000004Z text`; a node writes it in its own time zone. */
function splitLine(raw: string, before: string): LogLine {
  const [, seconds, fraction = '', zone, text = ''] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)(?: (.*))?$/s.exec(raw) ?? [];
  const ms = seconds === undefined ? Number.NaN : Date.parse(`${seconds}${zone}`);
  const trimmed = (line: string) => (line.endsWith('\r') ? line.slice(0, -1) : line);
  if (Number.isNaN(ms)) return { at: before, text: trimmed(raw) };
  return { at: `${new Date(ms).toISOString().slice(0, 19)}.${fraction.padEnd(9, '0')}Z`, text: trimmed(text) };
}
