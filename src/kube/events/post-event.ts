import { createHash } from 'node:crypto';
import { DaprMtlsError } from '../../errors.ts';
import type { Cluster, KubeObject, ObjectRef } from '../port.ts';
import { resources } from '../resources.ts';

/** What `kubectl describe` shows among the events of an object. */
export interface EventText {
  readonly type: 'Normal' | 'Warning';
  /** One word in CamelCase. */
  readonly reason: string;
  readonly message: string;
  /** Two of one reason about the same are one that was repeated. */
  readonly about: string;
}

export interface EventSource {
  readonly component: string;
  /** Which of several replicas. */
  readonly host: string;
}

/** v1 of the core group: it counts, and kubectl shows the count. */
interface EventObject extends KubeObject {
  readonly count?: number;
  readonly firstTimestamp?: string;
}

/** The API server takes no more (validation of core/v1 Event). */
const longestMessage = 1024;
const attempts = 4;

export interface EventPoster {
  /**
   * One Event for each reason and object of it, under a name that follows from both: repeated, it is
   * the same one with a higher count. Where the server has forgotten it, which it does after an hour,
   * it is made anew and goes on counting. Needs `create` and `patch`, and no right to read.
   * @throws DaprMtlsError `cluster.*`
   */
  post(event: EventText, regarding: KubeObject): Promise<void>;
}

export function openEventPoster(cluster: Cluster, source: EventSource, now: () => Date): EventPoster {
  const counted = new Map<string, { readonly count: number; readonly firstTimestamp: string }>();
  return {
    post: async (event, regarding) => {
      const { namespace } = regarding.metadata;
      const ref = { resource: resources.events, namespace, name: nameOf(event, regarding) };
      const at = instant(now());
      for (let attempt = 1; ; attempt++) {
        // A patch that changes nothing answers with what is there.
        const found = await patchIfThere(cluster, ref, {});
        const before = found ?? counted.get(ref.name);
        const count = (before?.count ?? 0) + 1;
        const firstTimestamp = before?.firstTimestamp ?? at;
        try {
          const told = { type: event.type, message: cut(event.message), count, lastTimestamp: at };
          if (found) await cluster.patch(ref, { metadata: versionOf(found), ...told });
          else await cluster.create(ref, describe(ref, { ...told, firstTimestamp }, event, regarding, source));
          counted.set(ref.name, { count, firstTimestamp });
          return;
        } catch (error) {
          // Another replica has written it, or it has gone since.
          if (attempt === attempts || !isConflict(error)) throw error;
        }
      }
    },
  };
}

/** As client-go's recorder names them: the object, and something that tells them apart. */
function nameOf({ reason, about }: EventText, { metadata }: KubeObject): string {
  const digest = createHash('sha256').update(`${metadata.uid} ${reason} ${about}`).digest('hex');
  return `${metadata.name}.${digest.slice(0, 16)}`;
}

async function patchIfThere(cluster: Cluster, ref: ObjectRef, patch: object): Promise<EventObject | undefined> {
  try {
    return await cluster.patch<EventObject>(ref, patch);
  } catch (error) {
    if (isConflict(error)) return undefined;
    throw error;
  }
}

function describe(
  { name }: ObjectRef,
  told: object,
  { reason }: EventText,
  { apiVersion, kind, metadata: { namespace, name: regardingName, uid } }: KubeObject,
  { component, host }: EventSource,
): object {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace },
    involvedObject: { apiVersion, kind, namespace, name: regardingName, uid },
    reason,
    source: { component, host },
    reportingComponent: component,
    reportingInstance: host,
    ...told,
  };
}

function versionOf({ metadata: { uid, resourceVersion } }: KubeObject): object {
  return { uid, resourceVersion };
}

function cut(message: string): string {
  return message.length <= longestMessage ? message : `${message.slice(0, longestMessage - 1)}…`;
}

/** Kubernetes' Time has whole seconds. */
function instant(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, 'Z');
}

function isConflict(error: unknown): boolean {
  return error instanceof DaprMtlsError && error.code === 'cluster.conflict';
}
