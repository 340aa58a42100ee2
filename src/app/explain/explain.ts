import { type Document, document } from '../report.ts';
import { type Act, type KnownLine, knownLines } from './known-lines.ts';
import { readMessage } from './read-line.ts';

export interface ActReport {
  readonly text: string;
  readonly command?: string;
}

export interface LineExplanation {
  readonly code: string;
  readonly title: string;
  readonly cause: string;
  readonly checks: readonly ActReport[];
  readonly mends: readonly ActReport[];
  /** Where it was seen: how often, at which line first (from 1), and that line. */
  readonly seen: { readonly count: number; readonly firstLine: number; readonly sample: string };
}

export interface ExplanationReport extends Document<'Explanation'> {
  /** How many lines were read. */
  readonly lines: number;
  /** Each once, in the order in which they were first seen. */
  readonly explanations: readonly LineExplanation[];
}

/** Longer lines are shown cut off. */
const sampleLength = 400;

/**
 * Takes the lines of a log one after the other and keeps only what it has recognised, however long
 * the log is.
 * @param directory the directory of the bundle as a word of the shell, for the commands; undefined: a cluster's
 */
export function startExplaining(directory: string | undefined): {
  take(line: string): void;
  report(): ExplanationReport;
} {
  const seen = new Map<KnownLine, { count: number; firstLine: number; sample: string }>();
  let lines = 0;
  return {
    take(line) {
      lines += 1;
      const message = readMessage(line);
      for (const known of seen.keys()) if (known.unlessFollowedBy?.test(message)) seen.delete(known);
      const known = knownLines.find(({ pattern }) => pattern.test(message));
      if (!known) return;
      const before = seen.get(known);
      if (before) before.count += 1;
      else seen.set(known, { count: 1, firstLine: lines, sample: cut(line.trim()) });
    },
    report() {
      const explanations = [...seen].filter(([{ atLeast = 1 }, { count }]) => count >= atLeast);
      return document('Explanation', {
        lines,
        explanations: explanations.map(([known, where]) => describe(known, where, directory)),
      });
    },
  };
}

/** All that can be explained, as if each line of the table had been read. */
export function listKnownLines(directory: string | undefined): ExplanationReport {
  const explanations = knownLines.map((known, index) =>
    describe(known, { count: 1, firstLine: index + 1, sample: cut(known.example) }, directory),
  );
  return document('Explanation', { lines: knownLines.length, explanations });
}

function describe(
  { code, title, cause, checks, mends }: KnownLine,
  seen: LineExplanation['seen'],
  directory: string | undefined,
): LineExplanation {
  const suit = (acts: readonly Act[]) =>
    acts.filter((act) => directory === undefined || !isOfClusters(act)).map((act) => nameStore(act, directory));
  return { code, title, cause, checks: suit(checks), mends: suit(mends), seen };
}

function isOfClusters({ command = '' }: Act): boolean {
  return / -k( |$)|^(kubectl|helm) /.test(command);
}

function nameStore({ text, command }: Act, directory: string | undefined): ActReport {
  if (command === undefined) return { text };
  const named = command.replace('STORE', directory === undefined ? '-k' : '--dir DIR');
  return { text, command: directory === undefined ? named : named.replaceAll('DIR', directory) };
}

function cut(line: string): string {
  return line.length <= sampleLength ? line : `${line.slice(0, sampleLength - 1)}…`;
}
