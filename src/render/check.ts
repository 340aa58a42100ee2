import type { CheckReport } from '../app/check.ts';
import { type Colour, painter, printable } from './text.ts';

const marks = { error: '✗', warning: '!', info: 'i' } as const;
const colours: Record<keyof typeof marks, Colour> = { error: 'red', warning: 'yellow', info: 'grey' };

/** One finding in three lines: what, why, and the mend. */
export function renderCheck({ findings, summary }: CheckReport, terminal: { colour: boolean }): string {
  const paint = painter(terminal.colour);
  const lines = findings.flatMap(({ severity, code, subject, message, hint }) => [
    `${paint(colours[severity], `${marks[severity]} ${severity} ${code}`)}: ${printable(subject)}`,
    `  ${printable(message)}`,
    `  ${paint('bold', 'Mend:')} ${printable(hint)}`,
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
