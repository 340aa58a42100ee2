import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DaprMtlsError } from '../../errors.ts';
import type { ListenAddress } from './listen-address.ts';

export interface Endpoints {
  /** Prometheus' text format. */
  metrics(): Promise<string>;
  /** Why the loop does not turn any more; undefined while it does. */
  whyNotAlive(): string | undefined;
  /** Why what is served is old; undefined while it is not. */
  whyNotReady(): string | undefined;
}

export interface RunningServer {
  /** As an address to open: `127.0.0.1:9090`. */
  readonly address: string;
  close(): void;
}

/**
 * Serves /metrics, /healthz and /readyz over HTTP.
 * @throws DaprMtlsError `usage.listen` where nobody can listen there
 */
export async function serveEndpoints({ host, port }: ListenAddress, endpoints: Endpoints): Promise<RunningServer> {
  const server = createServer({ maxHeaderSize: 8192, headersTimeout: 5000, requestTimeout: 10_000 }, answer(endpoints));
  server.keepAliveTimeout = 15_000;
  server.maxConnections = 100;
  await listen(server, host, port);
  return {
    address: describeAddress(server.address() as AddressInfo),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function answer({ metrics, whyNotAlive, whyNotReady }: Endpoints): RequestListener {
  const pages: Readonly<Record<string, () => Promise<Page>>> = {
    '/metrics': async () => ({ status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body: await metrics() }),
    '/healthz': async () => pageOf(whyNotAlive()),
    '/readyz': async () => pageOf(whyNotReady()),
  };
  return async ({ method = '', url = '' }, response) => {
    const path = url.split('?')[0] ?? '';
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    const isRead = method === 'GET' || method === 'HEAD';
    const plain = 'text/plain; charset=utf-8';
    const { status, type, body } = !page
      ? { status: 404, type: plain, body: 'not found: /metrics, /healthz and /readyz are served here\n' }
      : isRead
        ? await page().catch(() => ({ status: 500, type: plain, body: 'failed\n' }))
        : { status: 405, type: plain, body: 'GET and HEAD are served here\n' };
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
    });
    response.end(method === 'HEAD' ? undefined : body);
  };
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function pageOf(problem: string | undefined): Page {
  const type = 'text/plain; charset=utf-8';
  return problem === undefined ? { status: 200, type, body: 'ok\n' } : { status: 503, type, body: `${problem}\n` };
}

function listen(server: Server, host: string | undefined, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = reasons[cause.code ?? ''] ?? cause.message;
      reject(
        new DaprMtlsError('usage.listen', {
          message: `nobody can listen on ${host ?? ''}:${port}: ${reason}`,
          hint: 'Name another address with --listen [HOST:]PORT.',
          cause,
        }),
      );
    });
    server.listen({ port, ...(host === undefined ? {} : { host }) }, resolve);
  });
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program does already',
  EACCES: 'this user may not',
  EADDRNOTAVAIL: 'it is no address of this machine',
  ENOTFOUND: 'no such host is known',
};

function describeAddress({ address, family, port }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}
