import { existsSync } from 'node:fs';
import { quotePosix } from '../../app/shell-quote.ts';
import { DaprMtlsError } from '../../errors.ts';
import type { HelmRelease } from '../../kube/owners/facts.ts';
import { daprChart } from './dapr-chart.ts';

/** The release to upgrade, and the way to it. */
export interface UpgradeRequest {
  readonly release: Pick<HelmRelease, 'name' | 'namespace' | 'chart' | 'valuesPath'>;
  /** `--helm-chart`: a reference, an archive or a folder; undefined for Dapr's own. */
  readonly chart: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
}

/**
 * The words after `helm`. The values come on standard input, so that no key stands on a command line
 * or in a file.
 * @throws DaprMtlsError `usage.invalid` where the chart has to be named
 */
export function upgradeArguments(request: UpgradeRequest, env: NodeJS.ProcessEnv): string[] {
  return [...upgradeWords(request, env), '--values', '-'];
}

/** The same as people would type it, with the files of `dapr-mtls export` as its values. */
export function upgradeByHand(request: UpgradeRequest, env: NodeJS.ProcessEnv, folder: string): string {
  const { valuesPath } = request.release;
  const set = (value: string, file: string) => ['--set-file', `${[...valuesPath, value].join('.')}=${folder}/${file}`];
  const words = [
    ...upgradeWords(request, env),
    ...set('root.certPEM', 'ca.crt'),
    ...set('issuer.certPEM', 'issuer.crt'),
    ...set('issuer.keyPEM', 'issuer.key'),
  ];
  return ['helm', ...words].map(quotePosix).join(' ');
}

/** What makes that folder. */
export function exportByHand({ release, kubeconfig, context }: UpgradeRequest, folder: string): string {
  const words = [
    ...['export', '-k', '--out', folder, '--namespace', release.namespace],
    ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
    ...(context === undefined ? [] : ['--context', context]),
  ];
  return ['dapr-mtls', ...words].map(quotePosix).join(' ');
}

function upgradeWords({ release, chart, kubeconfig, context }: UpgradeRequest, env: NodeJS.ProcessEnv): string[] {
  const isLocal = chart !== undefined && existsSync(chart);
  return [
    'upgrade',
    release.name,
    ...(chart === undefined ? chartOf(release, env) : [chart]),
    ...['--namespace', release.namespace],
    ...(isLocal ? [] : ['--version', release.chart.version]),
    '--reuse-values',
    ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
    ...(context === undefined ? [] : ['--kube-context', context]),
  ];
}

/** @throws DaprMtlsError `usage.invalid` for a release of another chart */
function chartOf({ chart }: UpgradeRequest['release'], env: NodeJS.ProcessEnv): string[] {
  if (chart.name === 'dapr') return daprChart(env);
  throw new DaprMtlsError('usage.invalid', {
    message: `the release was made from the chart ${chart.name} ${chart.version}, which is not Dapr's own`,
    hint: 'Name it with --helm-chart: a reference, an archive or a folder.',
  });
}
