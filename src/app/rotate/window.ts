import { DaprMtlsError } from '../../errors.ts';

/** When a rotation may go on by itself. Open while the clock of the place shows one of its times. */
export interface TimeWindow {
  /** As it was written. */
  readonly text: string;
  readonly spans: readonly WeeklySpan[];
}

interface WeeklySpan {
  /** 0 is Sunday. */
  readonly days: ReadonlySet<number>;
  /** Since midnight. */
  readonly fromMinute: number;
  /** Not within it any more. At most `fromMinute` where it ends on the next day. */
  readonly toMinute: number;
  /** IANA's name of the time zone. */
  readonly zone: string;
}

const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const minuteMs = 60_000;
const minutesOfDay = 1440;

/**
 * `Sat 02:00-05:00 Europe/Berlin`; days as `Mon,Wed`, `Mon-Fri` or `daily`, UTC without a zone, several
 * windows with `;` between them. One that ends before it begins ends on the next day.
 * @throws DaprMtlsError `usage.invalid`
 */
export function parseWindow(text: string): TimeWindow {
  const spans = text
    .replace(/;\s*$/, '')
    .split(';')
    .map((part) => parseSpan(part.trim(), text));
  return { text, spans };
}

function parseSpan(part: string, text: string): WeeklySpan {
  const [, days = '', from = '', to = '', zone = 'UTC'] =
    /^(\S+)\s+(\d{1,2}:\d\d)\s*-\s*(\d{1,2}:\d\d)(?:\s+(\S+))?$/.exec(part) ?? [];
  if (days === '') throw invalid(text, `"${part}" is not days, times and a zone`);
  const fromMinute = parseMinute(from);
  const toMinute = parseMinute(to);
  if (fromMinute === undefined || fromMinute === minutesOfDay) throw invalid(text, `${from} is no time of the day`);
  if (toMinute === undefined) throw invalid(text, `${to} is no time of the day`);
  if (fromMinute === toMinute) throw invalid(text, `it ends when it begins; the whole day is 00:00-24:00`);
  if (!isZone(zone)) throw invalid(text, `there is no time zone ${zone}`);
  return { days: parseDays(days, text), fromMinute, toMinute, zone };
}

/** 24:00 is the end of the day. */
function parseMinute(time: string): number | undefined {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  const minute = hours * 60 + minutes;
  return minutes < 60 && minute <= minutesOfDay ? minute : undefined;
}

function parseDays(words: string, text: string): ReadonlySet<number> {
  if (words.toLowerCase() === 'daily') return new Set(dayNames.keys());
  return new Set(
    words.split(',').flatMap((word) => {
      const [first = '', last = first, ...more] = word.split('-');
      if (more.length > 0) throw invalid(text, `${word} is neither a day nor a range of days`);
      return daysBetween(dayOf(first, text), dayOf(last, text));
    }),
  );
}

/** `Sat` or `Saturday`. */
function dayOf(word: string, text: string): number {
  const name = word.toLowerCase();
  const isFull = /^(sun|mon|tues|wednes|thurs|fri|satur)day$/.test(name);
  const day = dayNames.indexOf(isFull ? name.slice(0, 3) : name);
  if (day < 0) throw invalid(text, `${word || 'nothing'} is no day of the week`);
  return day;
}

/** Fri-Mon goes over the end of the week. */
function daysBetween(first: number, last: number): number[] {
  const count = ((last - first + 7) % 7) + 1;
  return Array.from({ length: count }, (_, index) => (first + index) % 7);
}

function isZone(zone: string): boolean {
  try {
    return Boolean(clockOf(zone));
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function invalid(text: string, reason: string): DaprMtlsError {
  return new DaprMtlsError('usage.invalid', {
    message: `--window ${JSON.stringify(text)}: ${reason}`,
    hint: 'Write "Sat 02:00-05:00 Europe/Berlin", "Mon-Fri 22:00-04:00", "daily 01:00-03:00 America/New_York", or several: "Sat 02:00-05:00; Sun 02:00-05:00".',
  });
}

/**
 * By what the clock of the place shows: an hour that is left out in spring opens nothing, one that comes
 * twice in autumn is open twice.
 */
export function isOpen({ spans }: TimeWindow, at: Date): boolean {
  return spans.some((span) => isWithin(span, at.getTime() + offsetMs(span.zone, at.getTime())));
}

/** The moment itself where it is open then. */
export function nextOpening(window: TimeWindow, at: Date): Date {
  if (isOpen(window, at)) return at;
  return new Date(Math.min(...window.spans.map((span) => nextOpeningOf(span, at.getTime()))));
}

/** Zones change their offset at a quarter of an hour only, so that it holds for each minute of that. */
const quarterMs = 15 * minuteMs;
/** A weekly window that a change of the clock leaves out comes a week later. */
const searchedMs = 22 * minutesOfDay * minuteMs;

function nextOpeningOf(span: WeeklySpan, atMs: number): number {
  const end = atMs + searchedMs;
  for (let quarter = Math.floor(atMs / quarterMs) * quarterMs; quarter < end; quarter += quarterMs) {
    const offset = offsetMs(span.zone, quarter);
    for (let minute = quarter; minute < quarter + quarterMs; minute += minuteMs) {
      if (minute > atMs && isWithin(span, minute + offset)) return minute;
    }
  }
  throw new Error('a window that never opens');
}

/** @param shownMs what the clock of the place shows, as if it were UTC */
function isWithin({ days, fromMinute, toMinute }: WeeklySpan, shownMs: number): boolean {
  const minutes = Math.floor(shownMs / minuteMs);
  const day = Math.floor(minutes / minutesOfDay);
  const minute = minutes - day * minutesOfDay;
  // 1 January 1970 was a Thursday.
  const isDay = (of: number) => days.has((((of + 4) % 7) + 7) % 7);
  if (fromMinute < toMinute) return isDay(day) && fromMinute <= minute && minute < toMinute;
  return (isDay(day) && fromMinute <= minute) || (isDay(day - 1) && minute < toMinute);
}

/** How far the clock of a zone is ahead of UTC. */
function offsetMs(zone: string, atMs: number): number {
  const parts = clockOf(zone).formatToParts(atMs);
  const value = (type: Intl.DateTimeFormatPartTypes) => Number(parts.find((part) => part.type === type)?.value);
  const shown = Date.UTC(
    value('year'),
    value('month') - 1,
    value('day'),
    value('hour'),
    value('minute'),
    value('second'),
  );
  return shown - Math.floor(atMs / 1000) * 1000;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** @throws RangeError where there is no such zone */
function clockOf(timeZone: string): Intl.DateTimeFormat {
  const made =
    clocks.get(timeZone) ??
    new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  clocks.set(timeZone, made);
  return made;
}
