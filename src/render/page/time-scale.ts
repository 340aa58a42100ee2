/** One axis of time, and where an instant is on it. */
export interface TimeScale {
  readonly start: number;
  readonly end: number;
  readonly now: number;
}

export interface Tick {
  readonly label: string;
  /** In percent of the axis. */
  readonly at: number;
}

/** Some tools date a root to the year 9999; an axis to there would show nothing else. */
const horizonMs = 25 * 366 * 86_400_000;

/** From the first beginning to the last end, now among them, with a little room. All in milliseconds. */
export function scaleOf(spans: readonly { readonly from: number; readonly to: number }[], now: number): TimeScale {
  const start = Math.max(now - horizonMs, Math.min(now, ...spans.map(({ from }) => from)));
  const end = Math.min(now + horizonMs, Math.max(now, ...spans.map(({ to }) => to)));
  const room = Math.max(end - start, 60_000) * 0.02;
  return { start: start - room, end: end + room, now };
}

/** In percent, never beyond the ends; with two digits behind the point, which is less than a pixel. */
export function positionOf({ start, end }: TimeScale, instant: number): number {
  const share = ((instant - start) / (end - start)) * 100;
  return Math.round(Math.min(100, Math.max(0, share)) * 100) / 100;
}

const minute = 60_000;
const day = 1440 * minute;
const month = 30.5 * day;
/** Lengths of time between two marks that people count by. */
const steps = {
  minutes: [minute, 5 * minute, 15 * minute, 60 * minute, 180 * minute, 720 * minute],
  days: [1, 2, 7, 14],
  months: [1, 3, 6, 12, 24, 60, 120],
};

/** No more than these, so that their labels stand apart on the smallest screen. */
const mostTicks = 5;

/** Marks at the beginnings of minutes, days, months or years, whichever fit. */
export function ticksOf(scale: TimeScale): Tick[] {
  const length = scale.end - scale.start;
  const inMinutes = steps.minutes.find((step) => length / step <= mostTicks);
  if (inMinutes) return marks(scale, Math.ceil(scale.start / inMinutes) * inMinutes, (at) => at + inMinutes, 'time');
  const inDays = steps.days.find((step) => length / (step * day) <= mostTicks);
  if (inDays) return marks(scale, Math.ceil(scale.start / day) * day, (at) => at + inDays * day, 'day');
  const inMonths = steps.months.find((step) => length / (step * month) <= mostTicks) ?? 240;
  const first = new Date(scale.start);
  const months = first.getUTCFullYear() * 12 + first.getUTCMonth();
  const next = (at: number) => monthStart(monthsOf(at) + inMonths);
  return marks(
    scale,
    monthStart(Math.ceil((months + 1) / inMonths) * inMonths),
    next,
    inMonths < 12 ? 'month' : 'year',
  );
}

function marks(scale: TimeScale, first: number, next: (at: number) => number, precision: keyof typeof lengths): Tick[] {
  const ticks: Tick[] = [];
  for (let at = first; at <= scale.end; at = next(at)) {
    const [from, to] = lengths[precision];
    ticks.push({ label: new Date(at).toISOString().slice(from, to), at: positionOf(scale, at) });
  }
  return ticks;
}

/** The part of an RFC 3339 instant that tells it. */
const lengths = { time: [11, 16], day: [5, 10], month: [0, 7], year: [0, 4] } as const;

function monthsOf(at: number): number {
  const date = new Date(at);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

function monthStart(months: number): number {
  return Date.UTC(Math.floor(months / 12), months % 12, 1);
}
