import { expect } from 'vitest';
import type { ApiRequest } from '../support/api-server/request.ts';
import type { ApiServer } from '../support/api-server/server.ts';
import type { Run } from '../support/program.ts';
import { describeWrite, isWrite } from './cluster-stage.ts';

/** A write of a run: the n-th of all, or the n-th that is described by these words, counted from 1. */
export interface FatalWrite {
  readonly nth: number;
  readonly what?: string;
}

/**
 * Kills a run when a write has come in; the server carries that out, or not.
 * @returns where it was killed, in words; undefined where the run has come to its end without that write
 */
export async function killAtWrite(
  server: ApiServer,
  start: () => Run,
  { nth, what }: FatalWrite,
  isDone: boolean,
): Promise<string | undefined> {
  let seen = 0;
  let hit: ApiRequest | undefined;
  const run = start();
  const unhook = server.onRequest(async (request) => {
    if (!isWrite(request) || (what !== undefined && describeWrite(request) !== what)) return;
    seen += 1;
    if (seen !== nth) return;
    hit = request;
    server.faults.add({ do: isDone ? 'reset-after-write' : 'reset', when: (one) => one === request });
    run.child.kill('SIGKILL');
    await run.ended;
  });
  const { exitCode, stderr } = await run.ended;
  if (!hit) {
    unhook();
    expect(exitCode, stderr).toBe(0);
    return undefined;
  }
  const where = `write ${nth} (${describeWrite(hit)}), ${isDone ? 'carried out' : 'not carried out'}`;
  expect(exitCode, `${where}\n${stderr}`).toBe(137);
  await waitUntilDrawn(server);
  unhook();
  return where;
}

/** The request of a dead client is still carried out, or not, by the server. */
async function waitUntilDrawn({ faults }: ApiServer): Promise<void> {
  const until = Date.now() + 60_000;
  while (faults.left > 0) {
    if (Date.now() > until) throw new Error('the server has not got to the write');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
