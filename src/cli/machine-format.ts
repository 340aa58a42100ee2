import type { ClustersReport } from '../app/clusters/report.ts';
import { type JudgedReport, observe } from '../app/observation/observe.ts';
import { observeClusters } from '../app/observation/observe-clusters.ts';
import { type Aim, aimDocument } from '../render/aim-advice.ts';
import { renderGithub } from '../render/machine/github.ts';
import { renderJunit } from '../render/machine/junit.ts';
import { renderNagios } from '../render/machine/nagios.ts';
import { renderPrometheus } from '../render/machine/prometheus.ts';
import { renderSarif } from '../render/machine/sarif.ts';
import type { MachineFormat } from './judged-output.ts';

declare const DAPR_MTLS_VERSION: string;

/** A report in a format of other programs, its advice aimed; nagios has exit codes of its own. */
export async function describeForMachine(
  report: JudgedReport | ClustersReport,
  format: MachineFormat,
  warnBeforeMs: number,
  aim: Aim,
): Promise<{ readonly text: string; readonly exitCode?: number }> {
  const observeAt = (one: JudgedReport, where: Aim) => aimDocument(observe(one, warnBeforeMs), where);
  const observation =
    report.kind === 'Clusters'
      ? observeClusters(report, (one, context) => observeAt(one, { ...aim, context }))
      : observeAt(report, aim);
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
