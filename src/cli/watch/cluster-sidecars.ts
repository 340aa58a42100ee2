import { performance } from 'node:perf_hooks';
import { type ReferenceFiles, readReference } from '../../app/audit/reference.ts';
import type { SidecarSight } from '../../app/watch/ports.ts';
import { openTally } from '../../app/watch/sidecar-tally.ts';
import { DaprMtlsError } from '../../errors.ts';
import { followPods } from '../../kube/pods/follow-pods.ts';
import type { Cluster, ListQuery } from '../../kube/port.ts';
import { sleep } from '../open-cluster.ts';

export interface WatchedSidecars {
  /** Begins to follow them; once is enough. */
  start(query: ListQuery): void;
  /** What they come to, once they are listed; or, in a sentence, why they are not known. */
  see(bundle: ReferenceFiles, at: Date): Promise<SidecarSight | string>;
  /** @param tell called when `see` would answer otherwise than it did */
  onNews(tell: () => void): void;
}

export interface SidecarOptions {
  /** What is forbidden is not asked for more often. */
  readonly everyMs: number;
  /** Ends the following. */
  readonly signal: AbortSignal;
}

/** A rollout makes and removes pods in one breath: what it leaves is news, not each of them. */
const settleMs = 1_000;
/** An API server that has just started refuses what it allows: it does not know the roles yet. */
const graceMs = 30_000;
const [shortestPauseMs, longestPauseMs] = [1_000, 10_000];

/**
 * The pods with sidecars, followed in the background. After a refusal, such as that of a token that
 * was revoked, they are listed anew as soon as that is allowed.
 */
export function watchSidecars(cluster: Cluster, { everyMs, signal }: SidecarOptions): WatchedSidecars {
  let isStarted = false;
  let tellNews: () => void = () => undefined;
  let wakeUp: () => void = () => undefined;
  /** Of the last list; undefined while the first one, or another one after a refusal, is under way. */
  let outcome: { readonly trouble: unknown } | undefined;
  /** Since the last list that was told to its end. */
  let refusedSinceMs: number | undefined;
  let waiting: (() => void)[] = [];
  let last: { readonly bundle: ReferenceFiles; readonly at: Date; readonly told: string } | undefined;
  let settling: NodeJS.Timeout | undefined;

  const tally = openTally(() => {
    settling ??= setTimeout(compare, settleMs);
  });
  const keeper = {
    ...tally,
    endList: () => {
      refusedSinceMs = undefined;
      tally.endList();
      settle(undefined);
    },
  };
  signal.addEventListener('abort', () => {
    clearTimeout(settling);
    wakeUp();
    release();
  });

  function settle(trouble: unknown): void {
    const isNews = outcome !== undefined && (outcome.trouble === undefined) !== (trouble === undefined);
    outcome = { trouble };
    release();
    if (isNews) tellNews();
  }

  function release(): void {
    const waited = waiting;
    waiting = [];
    for (const proceed of waited) proceed();
  }

  function compare(): void {
    settling = undefined;
    if (last && outcome && outcome.trouble === undefined && describe(judge(last.bundle, last.at)) !== last.told)
      tellNews();
  }

  function judge(bundle: ReferenceFiles, at: Date): SidecarSight | string {
    try {
      return tally.judge(readReference(bundle, at), at);
    } catch (error) {
      if (!(error instanceof DaprMtlsError)) throw error;
      // The anchors are new, and Sentry does not use them yet: as where the issuer is not known, each counts.
      if (error.code === 'trust.refused' && bundle.issuerChain) return judge({ ...bundle, issuerChain: undefined }, at);
      return `sidecars: not judged, ${error.message}`;
    }
  }

  async function follow(query: ListQuery): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await followPods(cluster, query, keeper, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof DaprMtlsError)) return settle(error);
        if (refusedSinceMs === undefined) failures = 0;
        refusedSinceMs ??= performance.now();
        const wasWell = outcome !== undefined && outcome.trouble === undefined;
        if (!wasWell || performance.now() - refusedSinceMs >= graceMs) settle(error);
        const isPatient = isForbidden(error) && outcome?.trouble !== undefined;
        await pause(isPatient ? everyMs : Math.min(longestPauseMs, shortestPauseMs * 2 ** failures));
      }
    }
  }

  function pause(ms: number): Promise<void> {
    const nap = new AbortController();
    wakeUp = () => nap.abort();
    return sleep(ms, nap.signal);
  }

  return {
    start: (query) => {
      if (isStarted) return;
      isStarted = true;
      void follow(query);
    },
    see: async (bundle, at) => {
      if (outcome?.trouble instanceof DaprMtlsError && !isForbidden(outcome.trouble)) {
        outcome = undefined;
        wakeUp();
      }
      if (!outcome && !signal.aborted) await new Promise<void>((resolve) => waiting.push(resolve));
      if (!outcome) return 'sidecars: not counted, the watch has ended';
      const { trouble } = outcome;
      if (trouble !== undefined) {
        if (!(trouble instanceof DaprMtlsError)) throw trouble;
        return `sidecars: not counted, ${trouble.message}`;
      }
      const sight = judge(bundle, at);
      last = { bundle, at, told: describe(sight) };
      return sight;
    },
    onNews: (tell) => {
      tellNews = tell;
    },
  };
}

function isForbidden({ code }: DaprMtlsError): boolean {
  return code === 'cluster.forbidden';
}

function describe(sight: SidecarSight | string): string {
  return JSON.stringify(sight);
}
