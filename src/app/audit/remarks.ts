import { clusterRemark } from '../cluster-report.ts';
import { troubleOf } from './mend.ts';
import type { AuditReport } from './report.ts';

/** What must be said also to who asks for silence: the counts alone do not tell it. */
export function auditWarnings({ against }: Pick<AuditReport, 'against'>): string[] {
  const trouble = troubleOf(against);
  return trouble ? [`Warning: ${trouble.message}`] : [];
}

/** What a person should know beside the counts, for standard error. */
export function auditRemarks({ cluster, against, scope, totals }: AuditReport): string[] {
  const remarks = [clusterRemark(cluster), `Held against: ${against.name}`];
  if (against.issuer === null) {
    const reason = against.issuerUnread === undefined ? '' : ` (${against.issuerUnread})`;
    remarks.push(`The issuer is not known${reason}, so every valid anchor counts as needed`);
  }
  if (totals.sidecars === 0) {
    const where = scope.namespace === null ? 'in any namespace' : `in namespace ${scope.namespace}`;
    remarks.push(
      scope.pods === 'labelled'
        ? `No pod ${where} bears the injector's label; --all-pods looks into every pod`
        : `No pod ${where} has a daprd`,
    );
  }
  return remarks;
}
