import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Guard } from './guard.ts';

/** A program of the cluster that runs until it is stopped. */
export interface Service {
  readonly name: string;
  readonly pid: number;
  /** Resolves with what it said last, when it has ended by itself or by `stop`. */
  readonly ended: Promise<string>;
  /** Ends it at once. What it held is thrown away, so nothing has to be flushed. */
  stop(): Promise<void>;
}

/** Starts a program whose output goes to `<folder>/<name>.log`. */
export function startService(
  name: string,
  program: string,
  args: readonly string[],
  { folder, guard }: { readonly folder: string; readonly guard: Guard },
): Service {
  const log = join(folder, `${name}.log`);
  const output = openSync(log, 'a');
  const child = spawn(program, args, {
    cwd: folder,
    // Nothing of the tests' own: no proxy, no kubeconfig.
    env: { PATH: process.env.PATH ?? '', HOME: folder },
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} could not be started`);
  guard.watch(pid);
  child.unref();
  const ended = waitForEnd(child).then(() => readFileSync(log, 'utf8').split('\n').slice(-12).join('\n'));
  return {
    name,
    pid,
    ended,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function waitForEnd(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
}
