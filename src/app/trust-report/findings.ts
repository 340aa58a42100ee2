import { mendOfSidecars, troubleOf } from '../audit/mend.ts';
import type { AuditReport, WorkloadAudit } from '../audit/report.ts';
import { count } from '../count.ts';
import type { ObservedFinding } from '../observation/observation.ts';
import type { Holding } from './holdings.ts';

const severities = ['error', 'warning', 'info'] as const;

/** The gravest first. */
export function orderFindings(findings: readonly ObservedFinding[]): ObservedFinding[] {
  const rank = ({ severity }: ObservedFinding) => severities.indexOf(severity);
  return [...findings].sort((one, other) => rank(one) - rank(other));
}

/** One finding for each state, however many workloads are in it: who they are stands with the sidecars. */
export function judgeSidecars(audit: AuditReport, holdings: readonly Holding[]): ObservedFinding[] {
  const { against, totals } = audit;
  const trouble = troubleOf(against);
  if (trouble && against.problem !== null) return [trouble];
  const behind = (['broken', 'stale', 'unknown'] as const)
    .filter((state) => totals[state] > 0)
    .map((state) => {
      const concerned = audit.workloads.filter((workload) => workload[state] > 0);
      const [reason = '', ...others] = holdings
        .filter((held) => held.state === state)
        .flatMap(({ reasons }) => reasons);
      const why = `${reason}${others.length > 0 ? `; and ${count(others.length, 'other reason')}` : ''}`;
      return {
        code: `sidecar.${state}`,
        severity: state === 'broken' ? ('error' as const) : ('warning' as const),
        subject: nameSome(concerned),
        message: `${totals[state]} of ${count(totals.sidecars, 'sidecar')}, in ${count(concerned.length, 'workload')}: ${why}`,
        hint: mendOfSidecars(audit, state, null),
      };
    });
  return trouble ? [trouble, ...behind] : behind;
}

const namesShown = 3;

function nameSome(workloads: readonly WorkloadAudit[]): string {
  const names = workloads.slice(0, namesShown).map(({ namespace, kind, name }) => `${namespace}/${kind}/${name}`);
  const rest = workloads.length - names.length;
  return `${names.join(', ')}${rest > 0 ? ` and ${count(rest, 'other')}` : ''}`;
}
