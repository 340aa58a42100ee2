import { type ChildProcess, spawn } from 'node:child_process';
import { mergeReports, type WatchReport } from '../../app/watch/report.ts';
import type { LogEntry } from '../../app/watch/watch.ts';

export interface Hook {
  /** Runs the command with this report, or with it and others once the one under way has ended. */
  call(report: WatchReport): void;
  /** Runs no other, and gives the one under way so long. */
  close(graceMs: number): Promise<void>;
}

export interface HookOptions {
  /** For the log: the flag that names the command. */
  readonly name: string;
  readonly command: string;
  readonly log: (entry: LogEntry) => void;
  readonly limitMs?: number;
  readonly killAfterMs?: number;
}

/**
 * A shell command of the user's that gets reports on its standard input, one run at a time. What it
 * writes goes to standard error: standard output is the log's. That it fails is a line of the log.
 */
export function openHook({ name, command, log, limitMs = 60_000, killAfterMs = 5000 }: HookOptions): Hook {
  let running: Run | undefined;
  let waiting: WatchReport | undefined;
  let isClosed = false;
  const start = (report: WatchReport) => {
    const run = startRun(command, report, limitMs, killAfterMs);
    running = run;
    void run.ended.then((problem) => {
      running = undefined;
      if (problem && !isClosed) log({ level: 'error', message: `The command of --${name} ${problem}` });
      const next = waiting;
      waiting = undefined;
      if (next && !isClosed) start(next);
    });
  };
  return {
    call: (report) => {
      if (isClosed) return;
      if (!running) start(report);
      else waiting = waiting ? mergeReports(waiting, report) : report;
    },
    close: async (graceMs) => {
      isClosed = true;
      running?.endWithin(graceMs);
      await running?.ended;
    },
  };
}

interface Run {
  /** What went wrong, if anything did. Never rejects. */
  readonly ended: Promise<string | undefined>;
  endWithin(ms: number): void;
}

const isWindows = process.platform === 'win32';

function startRun(command: string, report: WatchReport, limitMs: number, killAfterMs: number): Run {
  // A group of its own, so that what the shell has started ends with it.
  const child = spawn(command, { shell: true, detached: !isWindows, stdio: ['pipe', 2, 2] });
  let problem: string | undefined;
  const timers: NodeJS.Timeout[] = [];
  const endAfter = (ms: number, killMs: number, why: string | undefined) => {
    const terminate = () => {
      problem ??= why;
      signalGroup(child, 'SIGTERM');
      timers.push(setTimeout(() => signalGroup(child, 'SIGKILL'), killMs));
    };
    timers.push(setTimeout(terminate, ms));
  };
  endAfter(limitMs, killAfterMs, `took longer than ${limitMs / 1000} seconds and was ended`);
  // Who does not read what it is told need not.
  child.stdin?.on('error', () => {});
  child.stdin?.end(`${JSON.stringify(report)}\n`);
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('exit', (status, signal) => {
      if (status !== 0) problem ??= signal ? `was ended by ${signal}` : `ended with exit code ${status}`;
      resolve(problem);
    });
  });
  void ended.then(() => timers.forEach(clearTimeout));
  return { ended, endWithin: (ms) => endAfter(ms / 2, ms / 2, undefined) };
}

function signalGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    if (isWindows || child.pid === undefined) child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
