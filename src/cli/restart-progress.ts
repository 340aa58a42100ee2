import type { RestartProgress } from '../app/restart/progress.ts';
import { retellMs } from '../kube/rollout/wait-for-rollout.ts';
import { formatSpan } from '../render/instant.ts';
import { printable } from '../render/text.ts';
import type { Streams } from './streams.ts';

export interface ProgressDisplay {
  readonly show: (progress: RestartProgress) => void;
  /** Leaves the terminal as it was; to be called however the restart ends. */
  readonly close: () => void;
}

/** What a spinner is asked to do; the library is loaded only where there is a terminal to spin on. */
interface Spinner {
  /** One that turns already only takes the new text. */
  start(text: string): unknown;
  stop(): unknown;
}

/**
 * Progress on standard error: on a terminal one line that moves while workloads are waited for, and
 * a line for each that is back; elsewhere a line for every step.
 */
export async function openProgressDisplay(
  streams: Streams,
  env: NodeJS.ProcessEnv,
  isQuiet: boolean,
): Promise<ProgressDisplay> {
  // The library itself stays still on a dumb terminal and in CI, and would print nothing at all.
  if (!process.stderr.isTTY || env.TERM === 'dumb' || env.CI !== undefined || isQuiet) {
    return writeLines(streams, () => new Date());
  }
  const { default: createSpinner } = await import('yocto-spinner');
  // Signals are for the stop switch: the run ends in order, and says what is done.
  const display = spin(streams, createSpinner({ stream: process.stderr, handleSignals: false }));
  // A second one ends the process at once, and would leave the terminal without a cursor.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, display.close);
  return display;
}

export function writeLines(streams: Notes, now: () => Date): ProgressDisplay {
  const lastLineMs = new Map<string, number>();
  const note = (workload: string, line: string) => {
    lastLineMs.set(workload, now().getTime());
    streams.note(line);
  };
  return {
    show: (progress) => {
      writeLasting(streams, progress);
      if (progress.kind === 'restarting' && !progress.isBegun) {
        note(progress.workload, `Restarting ${progress.workload}..\n`);
      }
      if (progress.kind !== 'waiting') return;
      const { workload, message, isTrouble } = progress;
      // The pods of twenty replicas, counted one by one, are twenty lines that nobody reads.
      const isDue = now().getTime() - (lastLineMs.get(workload) ?? 0) >= retellMs;
      if (isTrouble || isDue) note(workload, `${workload}: ${message}\n`);
    },
    close: () => {},
  };
}

export function spin(streams: Notes, spinner: Spinner): ProgressDisplay {
  const waiting = new Map<string, string>();
  let isClosed = false;
  const turn = () => {
    if (isClosed) return;
    const lines = [...waiting].map(([workload, message]) => printable(`${workload}: ${message}`));
    if (lines.length > 0) spinner.start(lines.join('\n  '));
    else spinner.stop();
  };
  return {
    show: (progress) => {
      if (progress.kind === 'restarting')
        waiting.set(progress.workload, progress.isBegun ? 'coming back' : 'restarting');
      else if (progress.kind === 'waiting') waiting.set(progress.workload, progress.message);
      else if (progress.kind === 'restarted') waiting.delete(progress.workload);
      writeLasting(streams, progress);
      turn();
    },
    close: () => {
      isClosed = true;
      spinner.stop();
    },
  };
}

type Notes = Pick<Streams, 'note' | 'warn'>;

/** What is worth its own line on a terminal, too. */
function writeLasting({ note, warn }: Notes, progress: RestartProgress): void {
  if (progress.kind === 'remark') warn(`${progress.text}\n`);
  else if (progress.kind === 'skipped') note(`${progress.workload} is skipped: ${progress.reason}\n`);
  else if (progress.kind === 'restarted') {
    const { workload, elapsedMs, isBegun } = progress;
    note(`${workload} ${isBegun ? 'is well already' : `is back after ${formatSpan(elapsedMs / 1000)}`}\n`);
  }
}
