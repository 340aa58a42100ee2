import type { ClustersReport } from '../app/clusters/report.ts';
import { type JudgedReport, observe } from '../app/observation/observe.ts';
import { observeClusters } from '../app/observation/observe-clusters.ts';
import { renderGithub } from '../render/machine/github.ts';
import { renderJunit } from '../render/machine/junit.ts';
import { renderNagios } from '../render/machine/nagios.ts';
import { renderPrometheus } from '../render/machine/prometheus.ts';
import { renderSarif } from '../render/machine/sarif.ts';
import type { MachineFormat } from './judged-output.ts';

declare const DAPR_MTLS_VERSION: string;

/** A report in a format of other programs; nagios has exit codes of its own. */
export async function describeForMachine(
  report: JudgedReport | ClustersReport,
  format: MachineFormat,
  warnBeforeMs: number,
): Promise<{ readonly text: string; readonly exitCode?: number }> {
  const observation =
    report.kind === 'Clusters' ? observeClusters(report, warnBeforeMs) : observe(report, warnBeforeMs);
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
