import type { Clock } from '../../kube/rollout/clock.ts';

/**
 * Lets one after the other begin, each so long after the one before at least, however late that one
 * came. Whoever waits is asked again and again whether it still wants to, so that a stopped run ends
 * in the middle of its wait.
 * @param paceMs 0 lets everybody pass at once
 */
export function keepPace(paceMs: number, clock: Clock): (assertWanted: () => void) => Promise<void> {
  let freeMs = Number.NEGATIVE_INFINITY;
  return async (assertWanted) => {
    for (;;) {
      assertWanted();
      const nowMs = clock.now().getTime();
      if (nowMs >= freeMs) {
        freeMs = nowMs + paceMs;
        return;
      }
      await clock.sleep(Math.min(freeMs - nowMs, 1000));
    }
  };
}
