import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from './directory.ts';
import { commandOf, testedFolder } from './program-under-test.ts';

/** The built program, copied away so that a build meanwhile does not pull the files from under it. */
export interface Program {
  /** Where the copy lies. */
  readonly home: string;
  /** Node and the script: what a wrapper such as strace has to start. */
  readonly command: readonly string[];
  run(args: readonly string[], options?: RunOptions): Promise<Outcome>;
  start(args: readonly string[], options?: RunOptions): Run;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly uid?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Words before the command, as `unshare -m`. */
  readonly wrapper?: readonly string[];
}

export interface Outcome {
  /** 128 + n where a signal has ended it, as a shell has it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
  /** Resolves as soon as standard error matches; rejects when the run ends before. */
  noted(pattern: RegExp): Promise<void>;
}

const checkout = fileURLToPath(new URL('../..', import.meta.url));

export function copyProgram(): Program {
  const home = temporaryDirectory('dapr-mtls program');
  for (const name of ['bin', 'dist', 'oclif.manifest.json', 'package.json']) {
    cpSync(join(checkout, name), join(home, name), { recursive: true });
  }
  const command = testedFolder ? commandOf('dapr-mtls') : [process.execPath, join(home, 'bin', 'dapr-mtls.js')];
  const start = (args: readonly string[], options: RunOptions = {}) =>
    startProcess([...(options.wrapper ?? []), ...command, ...args], options);
  return { home, command, start, run: (args, options) => start(args, options).ended };
}

/** Starts a program in an environment of its own. */
export function startProcess([file = '', ...args]: readonly string[], { cwd, uid, env }: RunOptions = {}): Run {
  const child = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '', HOME: '/proc/nobody', ...env },
    ...(cwd === undefined ? {} : { cwd }),
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
      child.emit('output');
    });
  }
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) =>
      resolve({ exitCode: code ?? (signal ? 128 + numbers[signal] : -1), ...output }),
    );
  });
  const noted = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => pattern.test(output.stderr) && resolve();
      child.on('output', look);
      look();
      ended.then(() => reject(new Error(`ended without a word of ${pattern}:\n${output.stderr}`)), reject);
    });
  return { child, ended, noted };
}

const numbers = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 } as Record<NodeJS.Signals, number>;
