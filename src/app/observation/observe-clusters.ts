import type { ClusterResult, ClustersReport } from '../clusters/report.ts';
import { count } from '../count.ts';
import { countFigures, type Metric, type Observation } from './observation.ts';
import type { JudgedReport } from './observe.ts';

/**
 * Several clusters as one: each name bears its context, and each figure has it as a label.
 * @param observe the report of one of them
 */
export function observeClusters({ command, clusters, summary }: ClustersReport, observe: ObserveOne): Observation {
  const observed = clusters.map((cluster) => ({ context: cluster.context, ...observeCluster(cluster, observe) }));
  return {
    command,
    place: count(clusters.length, 'cluster'),
    at: clusters.map(({ report }) => report?.at ?? '').reduce((a, b) => (a > b ? a : b), ''),
    verdict: tell(summary),
    checks: observed.flatMap(({ context, checks }) =>
      checks.map(({ name, findings, ...check }) => ({
        ...check,
        name: `${context}: ${name}`,
        findings: findings.map((finding) => ({ ...finding, subject: `${context}: ${finding.subject}` })),
      })),
    ),
    metrics: [answered(clusters), ...mergeMetrics(observed)],
    performance: countFigures(['well', 'findings', 'failed'], summary, { warn: ['findings'] }),
  };
}

function tell({ well, findings, failed }: ClustersReport['summary']): string {
  const isOrAre = well === 1 ? 'is' : 'are';
  const hasOrHave = findings === 1 ? 'has' : 'have';
  return `${count(well, 'cluster')} ${isOrAre} well, ${findings} ${hasOrHave} findings, ${failed} could not be looked at`;
}

type ObserveOne = (report: JudgedReport, context: string) => Observation;

function observeCluster(
  { report, error, context }: ClusterResult,
  observe: ObserveOne,
): Pick<Observation, 'checks' | 'metrics'> {
  if (report) return observe(report, context);
  const { code, message, hint } = error ?? { code: 'bug', message: 'nothing was found out', hint: '' };
  const finding = { code, severity: 'error' as const, subject: 'the cluster', message, hint };
  return { checks: [{ name: 'the cluster answers', findings: [finding], isUnread: true }], metrics: [] };
}

function answered(clusters: readonly ClusterResult[]): Metric {
  return {
    name: 'dapr_mtls_cluster_read',
    help: 'Whether a cluster could be looked at: 1, else 0.',
    samples: clusters.map(({ context, report }) => ({ labels: { context }, value: report ? 1 : 0 })),
  };
}

function mergeMetrics(
  observed: readonly { readonly context: string; readonly metrics: readonly Metric[] }[],
): Metric[] {
  const merged = new Map<string, { help: string; samples: Metric['samples'][number][] }>();
  for (const { context, metrics } of observed) {
    for (const { name, help, samples } of metrics) {
      const found = merged.get(name) ?? { help, samples: [] };
      found.samples.push(...samples.map(({ labels, value }) => ({ labels: { context, ...labels }, value })));
      merged.set(name, found);
    }
  }
  return [...merged].map(([name, { help, samples }]) => ({ name, help, samples }));
}
