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
  /** What they come to, once they are listed. */
  see(bundle: ReferenceFiles, at: Date): Promise<SeenSidecars>;
  /** @param tell called when `see` would answer otherwise than it did */
  onNews(tell: () => void): void;
}

export interface SeenSidecars {
  /** Undefined where it is not known. */
  readonly sidecars: SidecarSight | undefined;
  /** Why not, or how old it may be, in a sentence. */
  readonly unread: readonly string[];
}

export interface SidecarOptions {
  /** What is forbidden is not asked for more often. */
  readonly everyMs: number;
  /** What does not last for so long is waited for without a word. */
  readonly patienceMs?: number;
  /** Ends the following. */
  readonly signal: AbortSignal;
}

/** A rollout makes and removes pods in one breath: what it leaves is news, not each of them. */
const settleMs = 1_000;
/** An API server that has just started refuses what it allows: it does not know the roles yet. */
const outageMs = 30_000;
const [shortestPauseMs, longestPauseMs] = [1_000, 10_000];

/**
 * The pods with sidecars, followed in the background. After a refusal, such as that of a token that
 * was revoked, they are listed anew as soon as that is allowed; where they can be listed and not be
 * watched they are listed at the pace of the looks.
 */
export function watchSidecars(
  cluster: Cluster,
  { everyMs, patienceMs = outageMs, signal }: SidecarOptions,
): WatchedSidecars {
  let isStarted = false;
  let tellNews: () => void = () => undefined;
  let wakeUp: () => void = () => undefined;
  /** Of the last list; undefined while the first one, or another one after a refusal, is under way. */
  let outcome: { readonly trouble: unknown } | undefined;
  /** Why what the last list told is not kept up to date. */
  let unfollowed: DaprMtlsError | undefined;
  /** Their changes are told, or were until just now. */
  let isFollowed = false;
  /** Since changes were told last, or what a refusal led to was settled. */
  let refusedSinceMs: number | undefined;
  let waiting: (() => void)[] = [];
  let last: { readonly bundle: ReferenceFiles; readonly at: Date; readonly told: string } | undefined;
  let settling: NodeJS.Timeout | undefined;
  /** Since they are followed anew. */
  let isListed = false;

  const tally = openTally(() => {
    settling ??= setTimeout(compare, settleMs);
  });
  const keeper = {
    ...tally,
    endList: () => {
      isListed = true;
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

  function unfollow(error: DaprMtlsError | undefined): void {
    const isNews = (unfollowed === undefined) !== (error === undefined);
    unfollowed = error;
    isFollowed = error === undefined;
    refusedSinceMs = undefined;
    if (isNews) tellNews();
  }

  async function follow(query: ListQuery): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await followUntilTrouble(query);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof DaprMtlsError)) return settle(error);
        if (refusedSinceMs === undefined) failures = 0;
        await pause(takeRefusal(error) ? everyMs : Math.min(longestPauseMs, shortestPauseMs * 2 ** failures));
      }
    }
  }

  /** The client would try for ever to watch what it can list; meanwhile nobody would list it. */
  async function followUntilTrouble(query: ListQuery): Promise<void> {
    const ending = new AbortController();
    let trouble: Error | undefined;
    isListed = false;
    const onTrouble = (error: Error) => {
      trouble = error;
      // It has been waited out.
      isFollowed = false;
      ending.abort();
    };
    const onWell = () => unfollow(undefined);
    const health = { patienceMs, onTrouble, onWell };
    await followPods(cluster, query, keeper, AbortSignal.any([signal, ending.signal]), health);
    if (trouble) throw trouble;
  }

  /** @returns true where it is not to be asked again for long */
  function takeRefusal(error: DaprMtlsError): boolean {
    refusedSinceMs ??= performance.now();
    const isOver = performance.now() - refusedSinceMs >= patienceMs;
    if (isListed) {
      if (!isFollowed || isOver) unfollow(error);
      return unfollowed !== undefined;
    }
    const wasWell = outcome !== undefined && outcome.trouble === undefined;
    if (!wasWell || isOver) settle(error);
    return isForbidden(error) && outcome?.trouble !== undefined;
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
      const trouble = outcome?.trouble ?? unfollowed;
      if (trouble instanceof DaprMtlsError && !isForbidden(trouble)) {
        if (outcome?.trouble !== undefined) outcome = undefined;
        wakeUp();
      }
      if (!outcome && !signal.aborted) await new Promise<void>((resolve) => waiting.push(resolve));
      if (!outcome) return notCounted('the watch has ended');
      if (outcome.trouble !== undefined) {
        if (!(outcome.trouble instanceof DaprMtlsError)) throw outcome.trouble;
        return notCounted(outcome.trouble.message);
      }
      const sight = judge(bundle, at);
      last = { bundle, at, told: describe(sight) };
      if (typeof sight === 'string') return { sidecars: undefined, unread: [sight] };
      return { sidecars: sight, unread: unfollowed ? [describeAge(unfollowed)] : [] };
    },
    onNews: (tell) => {
      tellNews = tell;
    },
  };
}

function notCounted(why: string): SeenSidecars {
  return { sidecars: undefined, unread: [`sidecars: not counted, ${why}`] };
}

function describeAge({ message }: DaprMtlsError): string {
  return `sidecars: counted as they were listed last, and their changes are not seen: ${message}`;
}

function isForbidden({ code }: DaprMtlsError): boolean {
  return code === 'cluster.forbidden';
}

function describe(sight: SidecarSight | string): string {
  return JSON.stringify(sight);
}
