/** Time as a wait sees it, so that tests need none of their own. */
export interface Clock {
  now(): Date;
  /** Sleeps, or wakes at once when the signal comes. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
