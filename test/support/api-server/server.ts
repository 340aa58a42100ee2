import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UserRules } from './access.ts';
import { type Answer, send, statusAnswer } from './answer.ts';
import { issueLeaf, type KeyPair } from './certificates.ts';
import { type Faults, planFaults } from './faults.ts';
import { handle } from './handle.ts';
import { type Identities, type Login, openIdentities } from './identities.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { Pager } from './list.ts';
import { ContainerLogs } from './logs.ts';
import { type ProtobufStyle, podListEncoder } from './protobuf.ts';
import { type ApiRequest, readTarget } from './request.ts';
import { tooLarge } from './status.ts';
import { namespaceOf, ObjectStore, type TestStore } from './store.ts';
import { Watches } from './watch.ts';
import { type Admit, Writer } from './write.ts';

export interface ApiServerOptions {
  /** Who may do what; a user `admin` who may do everything where it is left out. */
  readonly users?: Readonly<Record<string, UserRules>>;
  /** What is wrong with the server's own certificate. */
  readonly serving?: Serving;
  readonly protobuf?: Partial<ProtobufStyle>;
  /** A mutating webhook for what is created, also in a dry run. */
  readonly admit?: Admit;
  readonly now?: () => Date;
}

export type Serving = 'sound' | 'of-another-authority' | 'expired' | 'for-another-host';

export interface KubeconfigWishes {
  /** One of the server's users; the first one where it is left out. */
  readonly user?: string;
  /** `certificate` where it is left out. */
  readonly login?: Login;
  /** The certificate authority that it names. */
  readonly ca?: 'right' | 'wrong' | 'none' | 'insecure';
  readonly context?: string;
  readonly namespace?: string;
  /** Instead of the server's own address. */
  readonly server?: string;
}

export interface ApiServer {
  /** `https://127.0.0.1:<port>` */
  readonly url: string;
  readonly caPem: string;
  readonly store: TestStore;
  /** Every request so far, in the order in which they came in. */
  readonly requests: readonly LoggedRequest[];
  readonly faults: Faults;
  /** What containers write. */
  readonly logs: Omit<ContainerLogs, 'answer'>;
  readonly watches: Pick<Watches, 'count' | 'end' | 'expire'>;
  /** How many TLS connections have been made so far. */
  readonly connections: number;
  /** Writes a kubeconfig and tells its path. */
  kubeconfig(wishes?: KubeconfigWishes): string;
  /** The bearer token of a user; the first one where none is named. */
  token(user?: string): string;
  /** Changes what a user may do, or adds one. */
  allow(user: string, rules: UserRules): void;
  /** Called for every request before it is looked at. What it returns takes the hook away again. */
  onRequest(hook: (request: ApiRequest) => void | Promise<void>): () => void;
  /** Lists in pages that have begun cannot be continued: 410. */
  expirePages(): void;
  stop(): Promise<void>;
}

export interface LoggedRequest extends ApiRequest {
  /** The status of the answer; undefined while there is none. */
  readonly code: number | undefined;
}

const maxBodyBytes = 3 * 1024 * 1024;
const minuteMs = 60_000;

/**
 * An API server as Kubernetes 1.34 is seen from the outside, over TLS on the loopback interface. It
 * has no controllers: nothing happens to objects that no request or test has changed.
 */
