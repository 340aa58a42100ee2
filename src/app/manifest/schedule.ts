/** A field of a line of cron: its least and its greatest value, and names for some, from the least on. */
interface Field {
  readonly least: number;
  readonly greatest: number;
  readonly names: readonly string[];
}

const fields: readonly Field[] = [
  { least: 0, greatest: 59, names: [] },
  { least: 0, greatest: 23, names: [] },
  { least: 1, greatest: 31, names: [] },
  { least: 1, greatest: 12, names: 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ') },
  { least: 0, greatest: 6, names: 'sun mon tue wed thu fri sat'.split(' ') },
];

const words = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']);

/**
 * Whether Kubernetes takes it as the schedule of a CronJob, which it reads with robfig/cron: five fields, or a word.
 * A time zone within it (`TZ=...`) is refused there since 1.27, and so it is here.
 */
export function isSchedule(text: string): boolean {
  if (words.has(text)) return true;
  const every = /^@every (?:\d+(?:\.\d+)?(?:h|m|s))+$/.test(text);
  const parts = text.trim().split(/\s+/);
  return every || (parts.length === fields.length && fields.every((field, index) => holds(field, parts[index] ?? '')));
}

function holds(field: Field, text: string): boolean {
  return text.split(',').every((range) => isRange(field, range));
}

/** `*`, `?`, `3`, `1-5`, each with a step as in `0-30/10`. */
function isRange(field: Field, text: string): boolean {
  const [span = '', step, ...more] = text.split('/');
  if (more.length > 0 || (step !== undefined && !/^[1-9]\d*$/.test(step))) return false;
  if (span === '*' || span === '?') return true;
  const [from = '', to = from, ...others] = span.split('-');
  const [first, last] = [readValue(field, from), readValue(field, to)];
  return others.length === 0 && first !== undefined && last !== undefined && first <= last;
}

function readValue({ least, greatest, names }: Field, text: string): number | undefined {
  const named = names.indexOf(text.toLowerCase());
  if (named >= 0) return least + named;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= greatest ? value : undefined;
}
