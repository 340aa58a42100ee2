import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { OnReadOpts } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { type Broken, codedError, codeOf, type Head, type Milestone } from '../answer.ts';
import { AnswerReader } from './answer-reader.ts';
import { type BulkBody, openBulkBody } from './bulk-body.ts';

/** A GET of a long list. */
export interface BulkRequest {
  /** With the port, where it is not that of the protocol. */
  readonly host: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
}

export interface BulkSurroundings {
  readonly connectTimeoutMs: number;
  /** Ends the connection, at any time. */
  readonly signal: AbortSignal;
  readonly mark: (milestone: Milestone) => void;
}

/** TLS deciphers into these, a record of 16 KiB at a time. */
const readBytes = 32 * 1024;

/**
 * A server that lets a handshake wait no longer is near: on this machine, or in the same cluster. What this process
 * worked meanwhile is no waiting; but a server that needs so long with all that is not taken for near.
 */
const near = { waitedMs: 5, passedMs: 20 };

/**
 * Sends a request and waits for the head of its answer, as `Transport.send` does, on a connection of its own
 * and past Node's HTTP, whose copies and events are half of the work where 100 MB are read. From afar the list
 * is asked for packed; from near by not, because an API server packs it in longer than it takes to send it.
 * @throws TypeError for a header that would reach into the next line; nothing is sent then
 */
export async function exchangeInBulk(
  tls: ConnectionOptions,
  request: BulkRequest,
  { connectTimeoutMs, signal, mark }: BulkSurroundings,
): Promise<Head | Broken> {
  const fields = writeFields({ Host: request.host, ...request.headers, Connection: 'close' });
  return new Promise((resolve) => {
    let isNear = startHandshake();
    let isConnected = false;
    let body: BulkBody | undefined;
    const reader = new AnswerReader(({ status, headers }) => {
      mark('first byte');
      body = openBulkBody(socket);
      const { stream, giveBack } = body;
      stream.once('end', () => mark('answered'));
      resolve({ kind: 'head', message: Object.assign(stream, { statusCode: status, headers, giveBack }) });
    });
    const onread: OnReadOpts = {
      buffer: Buffer.allocUnsafeSlow(readBytes),
      callback: (length, bytes) => {
        take(bytes as Buffer, length);
        return true;
      },
    };
    // Node's own types do not know that the options of its sockets are taken here, too.
    const options: ConnectionOptions & { readonly onread: OnReadOpts } = {
      ...tls,
      onread,
    };
    const socket = connect(options);
    const connecting = setTimeout(() => socket.destroy(codedError('CONNECT_TIMEOUT')), connectTimeoutMs);
    const abort = () => socket.destroy(codedError('ABORTED'));

    function take(bytes: Buffer, length: number): void {
      try {
        reader.take(bytes, length, (start, end) => body?.take(bytes, start, end));
      } catch (error) {
        socket.destroy(error as Error);
        return;
      }
      if (reader.isDone) finish();
    }

    function finish(): void {
      body?.end();
      socket.destroy();
    }

    function fail(cause: NodeJS.ErrnoException): void {
      if (body) body.stream.destroy(cause);
      else resolve({ kind: 'broken', sent: isConnected, code: codeOf(cause, signal), cause });
    }

    socket.once('connect', () => {
      isNear = startHandshake();
    });
    socket.once('secureConnect', () => {
      const encoding = isNear() ? 'identity' : 'gzip';
      clearTimeout(connecting);
      isConnected = true;
      mark('connected');
      const lines = [`GET ${request.path} HTTP/1.1`, ...fields, `Accept-Encoding: ${encoding}`];
      socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    });
    socket.once('end', () => reader.endsHere && finish());
    socket.once('error', fail);
    socket.once('close', () => {
      clearTimeout(connecting);
      signal.removeEventListener('abort', abort);
      if (!reader.endsHere) fail(codedError('ECONNRESET'));
    });
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

/**
 * @returns asked once it is over. All of a handshake counts and not only the connection, since the nearer end of a
 * tunnel is not the server
 */
function startHandshake(): () => boolean {
  const began = process.hrtime.bigint();
  const before = process.cpuUsage();
  return () => {
    const passedMs = Number(process.hrtime.bigint() - began) / 1e6;
    const { user, system } = process.cpuUsage(before);
    return passedMs < near.passedMs && passedMs - (user + system) / 1e3 < near.waitedMs;
  };
}

/** @throws TypeError for one that would reach into the next line */
function writeFields(fields: BulkRequest['headers']): string[] {
  return Object.entries(fields).flatMap(([name, values]) =>
    [values].flat().map((value) => {
      validateHeaderName(name);
      validateHeaderValue(name, value);
      return `${name}: ${value}`;
    }),
  );
}
