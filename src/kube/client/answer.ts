import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

/** No answer, or only a part of one. */
export interface Broken {
  readonly kind: 'broken';
  /** False where the server cannot have seen the request. */
  readonly sent: boolean;
  /** Of the system or of TLS: `ECONNREFUSED`, `CERT_HAS_EXPIRED`; `TIMEOUT`, `CONNECT_TIMEOUT`, `ABORTED` for our own. */
  readonly code: string;
  readonly cause: Error;
}

export interface Head {
  readonly kind: 'head';
  readonly message: Answer;
}

/** The head of an answer, and its body as it comes: Node's IncomingMessage, or what reads long lists. */
export interface Answer extends Readable {
  readonly statusCode?: number | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Of a long list. */
  readonly giveBack?: ((chunk: Buffer) => void) | undefined;
}

/** Of a request. `connected` is left out where an open connection is used again. */
export type Milestone = 'connected' | 'first byte' | 'answered';

/** Reads a body to its end. @param maxBytes more than this is an answer that is too large */
export function collect(message: Answer, maxBytes: number, signal: AbortSignal): Promise<Buffer | Broken> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const fail = (cause: Error) => resolve({ kind: 'broken', sent: true, code: codeOf(cause, signal), cause });
    message.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) message.destroy(codedError('TOO_LARGE'));
      else chunks.push(chunk);
    });
    message.once('end', () => resolve(Buffer.concat(chunks)));
    message.once('error', fail);
    message.once('close', () => fail(codedError('ECONNRESET')));
  });
}

/** Our own ways of breaking off come as errors of a signal, or as the reset that they cause. */
export function codeOf(cause: NodeJS.ErrnoException, signal: AbortSignal): string {
  if (signal.aborted) return signal.reason === 'timeout' ? 'TIMEOUT' : 'ABORTED';
  return cause.code ?? 'UNKNOWN';
}

export function codedError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}
