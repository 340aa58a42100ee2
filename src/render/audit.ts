import { explainState, mendOfSidecars, troubleOf } from '../app/audit/mend.ts';
import type { AuditReport, WorkloadAudit } from '../app/audit/report.ts';
import {
  type Colour,
  count,
  fitColumns,
  foldColumns,
  painter,
  printable,
  shortName,
  type Terminal,
  widthOf,
  wrap,
} from './text.ts';

type State = WorkloadAudit['state'];

const colours: Record<State, Colour> = { broken: 'red', stale: 'yellow', unknown: 'yellow', current: 'green' };

/** The counts, each workload that is not current, who holds which anchor, and the mend. */
export function renderAudit(report: AuditReport, terminal: Terminal): string {
  const { against, totals, workloads } = report;
  const behind = workloads.filter(({ state }) => state !== 'current');
  const paint = painter(terminal.colour);
  const emphasize = (line: string) => line.replace('Mend:', paint('bold', 'Mend:'));
  const parts = [
    [describeTotals(totals)],
    behind.length > 0 ? renderWorkloads(behind, terminal) : [],
    renderAnchors(report, terminal),
    behind.length > 0 || troubleOf(against) ? wrap(describeMend(report), widthOf(terminal)).map(emphasize) : [],
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

function describeTotals({ sidecars, workloads, ...counts }: AuditReport['totals']): string {
  if (sidecars === 0) return 'No sidecars';
  const states = (['current', 'stale', 'broken', 'unknown'] as const)
    .filter((state) => state === 'current' || counts[state] > 0)
    .map((state) => `${counts[state]} ${state}`);
  return `${count(sidecars, 'sidecar')} in ${count(workloads, 'workload')}: ${states.join(', ')}`;
}

function renderWorkloads(workloads: readonly WorkloadAudit[], terminal: Terminal): string[] {
  const header = ['STATE', 'SIDECARS', 'NAMESPACE', 'WORKLOAD', 'WHY'];
  const rows = workloads.map((workload) => [
    workload.state,
    `${workload[workload.state]} of ${workload.sidecars}`,
    printable(workload.namespace),
    printable(`${workload.kind}/${workload.name}`),
    printable(explainState(workload)),
  ]);
  const paint = painter(terminal.colour);
  return foldColumns([header, ...rows], widthOf(terminal)).map((line, index) => {
    const state = workloads[index - 1]?.state;
    return state ? line.replace(state, paint(colours[state], state)) : paint('bold', line);
  });
}

function renderAnchors({ against, totals }: AuditReport, terminal: Terminal): string[] {
  const header = ['ANCHOR', 'HELD BY', 'EXPIRY DATE', 'FINGERPRINT', 'NAME'];
  const rows = against.anchors.map(({ role, needed, heldBy, notAfter, fingerprint, subject }) => [
    role === 'root' || !needed ? role : 'needed',
    `${heldBy} of ${totals.sidecars}`,
    notAfter,
    fingerprint.slice(0, 16),
    shortName(subject),
  ]);
  const [first = '', ...others] = fitColumns([header, ...rows], widthOf(terminal));
  return [painter(terminal.colour)('bold', first), ...others];
}

function describeMend(report: AuditReport): string {
  const { totals, scope } = report;
  const state = totals.broken > 0 ? 'broken' : totals.stale > 0 ? 'stale' : 'unknown';
  return `Mend: ${printable(mendOfSidecars(report, state, scope.namespace))}`;
}
