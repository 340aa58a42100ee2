import type { Severity } from '../../pki/rules/finding.ts';
import type { StoreReport } from '../report.ts';

/** A report as machines that watch want it: what was looked at, what was found, and figures. */
export interface Observation {
  readonly command: 'expiry' | 'check' | 'audit' | 'status' | 'watch';
  /** What was looked at, as people name it. */
  readonly place: string;
  /** RFC 3339. */
  readonly at: string;
  /** All of it in a few words. */
  readonly verdict: string;
  readonly checks: readonly ObservedCheck[];
  readonly metrics: readonly Metric[];
  readonly performance: readonly PerformanceFigure[];
}

/** One thing that was looked at; well where nothing was found. */
export interface ObservedCheck {
  readonly name: string;
  readonly findings: readonly ObservedFinding[];
  /** What is found is that nobody could look: how it is, nobody knows. */
  readonly isUnread?: boolean;
}

export interface ObservedFinding {
  readonly code: string;
  readonly severity: Severity;
  readonly subject: string;
  readonly message: string;
  /** The mend. */
  readonly hint: string;
}

/** Named by Prometheus' rules. No label takes more values than there are certificates or codes. */
export interface Metric {
  readonly name: string;
  /** A gauge where it is left out. */
  readonly type?: 'counter';
  readonly help: string;
  readonly samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

/** A figure of a monitoring plugin, with ranges as its guidelines write them. */
export interface PerformanceFigure {
  readonly label: string;
  readonly value: number;
  readonly unit: '' | 's';
  readonly warn: string;
  readonly critical: string;
}

export function findingsOf({ checks }: Pick<Observation, 'checks'>): readonly ObservedFinding[] {
  return checks.flatMap(({ findings }) => findings);
}

export function worstSeverity(observation: Pick<Observation, 'checks'>): Severity | undefined {
  const found = new Set(findingsOf(observation).map(({ severity }) => severity));
  return (['error', 'warning', 'info'] as const).find((severity) => found.has(severity));
}

export function nameStore({ kind, name }: StoreReport): string {
  return `${kind} ${name}`;
}

/**
 * What every observation tells: how many findings of which kind, and that it was made at all. The
 * command is a label, so that files of several commands may lie side by side for one collector.
 */
export function commonMetrics(
  command: Observation['command'],
  at: string,
  findings: readonly Pick<ObservedFinding, 'severity' | 'code'>[],
): Metric[] {
  const counts = new Map<string, { labels: Record<string, string>; value: number }>();
  for (const { severity, code } of findings) {
    const key = `${severity} ${code}`;
    const counted = counts.get(key);
    counts.set(key, { labels: { command, severity, code }, value: (counted?.value ?? 0) + 1 });
  }
  return [
    {
      name: 'dapr_mtls_findings',
      help: 'Findings about the trust bundle and who lives by it, by severity and code.',
      samples: [...counts.values()],
    },
    {
      name: 'dapr_mtls_last_successful_read_timestamp_seconds',
      help: 'When all that is told here was read, in seconds since 1970.',
      samples: [{ labels: { command }, value: secondsOf(at) }],
    },
  ];
}

/** Counts as figures; of some the first one is a warning, of one, where there is such, it is critical. */
export function countFigures<Label extends string>(
  labels: readonly Label[],
  counts: Readonly<Record<Label, number>>,
  { warn, critical }: { readonly warn: readonly Label[]; readonly critical?: Label },
): PerformanceFigure[] {
  return labels.map((label) => ({
    label,
    value: counts[label],
    unit: '',
    warn: warn.includes(label) ? '0' : '',
    critical: label === critical ? '0' : '',
  }));
}

/** @param instant RFC 3339; in seconds since 1970 */
export function secondsOf(instant: string): number {
  return Date.parse(instant) / 1000;
}
