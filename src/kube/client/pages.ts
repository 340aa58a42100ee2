import type { KubeObject, ListQuery, Resource } from '../port.ts';
import { call, type Line } from './call.ts';
import { apiFailureOf } from './failure.ts';
import { type ApiRequest, collectionPath, withQuery } from './request.ts';

/** A part of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Of the whole list, the same on all pages of one reading. */
  readonly resourceVersion: string;
  /** True where the list is read from its beginning once more: the pages before are out of date. */
  readonly isAnew: boolean;
}

const pageSize = '500';
const mostRestarts = 3;
const partialList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';

interface ListBody<T> {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly T[] | null;
}

/**
 * A list, page by page. A continue token lives for minutes: when it has expired (410) the list is
 * read from its beginning.
 * @throws DaprMtlsError `cluster.*`
 */
export async function* pagesOf<T extends KubeObject>(
  line: Line,
  resource: Resource,
  query: ListQuery,
  signal?: AbortSignal,
): AsyncGenerator<Page<T>> {
  let token: string | undefined;
  let restarts = 0;
  let isAnew = false;
  do {
    const body = await readPage<T>(line, listRequest(resource, query, token), signal, restarts < mostRestarts);
    if (body === 'expired') {
      restarts++;
      isAnew = true;
      token = undefined;
      continue;
    }
    yield { items: body.items ?? [], resourceVersion: body.metadata?.resourceVersion ?? '', isAnew };
    isAnew = false;
    token = body.metadata?.continue || undefined;
  } while (isAnew || token !== undefined);
}

async function readPage<T>(
  line: Line,
  request: ApiRequest,
  signal: AbortSignal | undefined,
  mayExpire: boolean,
): Promise<ListBody<T> | 'expired'> {
  try {
    return await call<ListBody<T>>(line, request, signal);
  } catch (error) {
    if (mayExpire && apiFailureOf(error)?.status === 410) return 'expired';
    throw error;
  }
}

function listRequest(resource: Resource, query: ListQuery, token: string | undefined): ApiRequest {
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
