import type { Access } from '../kubeconfig/access.ts';
import type { Cluster } from '../port.ts';
import type { Milestone } from './answer.ts';
import type { Line } from './call.ts';
import { getObject } from './read.ts';
import { openTransport } from './transport.ts';

export interface ClientOptions {
  /** For one call, all its tries and pauses together. */
  readonly timeoutMs: number;
  /** Of this program, for `User-Agent`. */
  readonly version: string;
  readonly random: () => number;
  readonly sleep: Line['sleep'];
  /** Told how far a request has come. */
  readonly mark?: (milestone: Milestone) => void;
}

/** A client of one API server. Nothing is sent before it is asked for something, and only reading is loaded until then. */
export function connect(access: Access, options: ClientOptions): Cluster {
  const { version, mark, ...rest } = options;
  const transport = openTransport(access, mark);
  const line: Line = { ...rest, access, transport, userAgent: `dapr-mtls/${version}` };
  return {
    location: access.address,
    get: (ref) => getObject(line, ref),
    async *list(resource, query = {}) {
      const { listObjects } = await import('./list.ts');
      yield* listObjects(line, resource, query);
    },
    stream: async (resource, query, accept, page) =>
      (await import('./body-stream.ts')).streamList(line, resource, query, accept, page),
    create: async (ref, object, dryRun = {}) => (await import('./write.ts')).createObject(line, ref, object, dryRun),
    patch: async (ref, patch, options = {}) => (await import('./write.ts')).patchObject(line, ref, patch, options),
    remove: async (ref, preconditions, options = {}) =>
      (await import('./write.ts')).removeObject(line, ref, preconditions, options),
    async *watch(resource, query, signal, health) {
      const { watchObjects } = await import('./watch.ts');
      yield* watchObjects(line, resource, query, signal, health);
    },
    async *watchSince(resource, query, list, signal, health) {
      const { watchChanges } = await import('./watch.ts');
      yield* watchChanges(line, resource, query, list, signal, health);
    },
    async *logs(query, signal) {
      const { readLogs } = await import('./logs.ts');
      yield* readLogs(line, query, signal);
    },
    reviewRules: async (namespace) => (await import('./rules-review.ts')).reviewRules(line, namespace),
    close: () => transport.close(),
  };
}
