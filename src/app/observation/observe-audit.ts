import type { Severity } from '../../pki/rules/finding.ts';
import type { AuditReport, Counts, WorkloadAudit } from '../audit/report.ts';
import { clusterRemark } from '../cluster-report.ts';
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
/** Pods that are re-created under a bundle that nobody verifies never start. */
const bundleFirst = 'The bundle comes first: `dapr-mtls check -k`.';
const states = ['current', 'stale', 'broken', 'unknown'] as const;

/** Each workload is a check of its own; the metrics count sidecars and name none of them. */
export function observeAudit({ cluster, at, against, totals, workloads }: AuditReport): Observation {
  const bundle: ObservedCheck = {
    name: `bundle ${against.name}`,
    findings:
      against.problem === null
        ? []
        : [
            {
              code: 'bundle.unverifiable',
              severity: 'error',
              subject: against.name,
              message: `nobody verifies this bundle, whatever they hold: ${against.problem}`,
              hint: bundleFirst,
            },
          ],
  };
  const checks = [bundle, ...workloads.map((workload) => judge(workload, against.problem !== null))];
  return {
    command: 'audit',
    place: clusterRemark(cluster),
    at,
    verdict: `${totals.sidecars} sidecars: ${states.map((state) => `${totals[state]} ${state}`).join(', ')}`,
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

function judge(workload: WorkloadAudit, isBundleBad: boolean): ObservedCheck {
  const { namespace, kind, name, state, reason, sidecars, ...counts } = workload;
  const subject = `${namespace}/${kind}/${name}`;
  if (state === 'current') return { name: subject, findings: [] };
  const finding = {
    code: `sidecar.${state}`,
    severity: severities[state],
    subject,
    message: `${sidecars - counts.current} of ${sidecars} sidecars are ${state}${reason === null ? '' : `: ${reason}`}`,
    hint: isBundleBad ? bundleFirst : mendOf(state, namespace),
  };
  return { name: subject, findings: [finding] };
}

function mendOf(state: WorkloadAudit['state'], namespace: string): string {
  return state === 'unknown'
    ? 'Look at these pods; their object does not tell what they hold.'
    : `Re-create them: \`dapr-mtls restart -k --apps -n ${namespace}\`.`;
}
