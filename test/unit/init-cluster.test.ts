import { beforeAll, describe, expect, test } from 'vitest';
import { assertClear, type Ground } from '../../src/app/init-cluster/ground.ts';
import type { InitClusterReport } from '../../src/app/init-cluster/report.ts';
import { findCommand } from '../../src/cli/find-command.ts';
import { assertNoTrustValues, chooseTrustDomain, fileNamesOf, findSetValue } from '../../src/cli/init-cluster-chart.ts';
import { noteSelfHostedFlags } from '../../src/cli/init-cluster-flags.ts';
import { aliases, commandTable } from '../../src/commands/table.ts';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { renderInitCluster } from '../../src/render/init-cluster.ts';
import { defaultNames } from '../../src/store/file-names.ts';
import { makeBundle } from '../support/bundles.ts';
import { fixtureInstant } from '../support/fixtures.ts';
import { schemaViolations } from '../support/schema.ts';

describe('which init is meant', () => {
  const find = (program: 'dapr' | 'dapr-mtls', line: string) =>
    findCommand(program, line.split(' '), Object.keys(commandTable), aliases);

  test.each([
    ['dapr-mtls', 'init', 'mtls init'],
    ['dapr-mtls', 'init --dir certs', 'mtls init'],
    ['dapr-mtls', 'mtls init --kubernetes=false', 'mtls init'],
    ['dapr-mtls', 'init -- -k', 'mtls init'],
    ['dapr-mtls', 'init -k', 'init'],
    ['dapr-mtls', 'init --wait -k', 'init'],
    ['dapr-mtls', 'init --kubernetes=true', 'init'],
    ['dapr-mtls', 'init --context prod', 'init'],
    ['dapr-mtls', 'init --kubeconfig=file', 'init'],
    ['dapr', 'init -k', 'init'],
    ['dapr', 'mtls init -k', 'init'],
    ['dapr', 'mtls init', 'mtls init'],
  ] as const)('%s %s', (program, line, id) => {
    expect(find(program, line)).toMatchObject({ kind: 'command', id });
  });

  test('has the help of its own', () => {
    expect(find('dapr-mtls', 'init --help')).toEqual({ kind: 'help', topic: 'mtls init' });
    expect(find('dapr-mtls', 'init -k --help')).toEqual({ kind: 'help', topic: 'init' });
  });
});

describe('values of the chart', () => {
  test.each([
    [['a=1'], '1'],
    [['b=2,a=1'], '1'],
    [['a=1', 'a=2'], '2'],
    [['b=x\\,a=3,a=x=y'], 'x=y'],
    [['ab=1', 'x.a=2'], undefined],
    [['a'], ''],
  ])('%j say of a: %s', (sets, value) => {
    expect(findSetValue(sets, 'a')).toBe(value);
  });

  test.each([
    ['dapr_sentry.tls.issuer.keyPEM=x'],
    ['a=1,dapr_sentry.tls.root.certPEM=x'],
    ['dapr_sentry.tls=null'],
    ['dapr_sentry={}'],
  ])('%s would bring certificates into the release', (set) => {
    expect(() => assertNoTrustValues([set])).toThrow('would store certificates in the Helm release');
  });

  test('others of Sentry are welcome', () => {
    expect(() => assertNoTrustValues(['dapr_sentry.replicaCount=2', 'x=dapr_sentry.tls'])).not.toThrow();
  });

  test('the trust domain follows the chart, and the chart the trust domain', () => {
    const set = 'global.mtls.controlPlaneTrustDomain=a.b';
    expect(chooseTrustDomain(undefined, [])).toBe('cluster.local');
    expect(chooseTrustDomain(undefined, [set])).toBe('a.b');
    expect(chooseTrustDomain('a.b', [set])).toBe('a.b');
    expect(chooseTrustDomain('c.d', [])).toBe('c.d');
    expect(() => chooseTrustDomain('c.d', [set])).toThrow('--trust-domain says c.d');
  });

  test('so do the names of the files', () => {
    expect(fileNamesOf([], defaultNames)).toEqual(defaultNames);
    expect(fileNamesOf(['global.issuerFilenames.cert=i.pem'], defaultNames).issuerChain).toBe('i.pem');
  });
});

describe('flags for self-hosted Dapr', () => {
  test.each(['redis-stack', 'runtime-path'] as const)('--%s is refused, as the official CLI does', (name) => {
    expect(() => noteSelfHostedFlags({ [name]: true })).toThrow(`--${name} is only valid for self-hosted mode`);
  });

  test('the others are named, and pass', () => {
    expect(noteSelfHostedFlags({ slim: true, network: 'x', 'redis-stack': false, 'from-dir': undefined })).toEqual([
      '--slim is for self-hosted Dapr and has no effect in a cluster',
      '--network is for self-hosted Dapr and has no effect in a cluster',
    ]);
  });
});

