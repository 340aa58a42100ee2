import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { DaprMtlsError } from '../errors.ts';
import type { StopSwitch } from './stop.ts';

export interface RestartCommand {
  /** For the shell, as it was typed. */
  readonly command: string;
  /** ` --dir DIR`, for the mend of an error. */
  readonly wayToStore: string;
  /** What it is run for, in the words of an error. */
  readonly purpose: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stop: Pick<StopSwitch, 'assertRunning' | 'sleep'>;
}

/**
 * Runs the command through the shell and waits for its end. All that it prints goes to standard error. A
 * signal that stops this program is passed on once, and the command's own end waited for: it may have
 * something to clean up.
 * @throws DaprMtlsError `rollout.failed`; Interrupted
 */
export async function runRestartCommand({ command, purpose, env, stop, wayToStore }: RestartCommand): Promise<void> {
  // On a terminal it stays in our group: it may ask for a password, and a Ctrl-C reaches it by itself.
  const isAlone = process.stdin.isTTY !== true && process.platform !== 'win32';
  const child = spawn(command, {
    shell: true,
    env,
    stdio: [process.stdin.isTTY === true ? 'inherit' : 'ignore', 2, 2],
    detached: isAlone,
    windowsHide: true,
  });
  const ending = new AbortController();
  const ended = new Promise<string | undefined>((resolve) => {
    const end = (failure: string | undefined) => {
      resolve(failure);
      ending.abort();
    };
    child.once('error', ({ message }) => end(`could not be started: ${message}`));
    child.once('exit', (code, signal) => end(describeEnd(code, signal)));
  });
  try {
    while (!ending.signal.aborted) {
      stop.assertRunning();
      await stop.sleep(longestSleepMs, ending.signal);
    }
  } catch (interruption) {
    passOn(child.pid, (interruption as { readonly signal?: NodeJS.Signals }).signal ?? 'SIGTERM', isAlone);
    await ended;
    throw interruption;
  }
  const failure = await ended;
  if (failure !== undefined) throw notDone(purpose, failure, wayToStore);
}

const longestSleepMs = 60_000;

/** What runs in a group of its own is a shell and its children, and all of them shall hear it. */
function passOn(pid: number | undefined, signal: NodeJS.Signals, isAlone: boolean): void {
  if (pid === undefined || (!isAlone && signal === 'SIGINT')) return;
  try {
    process.kill(isAlone ? -pid : pid, signal);
  } catch {
    // It has just ended by itself.
  }
}

function describeEnd(code: number | null, signal: NodeJS.Signals | null): string | undefined {
  if (code === 0) return undefined;
  return signal
    ? `was ended by ${signal} (exit code ${128 + constants.signals[signal]})`
    : `ended with exit code ${code}`;
}

function notDone(purpose: string, failure: string, wayToStore: string): DaprMtlsError {
  return new DaprMtlsError('rollout.failed', {
    message: `the command of --restart-command ${failure}, run for ${purpose}`,
    hint: `What it said stands above. Mend that and run \`dapr-mtls rotate run${wayToStore}\` again: the command is run anew for this phase. If everybody has been restarted all the same: \`dapr-mtls rotate confirm restarted${wayToStore}\`.`,
  });
}