export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const { serving = 'sound', now = () => new Date() } = options;
  const identities = openIdentities(options.users ?? { admin: { allow: 'all' } });
  const store = new ObjectStore(now);
  for (const name of ['default', 'kube-system']) store.put(namespaceOf(name));
  const rooms = {
    store,
    pager: new Pager(store),
    logs: new ContainerLogs(),
    watches: new Watches(store),
    writer: new Writer(store, now, options.admit ?? ((object) => object)),
    encoder: podListEncoder({ order: 'ascending', unknownFields: false, ...options.protobuf }),
    users: identities.users,
  };
  const faults = planFaults();
  const requests: (ApiRequest & { code: number | undefined })[] = [];
  const hooks = new Set<(request: ApiRequest) => void | Promise<void>>();
  let connections = 0;
  // Below TLS, by the client's port: a TLS socket cannot be reset.
  const sockets = new Map<number | undefined, Socket>();

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const body = await readBody(incoming);
    const request = { ...readRequest(incoming, identities, body ?? ''), code: undefined as number | undefined };
    requests.push(request);
    for (const hook of hooks) await hook(request);

    const { delayMs, isCarriedOut, silence, answer, cutAfterBytes } = faults.draw(request);
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    const real = isCarriedOut ? carryOut(request, body === undefined, gone.signal) : undefined;
    if (silence === 'reset') sockets.get(incoming.socket.remotePort)?.resetAndDestroy();
    const given = answer ?? real;
    if (silence || !given) return;
    request.code = given.code;
    const acceptsGzip = /\bgzip\b/.test(String(incoming.headers['accept-encoding'] ?? ''));
    await send(response, given, { acceptsGzip, cutAfterBytes });
  }

  function carryOut(request: ApiRequest, isTooLarge: boolean, signal: AbortSignal): Answer {
    return isTooLarge ? statusAnswer(tooLarge(maxBodyBytes).status) : handle(rooms, request, signal);
  }

  const pair = issueServingCertificate(identities, serving);
  const server = createServer(
    {
      cert: pair.certificatePem,
      key: pair.keyPem,
      ca: identities.clients.certificatePem,
      requestCert: true,
      rejectUnauthorized: false,
      keepAliveTimeout: minuteMs,
    },
    (incoming, response) => {
      serve(incoming, response).catch((error: unknown) => {
        // A defect of a hook or of this server: the client sees it as what it is, and so does the log.
        const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
        if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' });
        response.end(`the tests' API server failed: ${message}\n`);
      });
    },
  );
  server.on('secureConnection', () => {
    connections += 1;
  });
  server.on('connection', (socket: Socket) => {
    const port = socket.remotePort;
    sockets.set(port, socket);
    socket.on('close', () => sockets.delete(port));
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const folder = mkdtempSync(join(tmpdir(), 'api-server-'));
  let kubeconfigs = 0;

  const userOf = (name: string | undefined) => name ?? [...identities.users.keys()][0] ?? 'admin';
  return {
    url,
    caPem: identities.authority.certificatePem,
    store,
    requests,
    faults,
    logs: rooms.logs,
    watches: rooms.watches,
    get connections() {
      return connections;
    },
    kubeconfig: (wishes = {}) => {
      const { login = 'certificate', ca = 'right', context = 'tests', namespace } = wishes;
      const user = userOf(wishes.user);
      kubeconfigs += 1;
      const path = join(folder, `kubeconfig-${kubeconfigs}`);
      const authorities = {
        right: identities.authority,
        wrong: identities.strangers,
        none: undefined,
        insecure: undefined,
      };
      const contents = writeKubeconfig({
        server: wishes.server ?? url,
        caPem: authorities[ca]?.certificatePem,
        insecure: ca === 'insecure',
        user,
        credentials: identities.credentials(user, login),
        context,
        namespace,
      });
      writeFileSync(path, contents, { mode: 0o600 });
      return path;
    },
    token: (user) => identities.tokenOf(userOf(user)),
    allow: (user, rules) => {
      identities.users.set(user, rules);
    },
    onRequest: (hook) => {
      hooks.add(hook);
      return () => hooks.delete(hook);
    },
    expirePages: () => rooms.pager.expire(),
    stop: async () => {
      rooms.watches.end();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function readRequest(incoming: IncomingMessage, identities: Identities, body: string): ApiRequest {
  const { method = 'GET', url: path = '/', headers } = incoming;
  const url = new URL(path, 'https://any');
  return {
    method,
    path,
    query: url.searchParams,
    headers,
    userAgent: headers['user-agent'] ?? '',
    body,
    target: readTarget(method, url),
    user: identities.authenticate(incoming),
  };
}

/** Undefined for one that is too large; it is read to its end all the same. */
async function readBody(incoming: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= maxBodyBytes) chunks.push(chunk);
  }
  return bytes <= maxBodyBytes ? Buffer.concat(chunks).toString() : undefined;
}

function issueServingCertificate({ authority, strangers }: Identities, serving: Serving): KeyPair {
  const hosts = serving === 'for-another-host' ? ['elsewhere.example'] : ['localhost', '127.0.0.1'];
  return issueLeaf(serving === 'of-another-authority' ? strangers : authority, 'kube-apiserver', {
    purpose: 'server',
    hosts,
    ...(serving === 'expired' ? { notAfter: new Date(Date.now() - minuteMs) } : {}),
  });
}