describe('the ground', () => {
  let files: BundleFiles;
  let other: BundleFiles;
  beforeAll(async () => {
    files = (await makeBundle()).files;
    other = (await makeBundle()).files;
  });

  const ground = (wishes: Partial<Ground> = {}): Ground => ({
    namespace: 'dapr-system',
    secret: undefined,
    configMap: undefined,
    sentries: [],
    release: undefined,
    otherOwner: undefined,
    ...wishes,
  });
  const laid = (found: Partial<BundleFiles> = files, isLaidByInit = true) => ({
    files: { anchors: undefined, issuerChain: undefined, issuerKey: undefined, ...found },
    isLaidByInit,
  });

  test('is clear where nothing is', () => {
    expect(assertClear(ground(), fixtureInstant)).toEqual({ kind: 'lay' });
  });

  test('is gone on from where an interrupted run has laid a whole bundle', () => {
    const finish = { kind: 'finish', files };
    expect(assertClear(ground({ secret: laid() }), fixtureInstant)).toEqual(finish);
    const configMap = { anchors: files.anchors };
    expect(assertClear(ground({ secret: laid(), configMap }), fixtureInstant)).toEqual(finish);
  });

  test.each<[string, () => Partial<Ground>]>([
    ['without our mark', () => ({ secret: laid(files, false) })],
    ['that is not whole', () => ({ secret: laid({ anchors: files.anchors }) })],
    ['beside other anchors', () => ({ secret: laid(), configMap: { anchors: other.anchors } })],
    ['beside a ConfigMap of other data', () => ({ secret: laid(), configMap: { anchors: undefined } })],
    ['that Sentry would refuse', () => ({ secret: laid({ ...files, issuerKey: other.issuerKey }) })],
    ['by which a Sentry runs', () => ({ secret: laid(), sentries: ['dapr-system'] })],
    [
      'that a release holds',
      () => ({ secret: laid(), release: { name: 'dapr', namespace: 'dapr-system', status: 'failed' } }),
    ],
  ])('is not clear with a bundle %s', (_, wishes) => {
    expect(() => assertClear(ground(wishes()), fixtureInstant)).toThrow(
      expect.objectContaining({ code: 'dapr.exists' }),
    );
  });

  test('is named with all namespaces in which a Sentry is', () => {
    const there = ground({ sentries: ['first', 'second'] });
    expect(() => assertClear(there, fixtureInstant)).toThrow('a Sentry in namespace first and second');
  });
});

describe('the report', () => {
  const report: InitClusterReport = {
    apiVersion: 'dapr-mtls/v1',
    kind: 'InitCluster',
    cluster: { context: 'prod', server: 'https://127.0.0.1:6443', namespace: 'dapr-system' },
    outcome: 'installed',
    bundle: 'made',
    validUntil: '2027-12-01T12:00:00Z',
    trustDomain: 'cluster.local',
    objects: [
      { kind: 'Namespace', name: 'dapr-system', action: 'created' },
      { kind: 'Secret', name: 'dapr-trust-bundle', action: 'created' },
      { kind: 'ConfigMap', name: 'dapr-trust-bundle', action: 'filled' },
    ],
    rootKey: { path: null, encrypted: false },
    chart: { by: 'helm', command: 'helm install dapr' },
    notChecked: [],
    remarks: [],
    next: 'dapr status -k',
  };

  test('says what was laid, until when it holds, and the official sentence', () => {
    expect(schemaViolations(report)).toEqual([]);
    expect(
      renderInitCluster(report),
    ).toBe(`A new trust bundle is laid in namespace dapr-system. Its root is valid through Wed, 01 Dec 2027 12:00:00 UTC
  Namespace  dapr-system        created
  Secret     dapr-trust-bundle  created
  ConfigMap  dapr-trust-bundle  filled

Success! Dapr has been installed to namespace dapr-system. To verify, run \`dapr status -k' in your terminal. To get started, go here: https://docs.dapr.io/getting-started

Next: dapr status -k
`);
  });

  test('ends with the command for the chart where that is left to somebody else', () => {
    const text = renderInitCluster({
      ...report,
      outcome: 'laid',
      bundle: 'own',
      chart: null,
      next: 'helm install dapr',
    });
    expect(text).toMatch(/^Your trust bundle is laid/);
    expect(text).toMatch(/Next, install the chart, which takes both over as they are:\n {2}helm install dapr\n$/);
  });
});
