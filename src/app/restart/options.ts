import type { Clock } from '../../kube/rollout/clock.ts';
import type { RestartProgress } from './progress.ts';

/** What every restart is given. */
export interface RestartOptions {
  /** For all of it. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly onProgress: (progress: RestartProgress) => void;
  /** Throws when the run is to stop. */
  readonly assertRunning: () => void;
  /**
   * Asked before each workload whether it may still be begun; where it may not, those under way are waited
   * for and the others left as they are. It may whenever nobody says.
   */
  readonly mayBegin?: () => Promise<boolean>;
}

/** Upstream's `--timeout`. */
export const defaultTimeoutMs = 300_000;
