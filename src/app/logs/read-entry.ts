import { type KnownLine, knownLines } from '../explain/known-lines.ts';
import { readMessage } from '../explain/read-line.ts';
import { type Document, document } from '../report.ts';
import type { PodLine } from './service-logs.ts';

export type LogLevel = 'debug' | 'info' | 'warning' | 'error' | 'fatal';

/** One line of a log: a document of its own, so that a machine reads them as they come. */
export interface LogEntry extends Document<'LogLine'> {
  readonly pod: string;
  /** When the node took it, RFC 3339 in UTC; null where it did not say. */
  readonly time: string | null;
  /** Null of a line that is none of Dapr's two shapes. */
  readonly level: LogLevel | null;
  readonly msg: string;
  /** As it was written. */
  readonly line: string;
  /** What it is known for: a code of `dapr-mtls explain`. */
  readonly known: string | null;
}

export function readEntry({ pod, at, text }: PodLine): LogEntry {
  const msg = readMessage(text);
  return document('LogLine', {
    pod,
    time: at === '' ? null : at,
    level: readLevel(text),
    msg,
    line: text,
    known: knownLines.find((known) => standsForItself(known) && known.pattern.test(msg))?.code ?? null,
  });
}

/** What means something only often, or where nothing follows, is not picked out of a log that goes on. */
function standsForItself({ atLeast = 1, unlessFollowedBy }: KnownLine): boolean {
  return atLeast === 1 && unlessFollowedBy === undefined;
}

const levels: Readonly<Record<string, LogLevel>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warn: 'warning',
  warning: 'warning',
  error: 'error',
  fatal: 'fatal',
  panic: 'fatal',
};

/** Of dapr/kit's logger: `level=error` in logrus' text, `"level":"error"` in JSON. */
function readLevel(text: string): LogLevel | null {
  const written = text.trimStart().startsWith('{')
    ? /"level":\s*"(\w+)"/.exec(text)
    : /(?:^|\s)level="?(\w+)"?(?=\s|$)/.exec(text);
  return levels[written?.[1]?.toLowerCase() ?? ''] ?? null;
}
