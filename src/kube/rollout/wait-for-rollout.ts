import { DaprMtlsError } from '../../errors.ts';
import type { Cluster } from '../port.ts';
import type { Clock } from './clock.ts';
import { explainByEvents } from './explain-by-events.ts';
import { describeTrouble, judgeRollout, type RolloutVerdict } from './judge-rollout.ts';
import type { RolloutPod } from './pod.ts';
import { readPodsOf, readWorkload, withKind } from './read-workload.ts';
import type { RollingWorkload, WorkloadRef } from './workload.ts';

export interface WaitOptions {
  readonly clock: Clock;
  readonly deadline: Date;
  /** Throws when the run is to stop. */
  readonly assertRunning: () => void;
  /**
   * What is waited for, each time that it has changed, and now and then when it does not; `isTrouble`
   * where there is a reason to worry, and not only pods that take their time.
   */
  readonly onWait?: (message: string, isTrouble: boolean) => void;
}

export type RolloutEnd =
  | { readonly kind: 'done'; readonly workload: RollingWorkload }
  /** `reason` says what keeps it from coming back. */
  | { readonly kind: 'failed'; readonly reason: string };

/** How often is looked where no watch tells of a change for so long, and how often at the pods. */
const pollMs = 2000;
/** Silence for longer than this looks like a program that hangs. */
export const retellMs = 15_000;
/** A registry or a mount that was slow has mended itself by then. */
const gravePatienceMs = 60_000;

/**
 * Waits until a workload has rolled out as `kubectl rollout status` sees it, until it is known not to
 * come back, or until the deadline. A watch tells of each change; whenever it is silent, or may not be
 * had, the workload is asked for every two seconds. An API server that does not answer for a while is
 * waited for, too.
 * @throws DaprMtlsError as `Cluster.get` does, but for `cluster.unreachable`; whatever `assertRunning` throws
 */
export async function waitForRollout(cluster: Cluster, ref: WorkloadRef, options: WaitOptions): Promise<RolloutEnd> {
  const { clock, deadline, assertRunning, onWait = () => {} } = options;
  const changes = watchOne(cluster, ref);
  const observer = observe(cluster, ref, clock);
  let told = { message: '', atMs: 0 };
  try {
    for (;;) {
      assertRunning();
      const seen = await observer(changes.take());
      if (seen.kind !== 'rolling') return seen;
      const nowMs = clock.now().getTime();
      if (seen.message !== told.message || nowMs - told.atMs >= retellMs) {
        onWait(seen.message, seen.isTrouble);
        told = { message: seen.message, atMs: nowMs };
      }
      const remainingMs = deadline.getTime() - nowMs;
      if (remainingMs <= 0) return { kind: 'failed', reason: `it took too long: ${await seen.explain()}` };
      assertRunning();
      await clock.sleep(Math.min(pollMs, remainingMs), changes.next());
    }
  } finally {
    changes.end();
  }
}

type Sight = RolloutEnd | RollingSight;

interface RollingSight {
  readonly kind: 'rolling';
  readonly message: string;
  readonly isTrouble: boolean;
  /** All that can be found out, for when the time is up. */
  readonly explain: () => string | Promise<string>;
}

/** Judges the workload as it was told, or else as it is asked for, and looks at its pods now and then. */
function observe(
  cluster: Cluster,
  ref: WorkloadRef,
  clock: Clock,
): (told: RollingWorkload | undefined) => Promise<Sight> {
  let pods: readonly RolloutPod[] = [];
  let podsDueMs = clock.now().getTime() + pollMs;
  let graveSinceMs: number | undefined;
  return async (told) => {
    const nowMs = clock.now().getTime();
    const workload = told ?? (await readWorkload(cluster, ref).catch(ignoreOutage));
    if (workload === 'outage') return outage;
    if (!workload) return { kind: 'failed', reason: 'somebody has deleted it' };
    if (nowMs >= podsDueMs) {
      pods = await readPodsOf(cluster, workload).catch(ignoreUnread);
      // Hundreds of pods are megabytes: reading them takes a tenth of the time at most.
      const afterMs = clock.now().getTime();
      podsDueMs = afterMs + Math.max(pollMs, 9 * (afterMs - nowMs));
    }
    const verdict = judgeRollout(workload, pods);
    if (verdict.done) return { kind: 'done', workload };
    const { trouble } = verdict;
    graveSinceMs = trouble?.gravity === 'grave' ? (graveSinceMs ?? nowMs) : undefined;
    const isPast = graveSinceMs !== undefined && nowMs - graveSinceMs >= gravePatienceMs;
    const stuck = verdict.stuck ?? (trouble && isPast ? describeTrouble(trouble) : undefined);
    if (stuck) return { kind: 'failed', reason: stuck };
    const isTrouble = trouble?.isExplained === true;
    return {
      kind: 'rolling',
      message: isTrouble ? describe(verdict) : verdict.message,
      isTrouble,
      explain: async () => {
        const said = isTrouble ? undefined : await explainByEvents(cluster, workload, trouble);
        return said ? `${describe(verdict)}; ${said}` : describe(verdict);
      },
    };
  };
}

const away = 'the API server does not answer';
const outage: RollingSight = { kind: 'rolling', message: away, isTrouble: true, explain: () => away };

function describe({ message, trouble }: RolloutVerdict): string {
  return trouble ? `${message}; ${describeTrouble(trouble)}` : message;
}

function ignoreOutage(error: unknown): 'outage' {
  if (error instanceof DaprMtlsError && error.code === 'cluster.unreachable') return 'outage';
  throw error;
}

/** Pods only explain; who may not list them still learns whether the workload came back. */
function ignoreUnread(error: unknown): [] {
  if (error instanceof DaprMtlsError) return [];
  throw error;
}

interface Changes {
  /** The object as it was told last, once; undefined where nothing was told since, or that it is gone. */
  take(): RollingWorkload | undefined;
  /** Aborted by the first change of the object since the last `take`. */
  next(): AbortSignal;
  end(): void;
}

/** A rollout of ten pods changes its workload some thirty times: who asked for it anew each time would ask for little else. */
function watchOne(cluster: Cluster, ref: WorkloadRef): Changes {
  const { resource, namespace, name } = ref;
  const ending = new AbortController();
  let news = new AbortController();
  let told: RollingWorkload | undefined;
  const follow = async () => {
    const query = { namespace, fieldSelector: `metadata.name=${name}` };
    for await (const { type, object } of cluster.watch<RollingWorkload>(resource, query, ending.signal)) {
      // One that is gone may be there again under its name.
      told = type === 'DELETED' ? undefined : withKind(object, ref);
      news.abort();
    }
  };
  // Not allowed, or not served: then looking every two seconds has to do.
  follow().catch(() => {});
  return {
    take: () => {
      const taken = told;
      told = undefined;
      news = new AbortController();
      return taken;
    },
    next: () => news.signal,
    end: () => ending.abort(),
  };
}
