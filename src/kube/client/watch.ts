import type { KubeObject, ListQuery, Resource, WatchEvent } from '../port.ts';
import type { Line } from './call.ts';
import { listObjects } from './list.ts';

/** see below */
export async function* watchObjects<T extends KubeObject>(
  line: Line,
  resource: Resource,
  query: ListQuery,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>> {
  for await (const object of listObjects<T>(line, resource, query)) yield { type: 'ADDED', object };
  if (signal.aborted) return;
}
