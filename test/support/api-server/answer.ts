import type { ServerResponse } from 'node:http';
import { Readable, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Status } from './status.ts';

/** What goes back over the wire. */
export interface Answer {
  readonly code: number;
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Iterable<string | Buffer> | AsyncIterable<string>;
}

export function jsonAnswer(code: number, object: object): Answer {
  return { code, contentType: 'application/json', body: `${JSON.stringify(object)}\n` };
}

export function textAnswer(code: number, text: string): Answer {
  return { code, contentType: 'text/plain; charset=utf-8', body: text };
}

export function statusAnswer(status: Status): Answer {
  return jsonAnswer(status.code ?? 200, status);
}

/** As k8s.io/apiserver: smaller answers are not worth it. */
const gzipFromBytes = 128 * 1024;

export interface Sending {
  readonly acceptsGzip: boolean;
  /** The connection is broken off after so many bytes of the body. */
  readonly cutAfterBytes: number | undefined;
}

export async function send(
  response: ServerResponse,
  answer: Answer,
  { acceptsGzip, cutAfterBytes }: Sending,
): Promise<void> {
  const { code, contentType, headers = {}, body } = answer;
  const isWhole = typeof body === 'string';
  const isList = !isWhole && Symbol.iterator in body;
  const isZipped = acceptsGzip && (isList || (isWhole && Buffer.byteLength(body) >= gzipFromBytes));
  response.writeHead(code, {
    'content-type': contentType,
    'cache-control': 'no-cache, private',
    ...(isZipped ? { 'content-encoding': 'gzip', vary: 'Accept-Encoding' } : {}),
    ...(isWhole && !isZipped ? { 'content-length': String(Buffer.byteLength(body)) } : {}),
    ...headers,
  });
  if (isWhole && !isZipped && cutAfterBytes === undefined) {
    response.end(body);
    return;
  }
  response.flushHeaders();
  const source = Readable.from(isWhole ? [body] : body, { objectMode: true });
  const stages = [
    ...(isZipped ? [createGzip({ level: 1 })] : []),
    ...(cutAfterBytes === undefined ? [] : [cut(cutAfterBytes, response)]),
  ];
  // A client that goes away in the middle of an answer is nothing to tell of.
  await pipeline([source, ...stages, response]).catch(() => undefined);
}

/** What stands behind the cut is held back for good: an answer that ended well would have an end. */
function cut(bytes: number, response: ServerResponse): Transform {
  let left = bytes;
  const { socket } = response;
  const breakOff = () => socket?.destroySoon();
  if (left === 0) setImmediate(breakOff);
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      const passed = Buffer.from(chunk).subarray(0, left);
      left -= passed.length;
      this.push(passed);
      if (left > 0) done();
      else setImmediate(breakOff);
    },
  });
}
