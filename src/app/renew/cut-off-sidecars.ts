import type { AuditReport, WorkloadAudit } from '../audit/report.ts';
import { count } from '../count.ts';

const named = 5;

/** Who is left behind by a bundle that old anchors do not verify, and the way that leaves nobody; undefined where nobody is. */
export function describeCutOff({ totals, workloads }: Pick<AuditReport, 'totals' | 'workloads'>): string | undefined {
  const broken = workloads.filter(({ broken }) => broken > 0);
  if (broken.length === 0) return undefined;
  const list = broken.slice(0, named).map(nameOf).join(', ');
  const more = broken.length > named ? ` and ${broken.length - named} more` : '';
  return `${count(totals.broken, 'sidecar')} of ${count(broken.length, 'workload')} will not verify the new issuer's certificates until their pods are re-created: ${list}${more}. \`dapr-mtls rotate run -k\` leaves nobody behind`;
}

function nameOf({ namespace, kind, name, broken }: WorkloadAudit): string {
  return `${namespace}/${kind}/${name} (${broken})`;
}
