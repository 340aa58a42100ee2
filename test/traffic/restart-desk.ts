import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** What a restart command finds in its environment. */
export interface RestartOrder {
  readonly phase: string;
  /** `sentry`, `services`, `applications`. */
  readonly scopes: readonly string[];
  readonly anchors: string;
}

/** Where restart commands of the program under test come in. */
export interface RestartDesk {
  /** What to give as `--restart-command`. */
  readonly command: string;
  /** What was asked for so far. */
  readonly orders: readonly RestartOrder[];
  close(): void;
}

/** The command that it gives out comes back when `restart` has. */
export async function openRestartDesk(
  program: string,
  restart: (order: RestartOrder) => Promise<void>,
): Promise<RestartDesk> {
  const orders: RestartOrder[] = [];
  // One at a time: whoever killed the program has not killed its command, and the next run gives the same order.
  let turn: Promise<unknown> = Promise.resolve();
  const server = createServer((request, response) => {
    json(request)
      .then(async (body) => {
        const order = body as RestartOrder;
        orders.push(order);
        const done = turn.then(() => restart(order));
        turn = done.catch(() => undefined);
        await done;
        response.end();
      })
      .catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    command: `'${program}' roll http://127.0.0.1:${port}/`,
    orders,
    close: () => void server.close().closeAllConnections(),
  };
}
