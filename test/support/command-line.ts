import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { commandOf, type ProgramName } from './program-under-test.ts';

/** The package, its program built into dist/; `npm test` builds it first. */
export const packageHome = fileURLToPath(new URL('../../', import.meta.url));

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  readonly timeoutMs?: number;
  /** The name that is typed. */
  readonly program?: ProgramName;
}

export interface CommandResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A bare environment: what the machine happens to set must not decide a test. */
export const bareEnvironment: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: '/proc/nobody', LANG: 'C.UTF-8' };

/** Runs the program as a user would, without a terminal. */
export function run(words: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
  const [program, ...before] = commandOf(options.program ?? 'dapr-mtls');
  return runAny(program, [...before, ...words], options);
}

export function runAny(command: string, words: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, {
      cwd: options.cwd,
      env: { ...bareEnvironment, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: options.timeoutMs ?? 180_000,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    child.once('error', reject);
    child.once('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
}
