import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Ports that nobody has. Not those that the system would choose: these are given to outgoing
 * connections, too, and a server may take seconds until it listens.
 */
export async function findPorts(host: string, count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = randomInt(20_000, 32_000);
    if (!ports.includes(port) && (await isFree(host, port))) ports.push(port);
  }
  return ports;
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
