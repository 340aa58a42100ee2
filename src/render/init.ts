import type { InitReport } from '../app/init.ts';
import { quotePosix } from '../app/shell-quote.ts';
import { formatRfc1123 } from './instant.ts';
import { keepsakeRemarks } from './keepsakes.ts';

export function renderInit(report: InitReport): string {
  const directory = report.store.name;
  const end = report.validUntil ? formatRfc1123(new Date(report.validUntil)) : 'unknown';
  const first = {
    made: `The bundle in ${directory} is made. Its root is valid through ${end}`,
    kept: `There is a bundle in ${directory} already; it was left as it is. Its root is valid through ${end}`,
    finished: `The interrupted run was finished: the bundle in ${directory} is made. Its root is valid through ${end}`,
  }[report.outcome];
  return `${first}\n\n${commandLines(report).join('\n')}\n`;
}

/**
 * Sentry does not start without --config, and a daprd that is not told the trust domain of the
 * control plane hangs at "Fetching initial identity" (both seen on 1.17).
 */
function commandLines({ store, configuration, trustDomain }: InitReport): string[] {
  const directory = quotePosix(store.name);
  return [
    'Start Sentry:',
    `  sentry --issuer-credentials ${directory} --trust-domain ${trustDomain} --config ${quotePosix(configuration)}`,
    '',
    'Start a sidecar:',
    `  eval "$(dapr-mtls env --dir ${directory})"`,
    '  daprd --app-id myapp --enable-mtls --sentry-address localhost:50001 \\',
    `    --control-plane-trust-domain ${trustDomain} --control-plane-namespace default \\`,
    `    --config ${quotePosix(configuration)}`,
  ];
}

export function initRemarks(report: InitReport): string[] {
  return [...report.remarks, ...keepsakeRemarks('The former bundle', report)];
}
