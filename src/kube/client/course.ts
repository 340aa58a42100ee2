import type { WatchHealth } from '../port.ts';

/** A watch that ends sooner after its head than this is not one that the server's time limit has ended. */
const healthyMs = 1_000;

/** One try to have changes told. */
export interface Try {
  /** The head of the answer is there. */
  opened(): void;
  /** An event has come, or the server has ended the watch as it should. */
  well(): void;
  failed(error: Error): void;
  end(): void;
  /** Measured from the head: what a request takes until it fails is nothing that went well. */
  hasLasted(): boolean;
}

/**
 * Tells of a trouble once it has lasted, and of its end. A head alone is not the end: what is cut behind
 * each head tells nothing, either.
 */
export function followCourse(health: WatchHealth | undefined): { begin(): Try } {
  let isTroubled = false;
  let failingSinceMs: number | undefined;
  let hasBeenWell = false;
  const recover = () => {
    failingSinceMs = undefined;
    if (hasBeenWell && !isTroubled) return;
    hasBeenWell = true;
    isTroubled = false;
    health?.onWell?.();
  };
  return {
    begin: () => {
      const begunMs = performance.now();
      let openedMs = Number.POSITIVE_INFINITY;
      let isWell = false;
      let timer: NodeJS.Timeout | undefined;
      const well = () => {
        if (isWell) return;
        isWell = true;
        recover();
      };
      return {
        opened: () => {
          openedMs = performance.now();
          timer = setTimeout(well, healthyMs);
        },
        well,
        failed: (error) => {
          if (isWell) return;
          failingSinceMs ??= begunMs;
          if (!health || isTroubled || performance.now() - failingSinceMs < health.patienceMs) return;
          isTroubled = true;
          health.onTrouble(error);
        },
        end: () => clearTimeout(timer),
        hasLasted: () => performance.now() - openedMs >= healthyMs,
      };
    },
  };
}
