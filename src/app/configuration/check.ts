import type { FindingCode } from '../../pki/rules/finding.ts';
import { type CheckReport, summarize } from '../check/check.ts';

const codes: readonly FindingCode[] = [
  'leaf.outlives-issuer',
  'leaf.skew',
  'leaf.short-lifetime',
  'validator.built-in',
  'validator.unknown',
  'validator.no-source',
  'validator.plain-http',
  'validator.external-clients',
  'store.config-inside',
  'cluster.unread',
  'config.unreadable',
];

/** Of all that was found what the settings have a part in, or what was in the way of reading them. */
export function keepConfigurationFindings(report: CheckReport): CheckReport {
  const findings = report.findings.filter(({ code }) => codes.includes(code));
  return { ...report, findings, summary: summarize(findings) };
}
