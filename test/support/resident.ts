import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { temporaryDirectory } from './directory.ts';
import type { Outcome } from './program.ts';
import type { CommandLine, CommandOutcome } from './resident-process.ts';

/**
 * The built program in a process that stays: one command line after another without the cost of a
 * start. What runs away is killed, and the next one gets a process of its own.
 */
export class Resident {
  readonly #script: string;
  readonly #home: string;
  readonly #limitMs: number;
  #child: ChildProcess | undefined;
  #count = 0;

  /** @param home where the program lies, as `copyProgram` tells */
  static async start(home: string, limitMs: number): Promise<Resident> {
    const outfile = join(temporaryDirectory('resident'), 'process.mjs');
    await build({
      entryPoints: [fileURLToPath(new URL('resident-process.ts', import.meta.url))],
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'warning',
      outfile,
    });
    return new Resident(outfile, home, limitMs);
  }

  private constructor(script: string, home: string, limitMs: number) {
    this.#script = script;
    this.#home = home;
    this.#limitMs = limitMs;
  }

  /** One at a time: the exit code and the streams are the process's own. */
  async run(args: readonly string[]): Promise<Outcome> {
    const child = this.#child ?? this.#fork();
    const id = this.#count++;
    const ended = new Promise<Outcome>((resolve) => {
      const answered = (outcome: CommandOutcome) => {
        if (outcome.id !== id) return;
        settle();
        resolve(outcome);
      };
      const died = (code: number | null, signal: NodeJS.Signals | null) => {
        settle();
        this.#child = undefined;
        resolve({ exitCode: code ?? 137, stdout: '', stderr: `the process ended with ${signal ?? code}` });
      };
      const timer = setTimeout(() => child.kill('SIGKILL'), this.#limitMs);
      const settle = () => {
        clearTimeout(timer);
        child.off('message', answered);
        child.off('exit', died);
      };
      child.on('message', answered);
      child.once('exit', died);
    });
    child.send({ id, args } satisfies CommandLine);
    return ended;
  }

  stop(): void {
    this.#child?.disconnect();
  }

  #fork(): ChildProcess {
    const env = { PATH: process.env.PATH ?? '', HOME: '/proc/nobody' };
    this.#child = fork(this.#script, [this.#home], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    return this.#child;
  }
}
