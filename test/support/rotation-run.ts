import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from './directory.ts';
import type { RotationAnswer, RotationOrder, RotationPlace } from './rotation-process.ts';

/** Another run of the program, in a process of its own that can be stopped or killed. */
export interface RotationRun {
  readonly child: ChildProcess;
  readonly name: string;
  /** `done`, or the code of the error that it ended in. */
  order(order: RotationOrder): Promise<string>;
  kill(): Promise<void>;
}

let script: Promise<string> | undefined;

/** The path of a script that `rotation-process.ts` has become. */
export function bundleRotationProcess(): Promise<string> {
  script ??= bundle();
  return script;
}

/** Starts one, which takes the lock. */
export async function startRotationRun(place: RotationPlace, purpose = 'rotate run'): Promise<RotationRun> {
  const child = fork(await bundleRotationProcess(), ['rotation-process'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const order = async (message: RotationOrder): Promise<string> => {
    const answered = once(child, 'message') as Promise<[RotationAnswer]>;
    child.send(message);
    return (await answered)[0].outcome;
  };
  const name = `other@there, process ${child.pid}`;
  const outcome = await order({ do: 'lock', place, purpose, holder: name });
  if (outcome !== 'done') throw new Error(`the other run has no lock: ${outcome}`);
  return {
    child,
    name,
    order,
    kill: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function bundle(): Promise<string> {
  const outfile = join(temporaryDirectory('rotation'), 'process.cjs');
  await build({
    entryPoints: [fileURLToPath(new URL('rotation-process.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    logLevel: 'warning',
    outfile,
  });
  return outfile;
}
