import { DaprMtlsError } from '../../errors.ts';
import { isAbsentLog } from '../../kube/absent-log.ts';
import { findServiceContainer } from '../../kube/dapr/container.ts';
import type { ControlPlanePod } from '../../kube/dapr/objects.ts';
import type { Cluster, ListQuery, LogLine, LogQuery } from '../../kube/port.ts';
import { resources } from '../../kube/resources.ts';
import { describeGap, failureOf, type LogGap } from './gaps.ts';
import { type MergeClock, startMerge } from './merge-by-time.ts';

export interface LogWish {
  readonly namespace: string;
  /** By their names: `dapr-sentry`. */
  readonly services: readonly string[];
  readonly follow: boolean;
  readonly previous: boolean;
  readonly sinceSeconds: number | undefined;
  /** Of each pod. */
  readonly tailLines: number | undefined;
}

export interface PodLine extends LogLine {
  readonly pod: string;
}

export interface LogSurroundings {
  readonly clock: MergeClock;
  readonly signal: AbortSignal;
  /** Told in a sentence what is missing from the lines. */
  readonly remark: (sentence: string) => void;
}

/** Lines of two nodes come in the wrong order by what their ways and clocks differ, which is little. */
const windowMs = 300;
/** A pod that has written nothing yet holds up the others no longer at the start. */
const startMs = 2_000;
/** An API server that starts anew is back by then, and has kept what happened meanwhile. */
const outageMs = 30_000;
/** After a pod is gone its node may still have lines under way. */
const lastWordsMs = 5_000;

/**
 * What all pods of the services have written, as one log by time. Followed, pods that come are taken in
 * and those that go are let go of.
 * @throws DaprMtlsError `cluster.*`, `dapr.missing` where there is no such pod, or none of them has a log;
 * at the end `cluster.rejected` where a log broke off, or none could be read
 */
export async function* readServiceLogs(
  cluster: Cluster,
  wish: LogWish,
  surroundings: LogSurroundings,
): AsyncGenerator<PodLine> {
  const { clock, signal, remark } = surroundings;
  const gaps: LogGap[] = [];
  const onGap = (gap: LogGap) => {
    gaps.push(gap);
    remark(describeGap(gap));
  };
  const throwIfMissing = () => {
    // Who has asked for an end does not ask what else there was.
    const failure = signal.aborted ? undefined : failureOf(wish, gaps, asked);
    if (failure) throw failure;
  };
  const query = { namespace: wish.namespace, labelSelector: `app in (${wish.services.join(',')})` };
  const pods: ControlPlanePod[] = [];
  for await (const pod of cluster.list<ControlPlanePod>(resources.pods, query)) pods.push(pod);
  if (pods.length === 0 && !wish.follow) throw noPods(wish);
  if (pods.length === 0) remark(`No pod of ${describePlace(wish)} yet: waiting for one`);
  const merge = startMerge<PodLine>({
    windowMs: wish.follow ? windowMs : Number.POSITIVE_INFINITY,
    startMs: wish.follow ? startMs : Number.POSITIVE_INFINITY,
    clock,
  });
  let asked = 0;
  const read = (pod: ControlPlanePod, query: Partial<LogQuery>) => {
    asked += 1;
    merge.add(readPod(cluster, pod, { ...query, namespace: wish.namespace }, surroundings, onGap));
  };
  const { sinceSeconds, tailLines, previous } = wish;
  if (!wish.follow) {
    for (const pod of pods) read(pod, { sinceSeconds, tailLines, previous });
    merge.complete();
    yield* merge.lines();
    throwIfMissing();
    return;
  }
  const followed = new Map<string, AbortController>();
  const follow = (pod: ControlPlanePod, query: Partial<LogQuery>) => {
    const gone = new AbortController();
    followed.set(uidOf(pod), gone);
    const onTrouble = ({ message }: Error) =>
      remark(`Pod ${pod.metadata.name} cannot be read for now, and is tried again: ${message}`);
    read(pod, { ...query, follow: { gone: gone.signal, onTrouble } });
  };
  for (const pod of pods) follow(pod, { sinceSeconds, tailLines });
  let watchFailure: DaprMtlsError | undefined;
  const watching = watchPods(cluster, query, signal, {
    // All that a pod has written which was not there at first is news.
    came: (pod) => followed.has(uidOf(pod)) || follow(pod, {}),
    went: (pod) => {
      followed.get(uidOf(pod))?.abort();
      followed.delete(uidOf(pod));
    },
    hidden: ({ message }) => remark(`Pods that come are not seen for now, and it is tried again: ${message}`),
  })
    .catch((error: unknown) => {
      if (!(error instanceof DaprMtlsError)) throw error;
      watchFailure = error;
      if (followed.size > 0) remark(`Pods that come from now on are not followed: ${error.message}`);
    })
    .finally(() => merge.complete());
  yield* merge.lines();
  await watching;
  // With nobody left to follow, and nobody who could come, there is nothing to wait for.
  if (watchFailure && followed.size === 0) throw watchFailure;
  throwIfMissing();
}

function uidOf({ metadata: { uid, name } }: ControlPlanePod): string {
  return uid ?? name;
}

interface PodEvents {
  came(pod: ControlPlanePod): void;
  went(pod: ControlPlanePod): void;
  /** For now nobody tells of either. */
  hidden(error: Error): void;
}

async function watchPods(
  cluster: Cluster,
  query: ListQuery,
  signal: AbortSignal,
  { came, went, hidden }: PodEvents,
): Promise<void> {
  const health = { patienceMs: outageMs, onTrouble: hidden };
  for await (const { type, object } of cluster.watch<ControlPlanePod>(resources.pods, query, signal, health)) {
    if (type === 'DELETED') went(object);
    else came(object);
  }
}

/** What cannot be read of one pod leaves the others as they are. */
async function* readPod(
  cluster: Cluster,
  pod: ControlPlanePod,
  query: Partial<LogQuery> & Pick<LogQuery, 'namespace'>,
  surroundings: LogSurroundings,
  onGap: (gap: LogGap) => void,
): AsyncGenerator<PodLine> {
  const { name, labels } = pod.metadata;
  // They are found by this label.
  const service = labels?.app ?? '';
  const container = findServiceContainer(pod.spec, service)?.name ?? service;
  let hasTold = false;
  try {
    const until = query.follow ? later(query.follow.gone, surroundings) : surroundings.signal;
    for await (const line of cluster.logs({ ...query, pod: name, container }, until)) {
      hasTold = true;
      yield { pod: name, ...line };
    }
  } catch (error) {
    if (!(error instanceof DaprMtlsError) || error.code !== 'cluster.rejected') throw error;
    onGap({ pod: name, kind: hasTold ? 'cut' : isAbsentLog(error) ? 'absent' : 'unreadable', error });
  }
}

/** A log that nobody ends any more is left a little later. */
function later(gone: AbortSignal, { clock, signal }: Pick<LogSurroundings, 'clock' | 'signal'>): AbortSignal {
  const end = new AbortController();
  const wait = () => clock.wait(lastWordsMs, signal).then(() => end.abort());
  gone.addEventListener('abort', wait, { once: true });
  return AbortSignal.any([signal, end.signal]);
}

function noPods(wish: LogWish): DaprMtlsError {
  return new DaprMtlsError('dapr.missing', {
    message: `there is no pod of ${describePlace(wish)}`,
    hint: 'See the control plane: `dapr-mtls status -k`. Name its namespace with -n, another cluster with --context.',
  });
}

function describePlace({ namespace, services }: LogWish): string {
  return `${services.join(' or ')} in namespace ${namespace}`;
}
