import type { AuditReport } from '../app/audit/report.ts';
import type { CheckReport } from '../app/check/check.ts';
import type { ExpiryReport } from '../app/expiry.ts';
import type { Observation } from '../app/observation/observation.ts';
import { observeAudit } from '../app/observation/observe-audit.ts';
import { observeCheck } from '../app/observation/observe-check.ts';
import { observeExpiry } from '../app/observation/observe-expiry.ts';
import { renderGithub } from '../render/machine/github.ts';
import { renderJunit } from '../render/machine/junit.ts';
import { renderNagios } from '../render/machine/nagios.ts';
import { renderPrometheus } from '../render/machine/prometheus.ts';
import { renderSarif } from '../render/machine/sarif.ts';
import type { MachineFormat } from './judged-output.ts';

declare const DAPR_MTLS_VERSION: string;

export type JudgedReport = ExpiryReport | CheckReport | AuditReport;

/** A report in a format of other programs; nagios has exit codes of its own. */
export async function describeForMachine(
  report: JudgedReport,
  format: MachineFormat,
  warnBeforeMs: number,
): Promise<{ readonly text: string; readonly exitCode?: number }> {
  const observation = observe(report, warnBeforeMs);
  switch (format) {
    case 'prometheus':
      return { text: await renderPrometheus(observation) };
    case 'nagios':
      return renderNagios(observation);
    case 'github':
      return { text: renderGithub(observation) };
    case 'junit':
      return { text: renderJunit(observation) };
    case 'sarif':
      return { text: renderSarif(observation, DAPR_MTLS_VERSION) };
  }
}

function observe(report: JudgedReport, warnBeforeMs: number): Observation {
  switch (report.kind) {
    case 'Expiry':
      return observeExpiry(report, warnBeforeMs);
    case 'Check':
      return observeCheck(report);
    case 'Audit':
      return observeAudit(report);
  }
}
