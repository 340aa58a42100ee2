import type { LogEntry } from '../app/logs/read-entry.ts';
import { type Colour, painter, printable } from './text.ts';

const podColours: readonly Colour[] = ['cyan', 'magenta', 'blue', 'green'];
const levelColours: Partial<Record<NonNullable<LogEntry['level']>, Colour>> = {
  warning: 'yellow',
  error: 'red',
  fatal: 'red',
};

/** Writes each line behind the name of its pod; with colours, errors, warnings and known lines are picked out. */
export function startRenderingLines(hasColour: boolean): (entry: LogEntry) => string {
  const paint = painter(hasColour);
  const pods = new Map<string, Colour>();
  return ({ pod, line, level, known }) => {
    const colour = pods.get(pod) ?? podColours[pods.size % podColours.length] ?? 'cyan';
    pods.set(pod, colour);
    // Tabs are no tricks, and a stack has them.
    const text = line.split('\t').map(printable).join('\t');
    const levelColour = level === null ? undefined : levelColours[level];
    const coloured = levelColour ? paint(levelColour, text) : text;
    return `${paint(colour, printable(pod))} ${known === null ? coloured : paint('bold', coloured)}\n`;
  };
}
