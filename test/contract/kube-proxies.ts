import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Proxy {
  readonly url: string;
  /** Where it was asked to connect to, as `host:port`. */
  readonly targets: readonly string[];
}

/** A proxy that brings every connection to this machine, whatever host it was asked for. */
export async function startProxy(scheme: 'http' | 'socks5'): Promise<Proxy> {
  const targets: string[] = [];
  const sockets = new Set<Socket>();
  const join = (client: Socket, target: string) => {
    targets.push(target);
    const server = connect(Number(target.split(':').at(-1)), '127.0.0.1');
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    client.pipe(server).pipe(client);
  };
  const server = scheme === 'http' ? tunnels(join) : socks(join);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`, targets };
}

type Join = (client: Socket, target: string) => void;

function tunnels(join: Join): Server {
  return createHttpServer().on('connect', (request, socket) => {
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    join(socket as Socket, request.url ?? '');
  });
}

/** RFC 1928: no authentication, CONNECT to an IPv4 address or a name. */
function socks(join: Join): Server {
  return createServer((socket) => {
    socket.once('data', () => {
      socket.write(Buffer.from([5, 0]));
      socket.once('data', (request) => {
        const isName = request[3] === 3;
        const end = isName ? 5 + (request[4] ?? 0) : 8;
        const host = isName ? request.subarray(5, end).toString() : [...request.subarray(4, end)].join('.');
        socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
        join(socket, `${host}:${request.readUInt16BE(end)}`);
      });
    });
  });
}
