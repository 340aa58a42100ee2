import type { ClusterResult, ClustersReport } from '../app/clusters/report.ts';
import { type Aim, aimAdvice } from './aim-advice.ts';
import { type Colour, count, foldColumns, painter, printable, printableLines, type Terminal, widthOf } from './text.ts';

const colours: Record<ClusterResult['result'], Colour> = {
  failed: 'red',
  error: 'red',
  warning: 'yellow',
  well: 'green',
};

/**
 * A row for each cluster, the worst first; the mends of those that could not be looked at, and how to look
 * at one of the others more closely.
 * @param aim what was said of all of them
 */
export function renderClusters(
  { command, clusters, summary }: ClustersReport,
  terminal: Terminal,
  aim: Aim = {},
): string {
  const paint = painter(terminal.colour);
  const header = ['RESULT', 'CONTEXT', 'WHAT'];
  const rows = clusters.map(({ result, context, verdict }) => [result, printable(context), printable(verdict)]);
  const table = foldColumns([header, ...rows], widthOf(terminal)).map((line, index) => {
    const result = clusters[index - 1]?.result;
    return result ? line.replace(result, paint(colours[result], result)) : paint('bold', line);
  });
  const counts = `${count(clusters.length, 'cluster')}: ${summary.well} well, ${summary.findings} with findings, ${summary.failed} failed`;
  const isWorthALook = clusters.some(({ result, report }) => report && result !== 'well');
  const closer = aimAdvice(`More closely: dapr-mtls ${command} -k`, { ...aim, context: 'NAME' });
  return `${[...table, '', counts, ...tellMends(clusters), ...(isWorthALook ? [closer] : [])].join('\n')}\n`;
}

/** Each once: what is wrong with a kubeconfig is wrong with many of its contexts. */
function tellMends(clusters: readonly ClusterResult[]): string[] {
  const contextsOf = new Map<string, string[]>();
  for (const { context, error } of clusters) {
    if (error) contextsOf.set(error.hint, [...(contextsOf.get(error.hint) ?? []), printable(context)]);
  }
  return [...contextsOf].map(([hint, contexts]) => `${contexts.join(', ')}: ${printableLines(hint)}`);
}
