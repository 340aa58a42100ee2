/**
 * A point in time by two clocks. The one on the wall may jump, and goes on while the machine sleeps;
 * the other one only ever runs, and stands still then.
 */
export interface Moment {
  readonly at: Date;
  /** By the clock that only runs. */
  readonly elapsedMs: number;
}

/** True as soon as either clock says so: a jump back hides no hour, a sleep none either. */
export function hasPassed(since: Moment, now: Moment, periodMs: number): boolean {
  return msUntilPassed(since, now, periodMs) <= 0;
}

export function msUntilPassed(since: Moment, now: Moment, periodMs: number): number {
  const onTheWallMs = now.at.getTime() - since.at.getTime();
  return periodMs - Math.max(onTheWallMs, now.elapsedMs - since.elapsedMs);
}
