import type { IncomingMessage } from 'node:http';
import type { BodyStream, ListQuery, Resource } from '../port.ts';
import { callForStream, type Line } from './call.ts';
import { connectionError } from './connection-error.ts';
import { collectionPath, withQuery } from './request.ts';
import { codeOf } from './transport.ts';

/**
 * One whole list as the server encodes it. Its head has to come within the time of a call, and
 * after that each piece of the body: a list of 100 MB may take its time.
 * @throws DaprMtlsError `cluster.*`, also while the body is read
 */
export async function streamList(
  line: Line,
  resource: Resource,
  { namespace, labelSelector, fieldSelector }: ListQuery,
  accept: string,
): Promise<BodyStream> {
  const message = await callForStream(line, {
    verb: 'list',
    resource,
    namespace,
    name: undefined,
    path: withQuery(collectionPath(resource, namespace), { labelSelector, fieldSelector }),
    accept,
    effect: 'none',
  });
  return { contentType: message.headers['content-type'] ?? '', chunks: chunksOf(line, message) };
}

async function* chunksOf({ access, timeoutMs }: Line, message: IncomingMessage): AsyncGenerator<Buffer> {
  const silence = new AbortController();
  const fall = () => {
    silence.abort('timeout');
    message.destroy(new Error('the server fell silent'));
  };
  const timer = setTimeout(fall, timeoutMs);
  try {
    for await (const chunk of message) {
      timer.refresh();
      yield chunk;
    }
  } catch (cause) {
    const broken = {
      kind: 'broken',
      sent: true,
      code: codeOf(cause as Error, silence.signal),
      cause: cause as Error,
    } as const;
    throw connectionError(broken, { server: access.address.server, host: access.url.hostname, timeoutMs }, false);
  } finally {
    clearTimeout(timer);
  }
}
