import type { Finding } from '../../pki/rules/finding.ts';
import type { StoreLocation } from '../../store/port.ts';
import {
  type CertificateReport,
  type Document,
  describeStore,
  document,
  formatInstant,
  type StoreReport,
} from '../report.ts';
import type { Change } from './changes.ts';
import { type Picture, reportCertificates } from './picture.ts';
import type { SidecarSight } from './ports.ts';
import { keyOf, type Warning } from './warnings.ts';

/** Why a look has failed. */
export interface LookFailure {
  readonly code: string;
  readonly message: string;
  /** The mend. */
  readonly hint: string;
}

/** What the commands of a watch get on their standard input. */
export interface WatchReport extends Document<'Watch'> {
  readonly at: string;
  readonly event: 'change' | 'warning';
  readonly store: StoreReport;
  /** What is told now. */
  readonly changes: readonly Change[];
  readonly warnings: readonly Omit<Warning, 'isHourly'>[];
  /** Why the last look failed; what is below is what was seen before. */
  readonly failure: LookFailure | null;
  /** As the last look has found them. */
  readonly certificates: readonly CertificateReport[];
  readonly sidecars: SidecarSight | null;
  readonly findings: readonly Finding[];
  readonly unread: readonly string[];
}

interface Told {
  readonly event: WatchReport['event'];
  readonly changes: readonly Change[];
  readonly warnings: readonly Warning[];
}

export function reportWatch(
  { event, changes, warnings }: Told,
  location: StoreLocation,
  picture: Picture | undefined,
  failure: LookFailure | undefined,
  at: Date,
): WatchReport {
  return document('Watch', {
    at: formatInstant(at),
    event,
    store: describeStore(location, { state: picture?.state ?? 'unknown' }),
    changes,
    warnings: warnings.map(({ isHourly: _, ...warning }) => warning),
    failure: failure ?? null,
    certificates: picture ? reportCertificates(picture, at) : [],
    sidecars: picture?.sidecars ?? null,
    findings: picture?.findings ?? [],
    unread: picture?.unread ?? [],
  });
}

/** Two reports as one: all that either tells, and what the later one has seen. */
export function mergeReports(earlier: WatchReport, later: WatchReport): WatchReport {
  const repeated = new Set(later.warnings.map(keyOf));
  return {
    ...later,
    changes: [...earlier.changes, ...later.changes],
    warnings: [...earlier.warnings.filter((warning) => !repeated.has(keyOf(warning))), ...later.warnings],
  };
}
