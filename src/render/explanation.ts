import type { ActReport, ExplanationReport } from '../app/explain/explain.ts';
import { painter, printable, type Terminal, widthOf, wrap } from './text.ts';

/** Each cause once: the line, what it means, how to check it, how to mend it. */
export function renderExplanation({ lines, explanations }: ExplanationReport, terminal: Terminal): string {
  if (explanations.length === 0) return `${nothingKnown(lines)}\n`;
  const paint = painter(terminal.colour);
  const width = widthOf(terminal) - 2;
  const paragraph = (text: string) => wrap(text, width).map((line) => `  ${line}`);
  const acts = (heading: string, list: readonly ActReport[]) =>
    list.length === 0 ? [] : [`  ${paint('bold', heading)}`, ...list.flatMap((act) => describeAct(act, width))];
  return explanations
    .map(({ code, title, cause, checks, mends, seen }) =>
      [
        `${paint('bold', `${title}`)} (${code})`,
        ...paragraph(`${whereSeen(seen, lines)}${printable(seen.sample)}`).map((line) => paint('grey', line)),
        ...paragraph(cause),
        ...acts('Check', checks),
        ...acts('Mend', mends),
        '',
      ].join('\n'),
    )
    .join('\n');
}

/** A command stands alone on its line, however long, so that it can be copied. */
function describeAct({ text, command }: ActReport, width: number): string[] {
  const lines = wrap(text, width - 2).map((line) => `    ${line}`);
  return command === undefined ? lines : [...lines, `      ${command}`];
}

function whereSeen({ count, firstLine }: { count: number; firstLine: number }, lines: number): string {
  if (lines === 1) return '';
  return count === 1 ? `line ${firstLine}: ` : `line ${firstLine}, ${count} times: `;
}

function nothingKnown(lines: number): string {
  if (lines === 0) return 'There was nothing to explain: no line was read.';
  return `Nothing is known about ${lines === 1 ? 'this line' : `any of these ${lines} lines`}. What does the bundle itself say? \`dapr-mtls check\``;
}
