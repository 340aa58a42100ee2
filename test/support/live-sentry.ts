import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { FoundFiles } from '../../src/pki/reading.ts';
import { identityOf } from './sentry-server.ts';

/** A Sentry that signs with whatever stands in its store at the moment of the handshake. */
export interface LiveSentry {
  /** `127.0.0.1:<port>` */
  readonly address: string;
  /** From now on it is that of this store. */
  serve(read: () => FoundFiles): void;
  stop(): Promise<void>;
}

export async function startLiveSentry(): Promise<LiveSentry> {
  let readStore: () => FoundFiles = () => ({ anchors: undefined, issuerChain: undefined, issuerKey: undefined });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    const { anchors, issuerChain, issuerKey } = readStore();
    // As a Sentry that has exited: nobody answers.
    if (!anchors || !issuerChain || !issuerKey) return void socket.destroy();
    const secureContext = createSecureContext(identityOf({ anchors, issuerChain, issuerKey }));
    new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ['h2'] }).on('error', () => undefined);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve: (read) => {
      readStore = read;
    },
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
