import type { KubeObject, ListQuery, Resource } from '../port.ts';
import { call, type Line } from './call.ts';
import { apiFailureOf } from './failure.ts';
import { type ApiRequest, collectionPath, withQuery } from './request.ts';

/** A list as the API server tells it; its items carry neither apiVersion nor kind. */
export interface Page<T> {
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly T[] | null;
}

const pageSize = '500';
const mostRestarts = 3;
const partialList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';

/** @param token of the page before */
export function listRequest(resource: Resource, query: ListQuery, token?: string): ApiRequest {
  const { namespace, labelSelector, fieldSelector, metadataOnly } = query;
  const parameters = { labelSelector, fieldSelector, limit: pageSize, continue: token };
  return {
    verb: 'list',
    resource,
    namespace,
    name: undefined,
    path: withQuery(collectionPath(resource, namespace), parameters),
    ...(metadataOnly && { accept: partialList }),
    effect: 'none',
  };
}

/**
 * A list, page by page. A continue token lives for minutes: when it has expired (410) the list is
 * read from its beginning, and what was told before is left out, by uid, so that no object comes
 * twice. What has changed or gone in between was told as it was.
 * @throws DaprMtlsError `cluster.*`
 */
export async function* pagesOf<T extends KubeObject>(
  line: Line,
  resource: Resource,
  query: ListQuery,
): AsyncGenerator<Page<T>> {
  const told = new Set<string | undefined>();
  for (let token: string | undefined, restarts = 0; ; ) {
    const page = await call<Page<T>>(line, listRequest(resource, query, token)).catch((error: unknown) => {
      if (token === undefined || apiFailureOf(error)?.status !== 410 || ++restarts > mostRestarts) throw error;
      return undefined;
    });
    const items = (page?.items ?? []).filter(({ metadata }) => !told.has(metadata.uid));
    token = page?.metadata.continue || undefined;
    if (!page) continue;
    if (token !== undefined) for (const { metadata } of items) if (metadata.uid) told.add(metadata.uid);
    yield { metadata: page.metadata, items };
    if (token === undefined) return;
  }
}
