import { DaprMtlsError } from '../../errors.ts';
import { findServiceContainer } from '../../kube/dapr/container.ts';
import type { ControlPlanePod } from '../../kube/dapr/objects.ts';
import type { Cluster, ListQuery, LogLine, LogQuery } from '../../kube/port.ts';
import { resources } from '../../kube/resources.ts';
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
/** After a pod is gone its node may still have lines under way. */
const lastWordsMs = 5_000;

/**
 * What all pods of the services have written, as one log by time. Followed, pods that come are taken in
 * and those that go are let go of.
 * @throws DaprMtlsError `cluster.*`, `dapr.missing` where there is no such pod, or none of them has a log
 */
export async function* readServiceLogs(
  cluster: Cluster,
  wish: LogWish,
  surroundings: LogSurroundings,
): AsyncGenerator<PodLine> {
  const { clock, signal, remark } = surroundings;
  let leftOut = 0;
  const leaveOut = (sentence: string) => {
    leftOut += 1;
    remark(sentence);
  };
  const query = { namespace: wish.namespace, labelSelector: `app in (${wish.services.join(',')})` };
  const pods: ControlPlanePod[] = [];
  for await (const pod of cluster.list<ControlPlanePod>(resources.pods, query)) pods.push(pod);
  if (pods.length === 0 && !wish.follow) throw noPods(wish);
  const merge = startMerge<PodLine>({
    windowMs: wish.follow ? windowMs : Number.POSITIVE_INFINITY,
    startMs: wish.follow ? startMs : Number.POSITIVE_INFINITY,
    clock,
  });
  const read = (pod: ControlPlanePod, query: Partial<LogQuery>) =>
    merge.add(readPod(cluster, pod, { ...query, namespace: wish.namespace }, { ...surroundings, remark: leaveOut }));
  const { sinceSeconds, tailLines, previous } = wish;
  if (!wish.follow) {
    for (const pod of pods) read(pod, { sinceSeconds, tailLines, previous });
    merge.complete();
    yield* merge.lines();
    if (leftOut === pods.length) throw noLogs(wish, pods.length);
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
  const watching = watchPods(cluster, query, signal, {
    // All that a pod has written which was not there at first is news.
    came: (pod) => followed.has(uidOf(pod)) || follow(pod, {}),
    went: (pod) => {
      followed.get(uidOf(pod))?.abort();
      followed.delete(uidOf(pod));
    },
  })
    .catch((error: unknown) => {
      if (!(error instanceof DaprMtlsError)) throw error;
      remark(`Pods that come from now on are not followed: ${error.message}`);
    })
    .finally(() => merge.complete());
  yield* merge.lines();
  await watching;
}

function uidOf({ metadata: { uid, name } }: ControlPlanePod): string {
  return uid ?? name;
}

interface PodEvents {
  came(pod: ControlPlanePod): void;
  went(pod: ControlPlanePod): void;
}

async function watchPods(
  cluster: Cluster,
  query: ListQuery,
  signal: AbortSignal,
  { came, went }: PodEvents,
): Promise<void> {
  for await (const { type, object } of cluster.watch<ControlPlanePod>(resources.pods, query, signal)) {
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
): AsyncGenerator<PodLine> {
  const { name, labels } = pod.metadata;
  // They are found by this label.
  const service = labels?.app ?? '';
  const container = findServiceContainer(pod.spec, service)?.name ?? service;
  try {
    const until = query.follow ? later(query.follow.gone, surroundings) : surroundings.signal;
    for await (const line of cluster.logs({ ...query, pod: name, container }, until)) yield { pod: name, ...line };
  } catch (error) {
    if (!(error instanceof DaprMtlsError) || error.code !== 'cluster.rejected') throw error;
    surroundings.remark(`Pod ${name} is left out: ${error.message}`);
  }
}

/** A log that nobody ends any more is left a little later. */
function later(gone: AbortSignal, { clock, signal }: Pick<LogSurroundings, 'clock' | 'signal'>): AbortSignal {
  const end = new AbortController();
  const wait = () => clock.wait(lastWordsMs, signal).then(() => end.abort());
  gone.addEventListener('abort', wait, { once: true });
  return AbortSignal.any([signal, end.signal]);
}

function noLogs({ namespace, services, previous }: LogWish, pods: number): DaprMtlsError {
  return new DaprMtlsError('dapr.missing', {
    message: `${pods === 1 ? 'the only pod has no log' : `none of the ${pods} pods has a log`}${previous ? ' of a container that ran before' : ''}`,
    hint: previous
      ? 'Leave -p out for the log of the containers that run now.'
      : `See why: \`kubectl describe pods -n ${namespace} -l 'app in (${services.join(',')})'\`.`,
  });
}

function noPods({ namespace, services }: LogWish): DaprMtlsError {
  return new DaprMtlsError('dapr.missing', {
    message: `there is no pod of ${services.join(' or ')} in namespace ${namespace}`,
    hint: 'See the control plane: `dapr-mtls status -k`. Name its namespace with -n, another cluster with --context.',
  });
}
