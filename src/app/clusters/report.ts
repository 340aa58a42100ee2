import { type Observation, worstSeverity } from '../observation/observation.ts';
import { type JudgedReport, observe } from '../observation/observe.ts';
import { type Document, document } from '../report.ts';

/** What one command found in several clusters. */
export interface ClustersReport extends Document<'Clusters'> {
  readonly command: Observation['command'];
  /** The worst first. */
  readonly clusters: readonly ClusterResult[];
  readonly summary: { readonly well: number; readonly findings: number; readonly failed: number };
}

export interface ClusterResult {
  readonly context: string;
  /** What the command would have ended with for this cluster alone. */
  readonly exitCode: number;
  /** error: it was looked at and is broken; failed: it could not be looked at. */
  readonly result: 'well' | 'warning' | 'error' | 'failed';
  /** All of it in a few words. */
  readonly verdict: string;
  readonly report: JudgedReport | null;
  readonly error: ClusterFailure | null;
}

export interface ClusterFailure {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** What became of one of them. */
export type ClusterOutcome =
  | { readonly context: string; readonly exitCode: number; readonly report: JudgedReport }
  | { readonly context: string; readonly exitCode: number; readonly error: ClusterFailure };

export function reportClusters(
  command: Observation['command'],
  outcomes: readonly ClusterOutcome[],
  warnBeforeMs: number,
): ClustersReport {
  const clusters = outcomes.map((outcome) => describe(outcome, warnBeforeMs)).sort(byGravity);
  const count = (...results: ClusterResult['result'][]) =>
    clusters.filter(({ result }) => results.includes(result)).length;
  return document('Clusters', {
    command,
    clusters,
    summary: { well: count('well'), findings: count('warning', 'error'), failed: count('failed') },
  });
}

function describe(outcome: ClusterOutcome, warnBeforeMs: number): ClusterResult {
  const { context, exitCode } = outcome;
  if ('error' in outcome) {
    const { error } = outcome;
    return { context, exitCode, result: 'failed', verdict: error.message, report: null, error };
  }
  const { report } = outcome;
  const observation = observe(report, warnBeforeMs);
  const worst = worstSeverity(observation);
  const result = worst === 'error' || worst === 'warning' ? worst : 'well';
  return { context, exitCode, result, verdict: observation.verdict, report, error: null };
}

/** Who could not be looked at may be as bad as any; then by how bad, then by name. */
const gravity: readonly ClusterResult['result'][] = ['failed', 'error', 'warning', 'well'];

type Ranked = Pick<ClusterResult, 'context' | 'result' | 'exitCode'>;

export function byGravity(one: Ranked, other: Ranked): number {
  const byResult = gravity.indexOf(one.result) - gravity.indexOf(other.result);
  if (byResult !== 0) return byResult;
  const byCode = rankOf(one.exitCode) - rankOf(other.exitCode);
  return byCode !== 0 ? byCode : one.context < other.context ? -1 : 1;
}

/** A defect here, no way in, refused material, no store, findings: the first that is present decides. */
const order = [1, 3, 4, 5, 10];

function rankOf(exitCode: number): number {
  const place = order.indexOf(exitCode);
  if (place >= 0) return place;
  return exitCode === 0 ? order.length + 1 : order.length;
}

/** The exit code of all of them together. */
export function exitCodeOfClusters({
  clusters,
}: {
  readonly clusters: readonly Pick<ClusterResult, 'exitCode'>[];
}): number {
  return clusters.map(({ exitCode }) => exitCode).sort((a, b) => rankOf(a) - rankOf(b))[0] ?? 0;
}
