import type { CheckReport } from '../app/check/check.ts';
import { type Colour, count, painter, printable, type Terminal, widthOf, wrap } from './text.ts';

const marks = { error: '✗', warning: '!', info: 'i' } as const;
const colours: Record<keyof typeof marks, Colour> = { error: 'red', warning: 'yellow', info: 'grey' };

/**
 * One finding in three lines: what, why, and the mend.
 * @param praise the verdict where there is nothing to mend
 */
export function renderCheck(
  { findings, summary }: CheckReport,
  terminal: Terminal,
  praise = 'Sentry and its clients accept this bundle',
): string {
  const paint = painter(terminal.colour);
  const width = widthOf(terminal) - 2;
  const paragraph = (text: string) => wrap(printable(text), width).map((line) => `  ${line}`);
  const lines = findings.flatMap(({ severity, code, subject, message, hint }) => [
    `${paint(colours[severity], `${marks[severity]} ${severity} ${code}`)}: ${printable(subject)}`,
    ...paragraph(message),
    ...paragraph(`Mend: ${hint}`).map((line) => line.replace('Mend:', paint('bold', 'Mend:'))),
  ]);
  const isGood = summary.error + summary.warning === 0;
  const verdict = isGood
    ? paint('green', `✓ ${praise}`)
    : `${count(summary.error, 'error')}, ${count(summary.warning, 'warning')}`;
  return `${[...lines, verdict].join('\n')}\n`;
}
