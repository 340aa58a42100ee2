import { DaprMtlsError } from '../../errors.ts';
import type { KubeObject, Listed, ListQuery, Resource, WatchEvent, WatchHealth } from '../port.ts';
import { callForStream, type Line } from './call.ts';
import { chunksOf } from './chunks.ts';
import { followCourse } from './course.ts';
import { apiFailureOf } from './failure.ts';
import { linesOf } from './lines.ts';
import { pagesOf } from './pages.ts';
import { passes, pauseMs } from './passing.ts';
import { type ApiRequest, collectionPath, withQuery } from './request.ts';

/**
 * The objects as they are, then every change, until the signal: `watchChanges`, with all objects kept.
 * When the server no longer has the changes since the last one seen (410) the objects are listed anew,
 * and the differences told as events; one that went is told as it was seen last.
 * @throws DaprMtlsError `cluster.*` where the first list fails, and for refusals such as 401 and 403
 */
export async function* watchObjects<T extends KubeObject>(
  line: Line,
  resource: Resource,
  query: ListQuery,
  signal: AbortSignal,
  health?: WatchHealth,
): AsyncGenerator<WatchEvent<T>> {
  let known = new Map<string, T>();
  const list = async () => {
    const { objects, version } = await takeSnapshot<T>(line, resource, query, signal);
    const events = differences(known, objects);
    known = objects;
    return { version, events };
  };
  for await (const event of watchChanges<T>(line, resource, query, list, signal, health)) {
    if (event.type === 'DELETED') known.delete(keyOf(event.object));
    else known.set(keyOf(event.object), event.object);
    yield event;
  }
}

/**
 * What a list of the caller's tells, then every change since, until the signal, which ends it without
 * an error. What passes by itself is waited for as long as it takes: cuts, the server's time limit, a
 * server that is away; `health` is told where that takes long. Nothing is kept of the objects.
 * @param list asked at first, and again when the server has forgotten what happened since (410)
 * @throws DaprMtlsError what the first list throws, and `cluster.*` for refusals such as 401 and 403
 */
export async function* watchChanges<T extends KubeObject>(
  line: Line,
  resource: Resource,
  query: ListQuery,
  list: () => Promise<Listed<T>>,
  signal: AbortSignal,
  health?: WatchHealth,
): AsyncGenerator<WatchEvent<T>> {
  const course = followCourse(health);
  let isListed = false;
  let version: string | undefined;
  for (let failures = 0; !signal.aborted; ) {
    const tried = course.begin();
    try {
      if (version === undefined) {
        const listed = await list();
        isListed = true;
        version = listed.version;
        for (const event of listed.events) {
          if (signal.aborted) return;
          yield event;
        }
      }
      for await (const { type, object } of openWatch<T>(line, resource, query, version, signal, tried.opened)) {
        failures = 0;
        tried.well();
        version = object.metadata.resourceVersion ?? version;
        if (type === 'BOOKMARK' || type === 'ERROR') continue;
        yield { type, object };
      }
      tried.well();
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Expired) version = undefined;
      else if (!isListed || !passes(error)) throw error;
      else tried.failed(error as Error);
    } finally {
      tried.end();
    }
    failures = tried.hasLasted() ? 0 : failures + 1;
    if (failures > 0) await line.sleep(pauseMs(failures, line.random), signal);
  }
}

interface Snapshot<T> {
  readonly objects: Map<string, T>;
  readonly version: string;
}

async function takeSnapshot<T extends KubeObject>(
  line: Line,
  resource: Resource,
  query: ListQuery,
  signal: AbortSignal,
): Promise<Snapshot<T>> {
  const objects = new Map<string, T>();
  let version = '';
  for await (const page of pagesOf<T>(line, resource, query, signal)) {
    if (page.isAnew) objects.clear();
    for (const item of page.items) objects.set(keyOf(item), item);
    version = page.resourceVersion;
  }
  return { objects, version };
}

function keyOf({ metadata: { uid, namespace, name } }: KubeObject): string {
  return uid ?? `${namespace}/${name}`;
}

/** What has to be told in order to come from one state to another. */
function differences<T extends KubeObject>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
): WatchEvent<T>[] {
  const events: WatchEvent<T>[] = [];
  for (const [key, object] of before) if (!after.has(key)) events.push({ type: 'DELETED', object });
  for (const [key, object] of after) {
    const known = before.get(key);
    if (!known) events.push({ type: 'ADDED', object });
    else if (known.metadata.resourceVersion !== object.metadata.resourceVersion)
      events.push({ type: 'MODIFIED', object });
  }
  return events;
}

interface RawEvent<T extends KubeObject> {
  readonly type: WatchEvent<T>['type'] | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

/** The server has forgotten what happened since the resourceVersion asked for. */
class Expired extends Error {}

/** A watch is opened anew this often, so that a dead connection is never waited on for long. */
const leastSeconds = 120;
const graceSeconds = 10;
const partialObject = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';

/** One watch request, to its end. @throws Expired @throws DaprMtlsError */
async function* openWatch<T extends KubeObject>(
  line: Line,
  resource: Resource,
  { namespace, labelSelector, fieldSelector, metadataOnly }: ListQuery,
  resourceVersion: string,
  signal: AbortSignal,
  onOpen: () => void,
): AsyncGenerator<RawEvent<T>> {
  const seconds = Math.round(leastSeconds * (1 + line.random()));
  const request: ApiRequest = {
    verb: 'watch',
    resource,
    namespace,
    name: undefined,
    path: withQuery(collectionPath(resource, namespace), {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion,
      timeoutSeconds: String(seconds),
      labelSelector,
      fieldSelector,
    }),
    ...(metadataOnly && { accept: partialObject }),
    effect: 'none',
  };
  try {
    const message = await callForStream(line, request, signal);
    onOpen();
    const chunks = chunksOf(line, message, (seconds + graceSeconds) * 1000);
    for await (const text of linesOf(chunks)) {
      const event = parseEvent<T>(text, line.access.address.server);
      // Whatever it is, what came before it is not to be built upon: client-go lists anew, too.
      if (event.type === 'ERROR') throw new Expired();
      yield event;
    }
  } catch (error) {
    throw apiFailureOf(error)?.status === 410 ? new Expired() : error;
  }
}

/** What cannot be parsed is not shown: it may be a Secret. */
function parseEvent<T extends KubeObject>(text: string, server: string): RawEvent<T> {
  try {
    return JSON.parse(text) as RawEvent<T>;
  } catch {
    throw new DaprMtlsError('cluster.rejected', {
      message: `${server} sent an event that is no JSON`,
      hint: 'See what stands at that address: kubectl get --raw /version',
    });
  }
}
