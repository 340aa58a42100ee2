import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { delimiter, join } from 'node:path';
import { DaprMtlsError } from '../errors.ts';
import { reportFailure } from './report-failure.ts';

/** Set for the program that the words were handed to: it must not hand them back. */
export const hopVariable = 'DAPR_MTLS_HANDED_OVER';

/**
 * Runs the official `dapr` with the same words: arguments, streams, signals and exit code untouched.
 * @param ours the real path of this program's own `dapr`, which is passed over
 */
export async function handOver(argv: readonly string[], ours: string): Promise<void> {
  try {
    process.exitCode = await runOther(findOther(process.env, ours), argv);
  } catch (error) {
    process.exitCode = reportFailure(error, 'dapr', argv);
  }
}

/** The next `dapr` on the PATH that is not this program. @throws DaprMtlsError `usage.hand-over` */
export function findOther(env: NodeJS.ProcessEnv, ours: string): string {
  if (env[hopVariable]) {
    throw new DaprMtlsError('usage.hand-over', {
      message: 'the `dapr` that these words were handed to is this program again',
      hint: 'Remove the second copy of dapr-mtls from the PATH, or put the official dapr CLI before it.',
    });
  }
  const names = process.platform === 'win32' ? ['dapr.exe'] : ['dapr'];
  for (const folder of (env.PATH ?? '').split(delimiter).filter(Boolean)) {
    for (const name of names) {
      const path = join(folder, name);
      if (isProgram(path) && realpathSync(path) !== ours) return path;
    }
  }
  throw new DaprMtlsError('usage.hand-over', {
    message: 'these words belong to the official dapr CLI, and there is none on the PATH',
    hint: 'Ours is `dapr mtls ...` (the same as `dapr-mtls ...`); for the rest install the official dapr CLI.',
  });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGCONT'] as const;

function runOther(path: string, argv: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    // Before the start: the other may be up, and be signalled, before spawn returns.
    let child: ChildProcess | undefined;
    for (const signal of passedOn) process.on(signal, () => child?.kill(signal));
    child = spawn(path, argv, { stdio: 'inherit', env: { ...process.env, [hopVariable]: '1' } });
    child.once('error', (cause) => {
      reject(
        new DaprMtlsError('usage.hand-over', {
          message: `${path} could not be started: ${cause.message}`,
          hint: 'Check that it is a program for this machine.',
          cause,
        }),
      );
    });
    child.once('exit', (code, signal) => {
      if (!signal) return resolve(code ?? 0);
      // Die of the same signal, so that a shell sees what it would have seen.
      for (const own of passedOn) process.removeAllListeners(own);
      process.kill(process.pid, signal);
      resolve(128 + (osConstants.signals[signal] ?? 0));
    });
  });
}
