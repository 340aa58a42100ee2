import type { RestartReport, WorkloadReport } from '../app/restart/report.ts';
import { foldColumns, printable } from './text.ts';

/** Upstream's sentence for the control plane; a table of what a dry run found. */
export function renderRestart(
  report: RestartReport,
  { isTty, columns }: { readonly isTty: boolean; readonly columns: number },
): string {
  // Who searches in a pipe wants lines whole.
  if (report.outcome === 'dry-run') return renderPlan(report, isTty ? columns : Number.POSITIVE_INFINITY);
  const left = report.workloads.filter(({ action }) => action !== 'restarted');
  return `${sentence(report)}\n${renderLeft(left, 'skipped', 'Left as they are:')}${renderLeft(left, 'by-hand', 'Not restarted, these need a hand:')}`;
}

function sentence({ scope, outcome, workloads }: RestartReport): string {
  if (scope === 'control-plane') return 'All control plane services have restarted successfully!';
  if (outcome === 'nothing') return 'There is no workload with a sidecar that could be restarted.';
  const count = workloads.filter(({ action }) => action === 'restarted').length;
  return count === 1 ? 'The workload has restarted.' : `All ${count} workloads have restarted.`;
}

/** Those of the control plane are no news: they were told while it went on. */
function renderLeft(left: readonly WorkloadReport[], action: WorkloadReport['action'], title: string): string {
  const lines = left
    .filter((workload) => workload.action === action && workload.pods > 0)
    .map((workload) => `  ${name(workload)} -n ${workload.namespace} (${pods(workload)}): ${workload.reason}`);
  return lines.length > 0 ? `${[title, ...lines].map(printable).join('\n')}\n` : '';
}

function renderPlan({ workloads }: RestartReport, width: number): string {
  const header = ['WORKLOAD', 'NAMESPACE', 'PODS', 'WHAT WOULD HAPPEN'];
  const rows = workloads.map((workload) => [
    name(workload),
    workload.namespace,
    String(workload.pods),
    workload.reason === null
      ? 'restart'
      : `${workload.action === 'skipped' ? 'nothing' : 'by hand'}: ${workload.reason}`,
  ]);
  return foldColumns([header, ...rows.map((row) => row.map(printable))], width)
    .concat('')
    .join('\n');
}

const shortKinds = new Map([
  ['Deployment', 'deploy'],
  ['StatefulSet', 'statefulsets'],
  ['DaemonSet', 'daemonsets'],
]);

function name({ kind, name }: WorkloadReport): string {
  return `${shortKinds.get(kind) ?? kind.toLowerCase()}/${name}`;
}

function pods({ pods }: WorkloadReport): string {
  return `${pods} pod${pods === 1 ? '' : 's'}`;
}
