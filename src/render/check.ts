import type { CheckReport } from '../app/check/check.ts';
import { type Colour, painter, printable, wrap } from './text.ts';

interface Terminal {
  readonly isTty: boolean;
  readonly columns: number;
  readonly colour: boolean;
}

const marks = { error: '✗', warning: '!', info: 'i' } as const;
const colours: Record<keyof typeof marks, Colour> = { error: 'red', warning: 'yellow', info: 'grey' };

/** One finding in three lines: what, why, and the mend. */
export function renderCheck({ findings, summary }: CheckReport, terminal: Terminal): string {
  const paint = painter(terminal.colour);
  // Only who reads on a terminal wants lines broken; who searches in a pipe wants them whole.
  const width = terminal.isTty ? terminal.columns - 2 : Number.POSITIVE_INFINITY;
  const paragraph = (text: string) => wrap(printable(text), width).map((line) => `  ${line}`);
  const lines = findings.flatMap(({ severity, code, subject, message, hint }) => [
    `${paint(colours[severity], `${marks[severity]} ${severity} ${code}`)}: ${printable(subject)}`,
    ...paragraph(message),
    ...paragraph(`Mend: ${hint}`).map((line) => line.replace('Mend:', paint('bold', 'Mend:'))),
  ]);
  const isGood = summary.error + summary.warning === 0;
  const verdict = isGood
    ? paint('green', '✓ Sentry and its clients accept this bundle')
    : `${count(summary.error, 'error')}, ${count(summary.warning, 'warning')}`;
  return `${[...lines, verdict].join('\n')}\n`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
