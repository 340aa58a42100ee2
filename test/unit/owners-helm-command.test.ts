import { describe, expect, test } from 'vitest';
import { exportByHand, type UpgradeRequest, upgradeArguments, upgradeByHand } from '../../src/cli/helm/request.ts';
import { withoutSecrets } from '../../src/cli/helm/run-helm.ts';
import { DaprMtlsError } from '../../src/errors.ts';
import { makeBundle } from '../support/bundles.ts';

const request: UpgradeRequest = {
  release: {
    name: 'dapr',
    namespace: 'dapr-system',
    chart: { name: 'dapr', version: '1.17.13' },
    valuesPath: ['dapr_sentry', 'tls'],
  },
  chart: undefined,
  kubeconfig: undefined,
  context: undefined,
};
const tail = ['--namespace', 'dapr-system', '--version', '1.17.13', '--reuse-values', '--values', '-'];

describe('the command line of helm', () => {
  test.each<[string, Partial<UpgradeRequest>, NodeJS.ProcessEnv, string[]]>([
    ["Dapr's own chart", {}, {}, ['dapr', '--repo', 'https://dapr.github.io/helm-charts', ...tail]],
    [
      'from a repository of ours',
      {},
      { DAPR_HELM_REPO_URL: 'https://charts.example' },
      ['dapr', '--repo', 'https://charts.example', ...tail],
    ],
    [
      'from a registry',
      {},
      { DAPR_HELM_REPO_URL: 'oci://charts.example/dapr/' },
      ['oci://charts.example/dapr/dapr', ...tail],
    ],
    ['by reference', { chart: 'mine/dapr' }, {}, ['mine/dapr', ...tail]],
    [
      'of a folder, which has its own version',
      { chart: 'test' },
      {},
      ['test', '--namespace', 'dapr-system', '--reuse-values', '--values', '-'],
    ],
    [
      'in the cluster that was named',
      { chart: 'mine/dapr', kubeconfig: '/etc/kube.yaml', context: 'prod' },
      {},
      [
        'mine/dapr',
        ...tail.slice(0, -2),
        ...['--kubeconfig', '/etc/kube.yaml', '--kube-context', 'prod', '--values', '-'],
      ],
    ],
  ])('%s', (_, wishes, env, expected) => {
    expect(upgradeArguments({ ...request, ...wishes }, env)).toEqual(['upgrade', 'dapr', ...expected]);
  });

  test("needs the chart's name where the release was made from another than Dapr's", () => {
    const release = { ...request.release, chart: { name: 'platform', version: '2.0.0' } };
    expect(refusalOf(() => upgradeArguments({ ...request, release }, {}))).toMatch(/--helm-chart/);
    expect(upgradeArguments({ ...request, release, chart: 'mine/platform' }, {})).toContain('mine/platform');
  });

  test('takes no password: helm would have it on its command line', () => {
    const env = { DAPR_HELM_REPO_USERNAME: 'me', DAPR_HELM_REPO_PASSWORD: 'secret' };
    const hint = refusalOf(() => upgradeArguments(request, env));
    expect(hint).toContain('--password-stdin');
    expect(hint).not.toContain('secret');
    expect(upgradeArguments({ ...request, chart: 'mine/dapr' }, env)).toContain('mine/dapr');
  });

  test('by hand takes the files of an export, quoted for a shell', () => {
    const wishes = { ...request, context: 'my prod' };
    expect(upgradeByHand(wishes, {}, 'certs')).toBe(
      "helm upgrade dapr dapr --repo https://dapr.github.io/helm-charts --namespace dapr-system --version 1.17.13 --reuse-values --kube-context 'my prod' --set-file dapr_sentry.tls.root.certPEM=certs/ca.crt --set-file dapr_sentry.tls.issuer.certPEM=certs/issuer.crt --set-file dapr_sentry.tls.issuer.keyPEM=certs/issuer.key",
    );
    expect(exportByHand(wishes, 'certs')).toBe(
      "dapr-mtls export -k --out certs --namespace dapr-system --context 'my prod'",
    );
  });

  function refusalOf(run: () => unknown): string {
    try {
      run();
    } catch (error) {
      if (error instanceof DaprMtlsError && error.code === 'usage.invalid') return error.hint;
      throw error;
    }
    throw new Error('it was not refused');
  }
});

describe('what helm says', () => {
  test('is passed on without what may be a key', async () => {
    const { files } = await makeBundle();
    const key = files.issuerKey.toString();
    const quotes = [
      key,
      files.issuerKey.toString('base64'),
      JSON.stringify(key),
      key.slice(0, -30),
      key.split('\n')[1] ?? '',
    ];
    for (const quote of quotes) {
      const said = withoutSecrets(`Error: UPGRADE FAILED: Secret "x" is invalid: ${quote}`);
      expect(said).toMatch(/^Error: UPGRADE FAILED: Secret "x" is invalid: "?\(/);
      for (const line of key.split('\n').filter((line) => !line.startsWith('-----') && line.length > 20)) {
        expect(said).not.toContain(line);
        expect(said).not.toContain(line.slice(0, 20));
      }
    }
  });

  test('stays readable, and short', () => {
    const said = 'Error: UPGRADE FAILED: "dapr" has no deployed releases';
    expect(withoutSecrets(said)).toBe(said);
    expect(withoutSecrets('no '.repeat(10_000))).toHaveLength(2000);
  });
});
