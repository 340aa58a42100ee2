import { type Agent, type ClientRequest, Agent as PlainAgent, request as startHttp } from 'node:http';
import { type AgentOptions, type RequestOptions, request as startHttps, Agent as TlsAgent } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import type { Access, Login } from '../kubeconfig/access.ts';
import { type Broken, codedError, codeOf, type Head, type Milestone } from './answer.ts';
import { secureContextOf } from './secure-context.ts';

export interface Outgoing {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | undefined;
  /** The answer may be 100 MB, and is unpacked by whoever asks for it. */
  readonly isLong?: boolean | undefined;
}

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
  const closing = new AbortController();

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
    const name = tls.serverName ?? host;
    // Behind a proxy it is these, and not the agent's own, that TLS is spoken by.
    const tlsOptions: AgentOptions = {
      secureContext: secureContextOf(tls, certificate),
      rejectUnauthorized: !tls.insecure,
      // There Node would hold the certificate against the proxy's name, too.
      checkServerIdentity: (_host, peer) => checkServerIdentity(name, peer),
      // No address is named in a handshake (RFC 6066, section 3).
      servername: isIP(name) ? '' : name,
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
    async send({ method, path, headers, body, isLong }, login, signal) {
      const { agent, ...way } = await wayFor(login);
      const target = basePath + path;
      const fields = {
        ...(headers as Record<string, string | string[]>),
        ...(login.authorization !== undefined && { Authorization: login.authorization }),
      };
      if (isLong && isTls && !proxyUrl) {
        const { exchangeInBulk } = await import('./bulk/exchange-in-bulk.ts');
        const ended = AbortSignal.any([signal, closing.signal]);
        const request = { host: url.host, path: target, headers: fields };
        const outcome = await exchangeInBulk(way, request, { connectTimeoutMs, signal: ended, mark });
        // It is stricter than Node in what it takes for the head of an answer, which then Node reads.
        if (outcome.kind === 'head' || !outcome.code.startsWith('HPE_')) return outcome;
      }
      const options: RequestOptions = {
        ...way,
        agent,
        method,
        path: target,
        headers: {
          ...fields,
          ...(isLong && { 'Accept-Encoding': 'gzip' }),
          ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }),
        },
        signal,
      };
      return exchange((isTls ? startHttps : startHttp)(options), body, signal, mark);
    },
    close() {
      closing.abort();
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
