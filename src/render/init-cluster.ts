import type { InitClusterReport } from '../app/init-cluster/report.ts';
import { formatRfc1123 } from './instant.ts';
import { columns } from './text.ts';

/** What was laid, until when it holds, the official CLI's sentence where the chart is there, and what to type next. */
export function renderInitCluster(report: InitClusterReport): string {
  const { cluster, objects, validUntil, outcome, next } = report;
  const what = { made: 'A new trust bundle is', own: 'Your trust bundle is', kept: 'The trust bundle was' };
  const where = `laid in namespace ${cluster.namespace}`;
  const end = `Its root is valid through ${formatRfc1123(new Date(validUntil))}`;
  const lines = [
    `${what[report.bundle]} ${where}. ${end}`,
    ...columns(objects.map(({ kind, name, action }) => [`  ${kind}`, name, action])),
    '',
    ...(outcome === 'installed'
      ? [successLine(cluster.namespace), '', `Next: ${next}`]
      : ['Next, install the chart, which takes both over as they are:', `  ${next}`]),
  ];
  return `${lines.join('\n')}\n`;
}

/** Byte for byte the official CLI's (cmd/init.go), odd quote included. */
function successLine(namespace: string): string {
  return `Success! Dapr has been installed to namespace ${namespace}. To verify, run \`dapr status -k' in your terminal. To get started, go here: https://docs.dapr.io/getting-started`;
}
