import { type Agent, type IncomingMessage, type RequestOptions, request as startHttp } from 'node:http';
import { type AgentOptions, request as startHttps, Agent as TlsAgent } from 'node:https';
import type { Access, Login } from '../kubeconfig/access.ts';
import { secureContextOf } from './secure-context.ts';

export interface Outgoing {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | undefined;
}

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
  readonly message: IncomingMessage;
}

/** The connections of one run. */
export interface Transport {
  /** Sends a request and waits for the head of the answer. The signal ends both, and the body after them. */
  send(outgoing: Outgoing, login: Login, signal: AbortSignal): Promise<Head | Broken>;
  close(): void;
}

/** No connection takes longer to make, TLS included. */
const connectTimeoutMs = 5_000;

export async function openTransport(access: Access): Promise<Transport> {
  const { url, tls } = access;
  const isTls = url.protocol === 'https:';
  const basePath = url.pathname.replace(/\/+$/, '');
  const agents = new Map<Login['certificate'], Agent>();

  /** Another client certificate needs connections of its own. */
  function agentFor({ certificate }: Login): Agent {
    const known = agents.get(certificate);
    if (known) return known;
    const options: AgentOptions = {
      keepAlive: true,
      secureContext: secureContextOf(tls, certificate),
      rejectUnauthorized: !tls.insecure,
      ...(tls.serverName !== undefined && { servername: tls.serverName }),
    };
    const agent = new TlsAgent(options);
    agents.set(certificate, agent);
    return agent;
  }

  return {
    send({ method, path, headers, body }, login, signal) {
      const options: RequestOptions = {
        ...(isTls && { agent: agentFor(login) }),
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port,
        method,
        path: basePath + path,
        headers: {
          ...(headers as Record<string, string | string[]>),
          ...(login.authorization !== undefined && { Authorization: login.authorization }),
          ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }),
        },
        signal,
      };
      return new Promise((resolve) => {
        let connected = false;
        const request = (isTls ? startHttps : startHttp)(options);
        const connecting = setTimeout(() => request.destroy(codedError('CONNECT_TIMEOUT')), connectTimeoutMs);
        const onConnected = () => {
          connected = true;
          clearTimeout(connecting);
        };
        request.once('socket', (socket) => {
          if (request.reusedSocket) onConnected();
          else socket.once(isTls ? 'secureConnect' : 'connect', onConnected);
        });
        request.once('response', (message) => resolve({ kind: 'head', message }));
        request.on('error', (cause: NodeJS.ErrnoException) => {
          clearTimeout(connecting);
          resolve({ kind: 'broken', sent: connected, code: codeOf(cause, signal), cause });
        });
        request.end(body);
      });
    },
    close() {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

/** Reads a body to its end. @param maxBytes more than this is an answer that is too large */
export function collect(message: IncomingMessage, maxBytes: number, signal: AbortSignal): Promise<Buffer | Broken> {
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

function codedError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}
