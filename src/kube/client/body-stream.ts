import type { BodyStream, ListQuery, PageQuery, Resource } from '../port.ts';
import { callForStream, type Line } from './call.ts';
import { chunksOf } from './chunks.ts';
import { collectionPath, withQuery } from './request.ts';

/**
 * One list, or a page of it, as the server encodes it. Its head has to come within the time of a call, and
 * after that each piece of the body: a list of 100 MB may take its time.
 * @throws DaprMtlsError `cluster.*`, also while the body is read
 */
export async function streamList(
  line: Line,
  resource: Resource,
  { namespace, labelSelector, fieldSelector }: ListQuery,
  accept: string,
  page?: PageQuery,
): Promise<BodyStream> {
  const message = await callForStream(line, {
    verb: 'list',
    resource,
    namespace,
    name: undefined,
    path: withQuery(collectionPath(resource, namespace), {
      labelSelector,
      fieldSelector,
      limit: page && String(page.limit),
      continue: page?.continue,
    }),
    accept,
    ...(page ? { acceptEncoding: 'gzip' as const } : { isLong: true }),
    effect: 'none',
  });
  const { 'content-type': contentType = '', 'content-encoding': encoding } = message.headers;
  const chunks = chunksOf(line, message);
  if (encoding === 'gzip') return { contentType, chunks: (await import('./gunzip.ts')).gunzip(chunks) };
  return { contentType, chunks, giveBack: message.giveBack };
}
