import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import { makeBundle } from '../support/bundles.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { copyProgram, type Outcome, type Program, startProcess } from '../support/program.ts';
import { schemaViolations } from '../support/schema.ts';
import type { KubeJson } from './admin.ts';
import { buildPrograms, whyNoCluster } from './build-programs.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';
import { waitUntil } from './wait.ts';

const missing = await whyNoCluster();
const chart = fileURLToPath(new URL('chart', import.meta.url));
const system = 'dapr-system';
const bundleName = 'dapr-trust-bundle';

describe.skipIf(missing !== undefined)(missing ?? 'init -k on a real cluster, with the real helm', () => {
  let cluster: TestCluster;
  let program: Program;
  let helm: string;
  let folder: string;

  beforeAll(async () => {
    program = copyProgram();
    cluster = await startCluster();
    helm = dirname((await buildPrograms()).helm);
    folder = temporaryDirectory('init');
  });
  afterEach(async () => {
    await cluster.helm(['uninstall', 'dapr', '-n', system, '--ignore-not-found', '--wait']);
    await cluster.admin.kubectl(['delete', 'secret,configmap', bundleName, '-n', system, '--ignore-not-found']);
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  /** As `dapr`, found on the PATH as every user has it; helm is where the test says so. */
  const dapr = (words: readonly string[], path: string = helm): Promise<Outcome> => {
    const [node = '', script = ''] = program.command;
    const line = [node, join(dirname(script), 'dapr.js'), ...words];
    return startProcess(line, { env: { PATH: `${path}:/usr/bin:/bin`, KUBECONFIG: cluster.kubeconfig, HOME: folder } })
      .ended;
  };
  const init = (words: readonly string[] = [], path?: string) =>
    dapr(['init', '-k', '--helm-chart', chart, ...words], path);

  async function readBundle(): Promise<{ secret: KubeJson; configMap: KubeJson }> {
    const [secret, configMap] = await Promise.all(
      ['secret', 'configmap'].map((kind) => cluster.admin.get(kind, bundleName, system)),
    );
    if (!secret?.data || !configMap?.data) throw new Error('there is no bundle');
    return { secret, configMap };
  }

  async function dataOf(): Promise<object> {
    const { secret, configMap } = await readBundle();
    return { secret: secret.data, configMap: configMap.data };
  }

  test('helm takes the bundle over at the installation and keeps it, also over an upgrade and a rollback', async () => {
    const key = join(folder, 'root.key');
    const { exitCode, stdout, stderr } = await init(['--wait', '--save-root-key', key, '--insecure-plaintext-key']);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toMatch(/^A new trust bundle is laid in namespace dapr-system\. Its root is valid through /);
    expect(stdout).toContain(
      "Success! Dapr has been installed to namespace dapr-system. To verify, run `dapr status -k' in your terminal.",
    );
    expect(readFileSync(key, 'utf8')).toContain('PRIVATE KEY');

    const laid = await dataOf();
    const { secret, configMap } = await readBundle();
    expect(Buffer.from(secret.data['ca.crt'], 'base64').toString()).toBe(configMap.data['ca.crt']);
    // The chart's own labels: Helm has made both objects its own.
    expect(secret.metadata.labels).toMatchObject({ app: 'dapr-sentry', 'app.kubernetes.io/managed-by': 'Helm' });
    const values = await cluster.helm(['get', 'values', 'dapr', '-n', system, '-o', 'json']);
    expect(JSON.parse(values)).toEqual({ global: { ha: { enabled: false }, mtls: { enabled: true } } });

    await cluster.helm(['upgrade', 'dapr', chart, '-n', system, '--reuse-values', '--set', 'global.tag=1.17.14']);
    expect((await readBundle()).secret.metadata.labels['app.kubernetes.io/version']).toBe('1.17.14');
    expect(await dataOf()).toEqual(laid);
    await cluster.helm(['upgrade', 'dapr', chart, '-n', system, '--reset-values']);
    expect(await dataOf()).toEqual(laid);
    await cluster.helm(['rollback', 'dapr', '1', '-n', system]);
    expect(await dataOf()).toEqual(laid);
  });

  test('the values go to the chart, and the trust domain with them', async () => {
    const words = [
      '--enable-mtls=false',
      '--enable-ha',
      '--trust-domain',
      'prod.example.org',
      '--runtime-version',
      '1.17.12',
    ];
    const { exitCode, stderr, stdout } = await init([...words, '--format', 'json']);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    const report = JSON.parse(stdout);
    expect(schemaViolations(report)).toEqual([]);
    expect(report).toMatchObject({ kind: 'InitCluster', outcome: 'installed', trustDomain: 'prod.example.org' });
    const configuration = await cluster.admin.get('configurations.dapr.io', 'daprsystem', system);
    expect(configuration?.spec.mtls).toMatchObject({ enabled: false, controlPlaneTrustDomain: 'prod.example.org' });
    const sentry = await cluster.admin.get('deployment', 'dapr-sentry', system);
    expect(sentry?.spec.replicas).toBe(3);
    expect(sentry?.spec.template.spec.containers[0].image).toBe('ghcr.io/dapr/sentry:1.17.12');
  });

  test('where Dapr is, nothing is written, whatever the flags say', async () => {
    expect((await init()).exitCode).toBe(0);
    const versions = async () => {
      const { secret, configMap } = await readBundle();
      return [secret.metadata.resourceVersion, configMap.metadata.resourceVersion];
    };
    const before = await versions();
    for (const words of [[], ['--trust-only'], ['-n', 'another']]) {
      const { exitCode, stderr } = await init(words);
      expect(exitCode).toBe(6);
      expect(stderr).toMatch(/Sentry in namespace dapr-system; nothing was written/);
      expect(stderr).toMatch(/status -k.*renew-certificate -k.*repair -k/);
    }
    expect(await versions()).toEqual(before);
    expect(await cluster.admin.get('namespace', 'another')).toBeUndefined();
  });

  test('without helm the bundle is laid, the command is told, and the next run goes on from there', async () => {
    const first = await dapr(['init', '-k', '--helm-chart', chart], join(folder, 'nowhere'));
    expect(first.exitCode).toBe(7);
    expect(first.stderr).toContain(`helm install dapr ${chart} --namespace dapr-system`);
    expect(first.stderr).toContain('the key of the new root was NOT kept');
    expect(first.stdout).toBe('');
    const laid = await dataOf();
    const second = await init();
    expect(second.exitCode).toBe(0);
    expect(second.stdout).toMatch(/^The trust bundle was laid in namespace dapr-system\./);
    expect(await dataOf()).toEqual(laid);
  });

  test('--trust-only leaves the chart to whoever installs it, and own certificates never reach the release', async () => {
    const { files, rootKey } = await makeBundle({ at: new Date() });
    const path = (name: string) => join(folder, name);
    writeFileSync(path('ca.crt'), files.anchors);
    writeFileSync(path('issuer.crt'), files.issuerChain);
    writeFileSync(path('issuer.key'), encodePrivateKey(rootKey));
    const own = ['--ca-root-certificate', path('ca.crt'), '--issuer-public-certificate', path('issuer.crt')];
    const wrong = await init(['--trust-only', ...own, '--issuer-private-key', path('issuer.key')]);
    expect(wrong.exitCode).toBe(4);
    expect(await cluster.admin.get('secret', bundleName, system)).toBeUndefined();

    writeFileSync(path('issuer.key'), files.issuerKey);
    const laid = await init(['--trust-only', ...own, '--issuer-private-key', path('issuer.key')]);
    expect({ ...laid, stderr: '' }).toMatchObject({ exitCode: 0 });
    const [, command = ''] = /^ {2}helm (.*)$/m.exec(laid.stdout) ?? [];
    await cluster.helm(command.split(' '));
    expect(await dataOf()).toEqual({
      secret: {
        'ca.crt': files.anchors.toString('base64'),
        'issuer.crt': files.issuerChain.toString('base64'),
        'issuer.key': files.issuerKey.toString('base64'),
      },
      configMap: { 'ca.crt': files.anchors.toString() },
    });
    expect(await cluster.helm(['get', 'all', 'dapr', '-n', system])).not.toContain('PRIVATE KEY');
  });

  test('the official dapr is preferred, and plain init is its own', async () => {
    const official = join(folder, 'official');
    mkdirSync(official);
    symlinkSync(join(helm, 'helm'), join(official, 'helm'));
    // What the official CLI does with helm's library, done with helm.
    const install = `exec helm install dapr '${chart}' -n dapr-system --set global.tag=1.17.13 --set global.mtls.enabled=true`;
    const script = `#!/bin/sh\necho "official: $*"\ncase "$*" in *--kubernetes*) ${install} ;; esac\n`;
    writeFileSync(join(official, 'dapr'), script);
    chmodSync(join(official, 'dapr'), 0o755);

    expect((await dapr(['init', '--slim'], official)).stdout).toBe('official: init --slim\n');
    expect((await dapr(['init', '-k=false'], official)).stdout).toBe('official: init -k=false\n');
    const { exitCode, stderr, stdout } = await dapr(['init', '-k', '--network', 'mine', '--wait'], official);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stderr).toContain('--network is for self-hosted Dapr and has no effect in a cluster');
    expect(stderr).toContain(
      'official: init --kubernetes --namespace dapr-system --enable-mtls=true --enable-ha=false --wait',
    );
    expect(stdout).toContain('Success! Dapr has been installed');
    expect((await readBundle()).secret.metadata.annotations['dapr-mtls/laid-by-init']).toBe('true');
  });

  test('killed between Secret and ConfigMap, the same command finishes', async () => {
    const [node = '', script = ''] = program.command;
    const run = startProcess([node, script, 'init', '-k', '--trust-only'], {
      env: { KUBECONFIG: cluster.kubeconfig, HOME: folder },
    });
    const path = `/api/v1/namespaces/${system}/secrets/${bundleName}`;
    await waitUntil('the Secret is there', async () => (await cluster.admin.request('GET', path)).status === 200, {
      everyMs: 1,
    });
    run.child.kill('SIGKILL');
    await run.ended;
    const secret = await cluster.admin.get('secret', bundleName, system);
    const { exitCode } = await init();
    expect(exitCode).toBe(0);
    const bundle = await readBundle();
    expect(bundle.secret.data).toEqual(secret?.data);
    expect(Buffer.from(bundle.secret.data['ca.crt'], 'base64').toString()).toBe(bundle.configMap.data['ca.crt']);
  });

  test('an installation that failed says how to go on', async () => {
    const { exitCode, stderr } = await init(['--set', 'global.ha.enabled=maybe', '--enable-ha']);
    expect(exitCode).toBe(5);
    expect(stderr).toMatch(/the bundle is laid, and helm did not install the chart on it \(exit code 1\): /);
    expect(stderr).not.toContain('PRIVATE KEY');
    const again = await init();
    // Helm has refused before it began: no release, and the bundle is kept.
    expect(again.exitCode).toBe(0);
  });
});
