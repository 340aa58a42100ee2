import { type FindingCode, findingTable, type Severity } from '../../pki/rules/finding.ts';
import { commonMetrics, type Metric } from '../observation/observation.ts';
import { countSidecars } from '../observation/observe-audit.ts';
import { describeValidity } from '../observation/observe-expiry.ts';
import { type CertificateReport, formatInstant } from '../report.ts';
import { reportCertificates } from './picture.ts';
import type { WatchState } from './watch.ts';

/** What /metrics serves: as the other commands have it, and what a watch knows of itself. */
export function describeWatch(state: WatchState, at: Date, version: string): Metric[] {
  const { picture, lookedAt, leads, counts } = state;
  const certificates = picture ? reportCertificates(picture, at) : [];
  const findings = [...(picture?.findings ?? []), ...certificates.flatMap(judgeEnd)];
  return [
    ...(picture ? describeValidity(certificates) : []),
    ...(picture?.sidecars ? countSidecars(picture.sidecars.totals) : []),
    ...(lookedAt ? commonMetrics('watch', formatInstant(lookedAt.at), findings) : []),
    single('dapr_mtls_watch_leader', 'Whether this replica tells of changes and warnings: 1, else 0.', leads ? 1 : 0),
    count('dapr_mtls_watch_changes_total', 'Changes that were seen.', counts.changes),
    count('dapr_mtls_watch_warnings_total', 'Warnings that were told, each hour anew.', counts.warnings),
    count('dapr_mtls_watch_failed_reads_total', 'Looks that failed.', counts.failedReads),
    {
      name: 'dapr_mtls_build_info',
      help: 'The version of dapr-mtls; always 1.',
      samples: [{ labels: { version }, value: 1 }],
    },
  ];
}

/** As the rules of `dapr-mtls check` call it, by the thresholds of the watch. */
function judgeEnd({ role, status }: CertificateReport): { code: FindingCode; severity: Severity }[] {
  if (role !== 'root' && role !== 'issuer' && role !== 'anchor') return [];
  if (status !== 'expired' && status !== 'expiring') return [];
  const code = `${role}.${status === 'expired' ? 'expired' : 'expires-soon'}` as const;
  return [{ code, severity: findingTable[code][0] }];
}

function single(name: string, help: string, value: number): Metric {
  return { name, help, samples: [{ labels: {}, value }] };
}

function count(name: string, help: string, value: number): Metric {
  return { ...single(name, help, value), type: 'counter' };
}
