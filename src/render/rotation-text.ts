import { printable, wrap } from './text.ts';

/** Narrower than this a sentence reads badly beside its head, and stands below it. */
const leastRoom = 24;

/** A text behind a head; its further lines stand below its first. */
export function hang(head: string, text: string, width: number): string[] {
  const words = readInstants(printable(text));
  const isBeside = width - head.length >= leastRoom || head.trim() === '';
  const indent = isBeside ? head.length : head.length - head.trimStart().length + 2;
  const [first = '', ...rest] = wrapAround(words, Math.max(width - indent, leastRoom));
  const further = rest.map((line) => `${' '.repeat(indent)}${line}`);
  return isBeside ? [`${head}${first}`, ...further] : [head.trimEnd(), `${' '.repeat(indent)}${first}`, ...further];
}

/** As `wrap`, but a command between backticks stays whole: who copies it wants no line break in it. */
function wrapAround(text: string, width: number): string[] {
  const whole = text.replace(/`[^`]+`/g, (command) => command.replaceAll(' ', '\u0000'));
  return wrap(whole, width).map((line) => line.replaceAll('\u0000', ' '));
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
