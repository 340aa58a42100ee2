import { printable, wrap } from './text.ts';

export interface Terminal {
  readonly isTty: boolean;
  readonly columns: number;
  readonly colour: boolean;
}

/** Only who reads on a terminal wants lines broken; who searches in a pipe wants them whole. */
export function widthOf({ isTty, columns }: Pick<Terminal, 'isTty' | 'columns'>): number {
  return isTty ? columns : Number.POSITIVE_INFINITY;
}

/** Narrower than this sentences read worse than lines that the terminal itself breaks. */
const leastRoom = 24;

/** A text behind a head; its further lines stand below its first. */
export function hang(head: string, text: string, width: number): string[] {
  const room = Math.max(width - head.length, leastRoom);
  const [first = '', ...rest] = wrap(readInstants(printable(text)), room);
  return [`${head}${first}`.trimEnd(), ...rest.map((line) => `${' '.repeat(head.length)}${line}`)];
}

/** Records tell moments in RFC 3339; people read the same without its letters and its fractions. */
export function readInstants(text: string): string {
  return text.replace(/\b(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d)?)(?:\.\d+)?Z/g, '$1 $2 UTC');
}

/** To the minute: `2026-11-22 09:55 UTC`. */
export function formatMinute(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 16)} UTC`;
}

/** Without the process, which only who looks for a stuck run wants to know. */
export function nameOf(holder: string): string {
  return printable(holder.replace(/, process \d+$/, ''));
}
