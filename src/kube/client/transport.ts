import {
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  Agent as PlainAgent,
  request as startHttp,
} from 'node:http';
import { type AgentOptions, type RequestOptions, request as startHttps, Agent as TlsAgent } from 'node:https';
import type { Socket } from 'node:net';
import { checkServerIdentity } from 'node:tls';
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

/** Of a request. `connected` is left out where an open connection is used again. */
export type Milestone = 'connected' | 'first byte' | 'answered';

/** The connections of one run. */
export interface Transport {
  /** Sends a request and waits for the head of the answer. The signal ends both, and the body after them. */
  send(outgoing: Outgoing, login: Login, signal: AbortSignal): Promise<Head | Broken>;
  close(): void;
}

/** No connection takes longer to make, TLS included. */
const connectTimeoutMs = 5_000;

/** For one of several addresses of a host. Node's own 250 ms would give up every server behind a slow VPN. */
const attemptTimeoutMs = 1_500;

/** How a server is reached: what every request on that way has in common. */
type Way = RequestOptions & AgentOptions & { readonly agent: Agent };

export function openTransport(access: Access, mark: (milestone: Milestone) => void = () => {}): Transport {
  const { url, tls, proxyUrl } = access;
  const isTls = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const basePath = url.pathname.replace(/\/+$/, '');
  const ways = new Map<Login['certificate'], Promise<Way>>();

  /** Another client certificate needs connections of its own. */
  function wayFor({ certificate }: Login): Promise<Way> {
    const known = ways.get(certificate);
    if (known) return known;
    const way = openWay(certificate);
    ways.set(certificate, way);
    return way;
  }

  async function openWay(certificate: Login['certificate']): Promise<Way> {
    const agent = await openAgent({ keepAlive: true });
    // Behind a proxy it is these, and not the agent's own, that TLS is spoken by.
    const tlsOptions: AgentOptions = {
      secureContext: secureContextOf(tls, certificate),
      rejectUnauthorized: !tls.insecure,
      // There Node would hold the certificate against the proxy's name, too.
      checkServerIdentity: (_name, peer) => checkServerIdentity(tls.serverName ?? host, peer),
      ...(tls.serverName !== undefined && { servername: tls.serverName }),
    };
    return {
      agent,
      protocol: url.protocol,
      host,
      port: Number(url.port) || (isTls ? 443 : 80),
      autoSelectFamilyAttemptTimeout: attemptTimeoutMs,
      ...(isTls && tlsOptions),
    };
  }

  async function openAgent(options: AgentOptions): Promise<Agent> {
    if (proxyUrl) return (await import('./proxy-agent.ts')).proxyAgent(proxyUrl, options);
    return isTls ? new TlsAgent(options) : new PlainAgent(options);
  }

  return {
    async send({ method, path, headers, body }, login, signal) {
      const options: RequestOptions = {
        ...(await wayFor(login)),
        method,
        path: basePath + path,
        headers: {
          ...(headers as Record<string, string | string[]>),
          ...(login.authorization !== undefined && { Authorization: login.authorization }),
          ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }),
        },
        signal,
      };
      return exchange((isTls ? startHttps : startHttp)(options), body, signal, mark);
    },
    close() {
      for (const way of ways.values())
        way.then(
          ({ agent }) => agent.destroy(),
          () => undefined,
        );
    },
  };
}

function exchange(
  request: ClientRequest,
  body: string | undefined,
  signal: AbortSignal,
  mark: (milestone: Milestone) => void,
): Promise<Head | Broken> {
  return new Promise((resolve) => {
    let connected = false;
    const connecting = setTimeout(() => request.destroy(codedError('CONNECT_TIMEOUT')), connectTimeoutMs);
    const onConnected = () => {
      connected = true;
      clearTimeout(connecting);
      if (!request.reusedSocket) mark('connected');
    };
    request.once('socket', (socket: Socket) => {
      const isTls = 'encrypted' in socket;
      // Through a proxy a socket for plain HTTP is connected when it comes, one for TLS never.
      if (request.reusedSocket || !(isTls || socket.connecting)) onConnected();
      else socket.once(isTls ? 'secureConnect' : 'connect', onConnected);
    });
    request.once('response', (message) => {
      mark('first byte');
      message.once('end', () => mark('answered'));
      resolve({ kind: 'head', message });
    });
    request.on('error', (cause: NodeJS.ErrnoException) => {
      clearTimeout(connecting);
      resolve({ kind: 'broken', sent: connected, code: codeOf(cause, signal), cause });
    });
    request.end(body);
  });
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
