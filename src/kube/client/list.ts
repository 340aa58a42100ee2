import type { KubeObject, ListQuery, Resource } from '../port.ts';
import type { Line } from './call.ts';
import { pagesOf } from './pages.ts';
import { isNotFound } from './read.ts';

/** Every object of a list; none where the kind is not installed. @throws DaprMtlsError `cluster.*` */
export async function* listObjects<T extends KubeObject>(
  line: Line,
  resource: Resource,
  query: ListQuery,
): AsyncGenerator<T> {
  try {
    for await (const { items } of pagesOf<T>(line, resource, query)) yield* items ?? [];
  } catch (error) {
    if (!isNotFound(error, resource.group)) throw error;
  }
}
