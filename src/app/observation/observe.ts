import type { AuditReport } from '../audit/report.ts';
import type { CheckReport } from '../check/check.ts';
import type { ExpiryReport } from '../expiry.ts';
import type { StatusReport } from '../status/report.ts';
import type { Observation } from './observation.ts';
import { observeAudit } from './observe-audit.ts';
import { observeCheck } from './observe-check.ts';
import { observeExpiry } from './observe-expiry.ts';
import { observeStatus } from './observe-status.ts';

export type JudgedReport = ExpiryReport | CheckReport | AuditReport | StatusReport;

/** @param warnBeforeMs from when on an end was worth a warning */
export function observe(report: JudgedReport, warnBeforeMs: number): Observation {
  switch (report.kind) {
    case 'Expiry':
      return observeExpiry(report, warnBeforeMs);
    case 'Check':
      return observeCheck(report);
    case 'Audit':
      return observeAudit(report);
    case 'Status':
      return observeStatus(report);
  }
}
