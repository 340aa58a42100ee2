import { writeFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { issueLeaf, makeAuthority } from './api-server/certificates.ts';
import { writeKubeconfig } from './api-server/kubeconfig.ts';
import { temporaryDirectory } from './directory.ts';

export interface RawServer {
  readonly url: string;
  /** The heads of the requests, one for each connection. */
  readonly heads: readonly string[];
  /** How many connections there are now. */
  readonly open: number;
  /** The path of one that trusts this server. */
  readonly kubeconfig: string;
}

/**
 * A server that speaks TLS, and for all else is the test's own: no HTTP, half of it, or too much.
 * @param answer called once the head of a request has come; `count` tells which one, from 1 on
 */
export async function startRawServer(answer: (socket: TLSSocket, count: number) => void): Promise<RawServer> {
  const authority = makeAuthority('raw');
  const pair = issueLeaf(authority, 'server', { purpose: 'server', hosts: ['127.0.0.1'] });
  const heads: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ cert: pair.certificatePem, key: pair.keyPem }, (socket) => {
    let text = '';
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      const hadCome = text.includes('\r\n\r\n');
      text += bytes.toString('latin1');
      if (hadCome || !text.includes('\r\n\r\n')) return;
      heads.push(text);
      answer(socket, heads.length);
    });
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kubeconfig = join(temporaryDirectory('raw server'), 'kubeconfig');
  const contents = writeKubeconfig({
    server: url,
    caPem: authority.certificatePem,
    insecure: false,
    user: 'admin',
    credentials: { kind: 'token', token: 'any' },
    context: 'tests',
    namespace: undefined,
  });
  writeFileSync(kubeconfig, contents, { mode: 0o600 });
  return {
    url,
    heads,
    get open() {
      return sockets.size;
    },
    kubeconfig,
  };
}
