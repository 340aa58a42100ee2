import type { ClusterResult, ClustersReport } from '../app/clusters/report.ts';
import { type Colour, count, foldColumns, painter, printable, type Terminal, widthOf } from './text.ts';

const colours: Record<ClusterResult['result'], Colour> = {
  failed: 'red',
  error: 'red',
  warning: 'yellow',
  well: 'green',
};

/** A row for each cluster, the worst first, and how to look at one of them more closely. */
export function renderClusters({ command, clusters, summary }: ClustersReport, terminal: Terminal): string {
  const paint = painter(terminal.colour);
  const header = ['RESULT', 'CONTEXT', 'WHAT'];
  const rows = clusters.map(({ result, context, verdict }) => [result, printable(context), printable(verdict)]);
  const table = foldColumns([header, ...rows], widthOf(terminal)).map((line, index) => {
    const result = clusters[index - 1]?.result;
    return result ? line.replace(result, paint(colours[result], result)) : paint('bold', line);
  });
  const worst = clusters.find(({ result }) => result !== 'well');
  const counts = `${count(clusters.length, 'cluster')}: ${summary.well} well, ${summary.findings} with findings, ${summary.failed} failed`;
  const closer = worst ? `More closely: dapr-mtls ${command} --context NAME` : undefined;
  return `${[...table, '', counts, ...(closer ? [closer] : [])].join('\n')}\n`;
}
