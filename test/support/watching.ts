import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach } from 'vitest';
import { bareEnvironment } from './command-line.ts';
import { commandOf } from './program-under-test.ts';

/** `dapr-mtls watch` as it runs, and what it has written so far. */
export interface Watching {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  /** What the log says, without the fields around it. */
  readonly messages: () => string[];
  /** Once the log matches. */
  said(pattern: RegExp): Promise<void>;
  /** Asks it to end, and tells how it did and how long that took. */
  stop(signal?: NodeJS.Signals): Promise<{ readonly status: number | null; readonly tookMs: number }>;
}

const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

export function startWatching(words: readonly string[], env: NodeJS.ProcessEnv = {}): Watching {
  const [program, ...before] = commandOf('dapr-mtls');
  const child = spawn(program, [...before, 'watch', ...words], {
    env: { ...bareEnvironment, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (status) => {
      running.delete(child);
      resolve(status);
    });
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    child.emit('said');
  });
  return {
    child,
    stdout: () => stdout,
    messages: () => stdout.trimEnd().split('\n').map(messageOf),
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => pattern.test(stdout) && resolve();
        child.on('said', look);
        look();
        void ended.then((status) => reject(new Error(`ended with ${status} without ${pattern}:\n${stdout}`)));
      }),
    stop: async (signal = 'SIGTERM') => {
      const began = Date.now();
      child.kill(signal);
      const status = await ended;
      return { status, tookMs: Date.now() - began };
    },
  };
}

function messageOf(line: string): string {
  if (line.startsWith('{')) return (JSON.parse(line) as { msg: string }).msg;
  return JSON.parse(/ msg=("(?:[^"\\]|\\.)*")/.exec(line)?.[1] ?? '""') as string;
}
