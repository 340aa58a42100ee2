import type { KubeObject, ListQuery, Resource } from '../port.ts';
import type { Line } from './call.ts';
import { pagesOf } from './pages.ts';
import { isNotFound } from './read.ts';

/**
 * Every object of a list; none where the kind is not installed. Where the list had to be begun anew
 * no object is told twice: one that has changed or gone in between was told as it was.
 * @throws DaprMtlsError `cluster.*`
 */
export async function* listObjects<T extends KubeObject>(
  line: Line,
  resource: Resource,
  query: ListQuery,
): AsyncGenerator<T> {
  const told = new Set<string | undefined>();
  try {
    for await (const { items } of pagesOf<T>(line, resource, query)) {
      const fresh = items.filter(({ metadata }) => !told.has(metadata.uid));
      for (const { metadata } of fresh) if (metadata.uid !== undefined) told.add(metadata.uid);
      yield* fresh;
    }
  } catch (error) {
    if (!isNotFound(error, resource.group)) throw error;
  }
}
