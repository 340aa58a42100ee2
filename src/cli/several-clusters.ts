import { homedir } from 'node:os';
import pLimit from 'p-limit';
import {
  type ClusterFailure,
  type ClustersReport,
  exitCodeOfClusters,
  reportClusters,
} from '../app/clusters/report.ts';
import type { Observation } from '../app/observation/observation.ts';
import type { JudgedReport } from '../app/observation/observe.ts';
import { defaultWarnBeforeMs } from '../app/report.ts';
import { DaprMtlsError } from '../errors.ts';
import { findKubeconfig } from '../kube/kubeconfig/find.ts';
import { type Aim, aimDocument } from '../render/aim-advice.ts';
import { renderClusters } from '../render/clusters.ts';
import type { ClustersFlags } from './clusters-flags.ts';
import { describeFailure } from './failure.ts';
import { emitJudged } from './judged-output.ts';
import { Interrupted } from './stop.ts';
import type { Streams, Terminal } from './streams.ts';

export interface SeveralFlags extends ClustersFlags {
  readonly kubeconfig: string | undefined;
  readonly format: string;
  readonly output?: string | undefined;
  readonly 'warn-before'?: number | undefined;
  readonly quiet: boolean;
}

/** What is found in one of them, and the exit code that it would have led to alone. */
export type LookAtOne = (context: string) => Promise<{ readonly report: JudgedReport; readonly exitCode: number }>;

/** So many at a time: each waits for its own server most of the time. */
const atATime = 50;

/**
 * Looks at each cluster side by side, so that one that is slow or dead holds up nobody and spoils
 * nothing, and writes one report of all.
 * @returns the exit code of all of them together
 * @throws DaprMtlsError `cluster.kubeconfig`, `usage.invalid`
 */
export async function lookAtSeveral(
  command: Observation['command'],
  flags: SeveralFlags,
  { env, streams }: { readonly env: NodeJS.ProcessEnv; readonly streams: Streams },
  look: LookAtOne,
): Promise<number> {
  const outcomes = await lookAtEach(`dapr-mtls ${command}`, flags, env, look);
  const report = reportClusters(command, outcomes, flags['warn-before'] ?? defaultWarnBeforeMs);
  const exitCode = exitCodeOfClusters(report);
  const output = { ...flags, output: flags.output };
  const render = (all: ClustersReport, terminal: Terminal) => renderClusters(all, terminal, streams.aim);
  return await emitJudged<ClustersReport>(report, output, { streams, render, exitCode });
}

/** What was found in one of them, or why nothing was. */
export type OutcomeOfOne<Report> =
  | { readonly context: string; readonly exitCode: number; readonly report: Report }
  | { readonly context: string; readonly exitCode: number; readonly error: ClusterFailure };

/**
 * Each of the clusters that the flags name, in their order.
 * @param command as typed, for the mend of a failure
 * @throws DaprMtlsError `cluster.kubeconfig`, `usage.invalid`
 */
export async function lookAtEach<Report>(
  command: string,
  flags: ClustersFlags & { readonly kubeconfig: string | undefined; readonly quiet: boolean },
  env: NodeJS.ProcessEnv,
  look: (context: string) => Promise<{ readonly report: Report; readonly exitCode: number }>,
): Promise<OutcomeOfOne<Report>[]> {
  const contexts = await chooseContexts(flags, env);
  const progress = showProgress(contexts.length, flags.quiet);
  const limit = pLimit(atATime);
  const outcomes = await Promise.all(
    contexts.map((context) =>
      limit(async () => {
        const outcome = await tryToLook({ context, kubeconfig: flags.kubeconfig }, look, command);
        progress.answered();
        return outcome;
      }),
    ),
  );
  progress.close();
  return outcomes;
}

async function tryToLook<Report>(
  aim: Aim & { readonly context: string },
  look: (context: string) => Promise<{ readonly report: Report; readonly exitCode: number }>,
  command: string,
): Promise<OutcomeOfOne<Report>> {
  const { context } = aim;
  try {
    const { report, exitCode } = await look(context);
    return { context, report: aimDocument(report, aim), exitCode };
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    const { code, message, hint, exitCode } = describeFailure(error, command);
    return { context, exitCode, error: aimDocument({ code, message, hint }, aim) };
  }
}

/** As they were named, each once; else all that there are. */
async function chooseContexts(
  { contexts: named, kubeconfig }: Pick<SeveralFlags, 'contexts' | 'kubeconfig'>,
  env: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  const surroundings = {
    env,
    homeDir: homedir(),
    serviceAccountDir: '',
    now: () => new Date(),
    isInteractive: () => false,
  };
  const { document, files } = await findKubeconfig(kubeconfig, surroundings);
  if (!document || document.contexts.size === 0) {
    throw new DaprMtlsError('cluster.kubeconfig', {
      message: `there is no context in ${files.join(', ')}`,
      hint: 'Name a kubeconfig that has some with --kubeconfig, or set KUBECONFIG.',
    });
  }
  if (named === undefined) return [...document.contexts.keys()];
  const names = [...new Set(named.split(',').map((name) => name.trim()))].filter(Boolean);
  if (names.length > 0) return names;
  throw new DaprMtlsError('usage.invalid', {
    message: '--contexts names none',
    hint: `These are there: ${[...document.contexts.keys()].join(', ')}. --all-contexts means all of them.`,
  });
}

/** One line that is overwritten, for who sits there; it is gone before the report comes. */
function showProgress(count: number, isQuiet: boolean) {
  const isShown = process.stderr.isTTY && !isQuiet;
  const clear = '\r\u001b[K';
  let done = 0;
  const show = () => isShown && process.stderr.write(`${clear}${done} of ${count} clusters have answered`);
  show();
  return {
    answered: () => {
      done += 1;
      show();
    },
    close: () => isShown && process.stderr.write(clear),
  };
}
