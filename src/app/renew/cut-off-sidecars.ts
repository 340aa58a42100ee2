import type { AuditReport, WorkloadAudit } from '../audit/report.ts';
import { count } from '../count.ts';

const named = 5;

/**
 * Who is left behind by a bundle that old anchors do not verify, and the way that leaves nobody; undefined where nobody is.
 * @param isOldRefused whether Sentry refuses the bundle that is replaced: from there no rotation leads on, and a copy leads back
 */
export function describeCutOff(
  { totals, workloads }: Pick<AuditReport, 'totals' | 'workloads'>,
  isOldRefused: boolean,
): string | undefined {
  const broken = workloads.filter(({ broken }) => broken > 0);
  if (broken.length === 0) return undefined;
  const list = broken.slice(0, named).map(nameOf).join(', ');
  const more = broken.length > named ? ` and ${broken.length - named} more` : '';
  const way = isOldRefused
    ? 'A copy from before the damage leaves nobody behind: `dapr-mtls backup list -k`'
    : '`dapr-mtls rotate run -k` leaves nobody behind';
  return `${count(totals.broken, 'sidecar')} of ${count(broken.length, 'workload')} will not verify the new issuer's certificates until their pods are re-created: ${list}${more}. ${way}`;
}

function nameOf({ namespace, kind, name, broken }: WorkloadAudit): string {
  return `${namespace}/${kind}/${name} (${broken})`;
}
