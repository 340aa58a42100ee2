import type { CheckName, CheckState, ProbeReport } from '../app/probe/report.ts';
import { type Colour, painter, printable, type Terminal, wrap } from './text.ts';

const signs: Record<CheckState, { readonly word: string; readonly colour: Colour }> = {
  ok: { word: 'ok', colour: 'green' },
  warning: { word: 'warning', colour: 'yellow' },
  failed: { word: 'FAILED', colour: 'red' },
  'not-checked': { word: 'not checked', colour: 'grey' },
};

const titles: Record<CheckName, string> = {
  injection: 'sidecar',
  anchors: 'anchors',
  webhook: 'webhook',
  sentry: 'sentry',
  bundle: 'bundle',
};

const titleWidth = 10;
const stateWidth = 13;
const indent = titleWidth + stateWidth;

/** Each check with its reason and its mend, and the verdict last, where the eye ends. */
export function renderProbe({ checks, sentence }: ProbeReport, { isTty, columns, colour }: Terminal): string {
  const paint = painter(colour);
  // Only a terminal wants lines broken; who searches in a pipe wants them whole.
  const width = isTty ? Math.max(columns - indent, 30) : Number.POSITIVE_INFINITY;
  const lines = checks.flatMap(({ name, state, reason, hint }) => {
    const { word, colour: tint } = signs[state];
    const [first = '', ...rest] = [...breakLines(reason, width), ...breakLines(hint ?? '', width)];
    const head = `${titles[name].padEnd(titleWidth)}${paint(tint, word.padEnd(stateWidth))}${first}`;
    return [head, ...rest.map((line) => `${' '.repeat(indent)}${line}`)];
  });
  return `${[...lines, '', ...breakLines(sentence, isTty ? columns : width)].join('\n')}\n`;
}

/** A Role in a mend keeps its lines. */
function breakLines(text: string, width: number): string[] {
  if (text === '') return [];
  return text.split('\n').flatMap((line) => (line.length <= width ? [printable(line)] : wrap(printable(line), width)));
}
