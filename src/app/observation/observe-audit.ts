import type { Severity } from '../../pki/rules/finding.ts';
import { explainState, mendOfSidecars, troubleOf } from '../audit/mend.ts';
import type { AuditReport, Counts, WorkloadAudit } from '../audit/report.ts';
import { clusterRemark } from '../cluster-report.ts';
import { count } from '../count.ts';
import {
  commonMetrics,
  countFigures,
  findingsOf,
  type Metric,
  type Observation,
  type ObservedCheck,
} from './observation.ts';

const severities: Record<Exclude<WorkloadAudit['state'], 'current'>, Severity> = {
  broken: 'error',
  stale: 'warning',
  unknown: 'warning',
};
const states = ['current', 'stale', 'broken', 'unknown'] as const;

/** Each workload is a check of its own; the metrics count sidecars and name none of them. */
export function observeAudit(report: AuditReport): Observation {
  const { cluster, at, against, totals, workloads } = report;
  const trouble = troubleOf(against);
  const bundle: ObservedCheck = { name: `bundle ${against.name}`, findings: trouble ? [trouble] : [] };
  const checks = [bundle, ...workloads.map((workload) => judge(workload, report))];
  return {
    command: 'audit',
    place: clusterRemark(cluster),
    at,
    verdict: tell(report),
    checks,
    metrics: [...countSidecars(totals), ...commonMetrics('audit', at, findingsOf({ checks }))],
    performance: countFigures(states, totals, { warn: ['stale', 'unknown'], critical: 'broken' }),
  };
}

export function countSidecars(totals: Counts): Metric[] {
  return [
    {
      name: 'dapr_mtls_sidecars',
      help: 'Sidecars by whether they hold the anchors that they need.',
      samples: states.map((state) => ({ labels: { state }, value: totals[state] })),
    },
    {
      name: 'dapr_mtls_stale_sidecars',
      help: 'Sidecars that lack the anchor whose key signed the issuer in use, broken ones included.',
      samples: [{ labels: {}, value: totals.stale + totals.broken }],
    },
  ];
}

/** The counts do not tell of the bundle, and where there are no sidecars they look well. */
function tell({ against, totals }: AuditReport): string {
  const counts = states.map((state) => `${totals[state]} ${state}`).join(', ');
  return `${beginningOf(against)}${count(totals.sidecars, 'sidecar')}: ${counts}`;
}

function beginningOf({ problem, conflict }: AuditReport['against']): string {
  if (problem !== null) return 'nobody verifies the bundle; ';
  return conflict === undefined ? '' : 'the bundle is not one; ';
}

function judge(workload: WorkloadAudit, report: AuditReport): ObservedCheck {
  const { namespace, kind, name, state, sidecars } = workload;
  const subject = `${namespace}/${kind}/${name}`;
  if (state === 'current') return { name: subject, findings: [] };
  const verb = workload[state] === 1 ? 'is' : 'are';
  const finding = {
    code: `sidecar.${state}`,
    severity: severities[state],
    subject,
    message: `${workload[state]} of ${count(sidecars, 'sidecar')} ${verb} ${state}: ${explainState(workload)}`,
    hint: mendOfSidecars(report, state, namespace),
  };
  return { name: subject, findings: [finding] };
}
