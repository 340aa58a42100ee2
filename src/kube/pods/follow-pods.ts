import { DaprMtlsError } from '../../errors.ts';
import { apiFailureOf } from '../client/failure.ts';
import type { BodyStream, Cluster, ListQuery, WatchHealth } from '../port.ts';
import { resources } from '../resources.ts';
import { factsOfPod, type PodFacts, type PodObject } from './pod-facts.ts';
import type { ListMeta } from './protobuf/pod-list.ts';
import { type SidecarPod, toSidecarPod } from './sidecar-pod.ts';

/** Who keeps of each pod what it needs. */
export interface PodKeeper {
  /** A list begins: what it does not tell of until its end is gone. */
  beginList(): void;
  /** The list has been told to its end. */
  endList(): void;
  put(pod: SidecarPod): void;
  /** Also for one that was never told. */
  remove(uid: string): void;
}

/** So large that a list of 10,000 takes twenty requests, so small that no page is much garbage at once. */
const pageSize = 500;
const mostRestarts = 3;
const protobuf = 'application/vnd.kubernetes.protobuf';
const longestJson = 32 * 1024 * 1024;

/**
 * Tells every pod with a sidecar, and then what becomes of them, until the signal. The list comes in
 * pages, in protobuf where the server gives that, and of none of it more is in memory than came in
 * one piece. Cuts and a server that is away are waited for, and after 410 the pods are listed anew.
 * @throws DaprMtlsError `cluster.*` where the first list fails, and for refusals such as 401 and 403
 */
export async function followPods(
  cluster: Cluster,
  query: Omit<ListQuery, 'metadataOnly'>,
  keeper: PodKeeper,
  signal: AbortSignal,
  health?: WatchHealth,
): Promise<void> {
  const list = async () => ({ version: await listPods(cluster, query, keeper), events: [] });
  for await (const { type, object } of cluster.watchSince<PodObject>(resources.pods, query, list, signal, health)) {
    const pod = type === 'DELETED' ? undefined : toSidecarPod(factsOfPod(object));
    if (pod) keeper.put(pod);
    else keeper.remove(object.metadata.uid ?? '');
  }
}

/**
 * A token by which the next page is asked for lives for minutes: when it has expired (410) the list is
 * read from its beginning.
 * @returns the resourceVersion from which changes are told
 */
async function listPods(cluster: Cluster, query: ListQuery, keeper: PodKeeper): Promise<string> {
  for (let restarts = 0; ; restarts++) {
    try {
      keeper.beginList();
      const version = await tellPages(cluster, query, keeper);
      keeper.endList();
      return version;
    } catch (error) {
      if (restarts === mostRestarts || apiFailureOf(error)?.status !== 410) throw error;
    }
  }
}

async function tellPages(cluster: Cluster, query: ListQuery, keeper: PodKeeper): Promise<string> {
  let token: string | undefined;
  for (;;) {
    const page = { limit: pageSize, continue: token };
    const body = await cluster.stream(resources.pods, query, `${protobuf}, application/json`, page);
    const meta = await tellPage(body, (facts) => {
      const pod = toSidecarPod(facts);
      if (pod) keeper.put(pod);
    });
    if (!meta.continue) return meta.resourceVersion;
    token = meta.continue;
  }
}

async function tellPage({ contentType, chunks }: BodyStream, tell: (facts: PodFacts) => void): Promise<ListMeta> {
  // A proxy may answer in JSON all the same, and of who is none of them the body is not read.
  if (!contentType.startsWith(protobuf)) return tellJson(chunks, tell);
  const { decodePodList } = await import('./protobuf/pod-list.ts');
  let meta: ListMeta = { resourceVersion: '', continue: '' };
  const takeMeta = (told: ListMeta) => {
    meta = told;
  };
  for await (const batch of decodePodList(chunks, { tellMeta: takeMeta })) for (const facts of batch) tell(facts);
  return meta;
}

interface PodListObject {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly PodObject[] | null;
}

async function tellJson(chunks: AsyncIterable<Buffer>, tell: (facts: PodFacts) => void): Promise<ListMeta> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > longestJson) throw unreadable();
    parts.push(chunk);
  }
  const { metadata, items } = parseList(Buffer.concat(parts).toString('utf8'));
  for (const pod of items ?? []) tell(factsOfPod(pod));
  return { resourceVersion: metadata?.resourceVersion ?? '', continue: metadata?.continue ?? '' };
}

function parseList(text: string): PodListObject {
  try {
    return JSON.parse(text) as PodListObject;
  } catch {
    throw unreadable();
  }
}

function unreadable(): DaprMtlsError {
  return new DaprMtlsError('cluster.rejected', {
    message: 'the API server answers a list of pods with something else',
    hint: 'Check that the server of the kubeconfig is an API server, and no login page in front of it.',
  });
}
