import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodePrivateKey, generateKey } from '../../src/pki/keys.ts';
import { readBundle } from '../../src/pki/reading.ts';
import { whySentryRefuses } from '../../src/pki/sentry.ts';
import { defaultNames } from '../../src/store/file-names.ts';
import { makeBundle } from '../support/bundles.ts';
import type { Outcome } from '../support/program.ts';
import { deployApps } from './apps.ts';
import { whyNoCluster } from './build-programs.ts';
import { layAsSentry, reshape, services, uninstall, whyNotRestarted } from './control-plane-pods.ts';
import { installDapr } from './dapr.ts';
import { type Dapr, openDapr } from './program.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';

const missing = await whyNoCluster();
const version = '1.17.13';
const rotated =
  /^Starting certificate rotation\nCertificate rotation is successful! Your new certicate is valid through \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d UTC\n/;
const ownFiles =
  '--ca-root-certificate certs/ca.crt --issuer-private-key certs/issuer.key --issuer-public-certificate certs/issuer.crt';
const allBack = 'All control plane services have restarted successfully!\n';
const warning = /^⚠ {2}Dapr root certificate of your Kubernetes cluster expires in 19 days\. Expiry date: \w{3}, /m;

/**
 * What the official CLI's own end-to-end suite checks, as people type it. The scenarios go on from
 * one another, as they do there.
 */
describe.skipIf(missing !== undefined)(missing ?? "the official CLI's scenarios on a real cluster", () => {
  let cluster: TestCluster;
  let dapr: Dapr;
  /** How the bundle is at first. */
  let first: Awaited<ReturnType<typeof makeBundle>>;

  beforeAll(async () => {
    cluster = await startCluster();
    dapr = openDapr(cluster.kubeconfig);
    first = await makeBundle({ at: new Date() });
    await installDapr(cluster, { version, variant: 'mariner', ha: true, bundle: first.files });
    await layAsSentry(cluster, first.files);
    await deployApps(cluster, { namespaces: ['shop'], deployments: 2, statefulSets: 1 });
    writeFileSync(join(dapr.folder, 'root.key'), encodePrivateKey(generateKey('p256')), { mode: 0o600 });
    writeFileSync(join(dapr.folder, 'running-root.key'), encodePrivateKey(first.rootKey), { mode: 0o600 });
    writeFileSync(join(dapr.folder, 'bad.key'), 'no key at all\n');
  }, 240_000);
  afterAll(async () => {
    await cluster?.stop();
  });

  const run = (line: string, env: Record<string, string> = {}): Promise<Outcome> => dapr.run(line, { env });

  /** Secret and ConfigMap as a Sentry reads them; fails where it would not serve on them. */
  async function bundle() {
    const [secret, configMap] = await Promise.all([
      cluster.admin.get('secret', 'dapr-trust-bundle', 'dapr-system'),
      cluster.admin.get('configmap', 'dapr-trust-bundle', 'dapr-system'),
    ]);
    const file = (name: string) => Buffer.from(secret?.data[name] ?? '', 'base64');
    const files = { anchors: file('ca.crt'), issuerChain: file('issuer.crt'), issuerKey: file('issuer.key') };
    expect(whySentryRefuses(files, new Date())).toBeUndefined();
    expect(configMap?.data['ca.crt']).toBe(files.anchors.toString('utf8'));
    const anchors = readBundle(files, defaultNames).anchors?.entries ?? [];
    return { files, configMap, secret, roots: anchors.map(({ certificate }) => certificate?.fingerprint) };
  }

  test('1. dapr mtls -k, dapr mtls expiry, dapr mtls export', async () => {
    for (const line of ['dapr mtls -k', 'dapr mtls -k=true', 'dapr mtls --kubernetes']) {
      const told = await run(line);
      expect(told).toMatchObject({ exitCode: 0, stdout: 'Mutual TLS is enabled in your Kubernetes cluster \n' });
      expect(told.stderr).not.toContain('expires');
    }
    const expiry = await run('dapr mtls expiry');
    expect(expiry.exitCode).toBe(0);
    expect(expiry.stdout).toMatch(
      /^Root certificate expires in 87\d\d hours\. Expiry date: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC\n$/,
    );
    const exported = await run('dapr mtls export -o ./certs');
    expect(exported).toMatchObject({
      exitCode: 0,
      stdout: `Trust certs successfully exported to ${join(dapr.folder, 'certs')}\n`,
    });
    const { anchors, issuerChain, issuerKey } = first.files;
    for (const [name, content] of [
      ['ca.crt', anchors],
      ['issuer.crt', issuerChain],
      ['issuer.key', issuerKey],
    ] as const) {
      expect(readFileSync(join(dapr.folder, 'certs', name))).toEqual(content);
    }
    expect(statSync(join(dapr.folder, 'certs', 'issuer.key')).mode & 0o777).toBe(0o600);
  });

  test('2. dapr status -k: a row for each service, three replicas, the variant', async () => {
    expect(await statusRows()).toEqual(
      services.map((name) => [name, 'dapr-system', 'True', 'Running', '3', `${version}-mariner`]),
    );
    await reshape(cluster, { version });
    const rows = await statusRows();
    expect(rows.map(([name, , , , replicas, tag]) => [name, replicas, tag])).toEqual(
      services.map((name) => [name, name === 'dapr-scheduler-server' ? '3' : '1', version]),
    );
  });

  test('3. renew-certificate -k --valid-until 20 --restart', async () => {
    await renewFresh();
    // Bridged: who holds the old anchor alone is not cut off.
    expect((await bundle()).roots).toHaveLength(2);
    const { totals } = JSON.parse((await run('dapr mtls audit -k --format json')).stdout);
    expect(totals).toMatchObject({ sidecars: 3, broken: 0 });
  });

  test('4. renew-certificate with exported files and --restart', async () => {
    await renewOwn();
    expect((await bundle()).files).toEqual(first.files);
    const { exitCode, stdout } = await run(`dapr mtls renew-certificate -k ${ownFiles} --restart`);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Nothing to change: this bundle is there already, /);
    expect(stdout.endsWith(allBack)).toBe(true);
  });

  test('5. renew-certificate --private-key with another key, without restart', async () => {
    const before = await pods();
    const { exitCode, stdout, stderr } = await run(
      'dapr mtls renew-certificate -k --private-key root.key --valid-until 20 --restart=false',
    );
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toMatch(rotated);
    expect(stdout).not.toContain(allBack);
    expect((await run('dapr status -k')).stderr).toMatch(warning);
    expect(await pods()).toEqual(before);
    await bundle();
  });

  test("renew-certificate --private-key with the running root's key keeps both chains verifying each other", async () => {
    await run(`dapr mtls rnc -k ${ownFiles}`);
    const { exitCode, stdout, stderr } = await run(
      'dapr mtls renew-cert --kubernetes=true --private-key running-root.key --valid-until 400',
    );
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toMatch(rotated);
    expect(stderr).not.toContain('Warning: who holds');
    await bundle();
  });

  test.each<[string, number, string]>([
    ['--ca-root-certificate certs/ca.crt', 2, 'all required flags for this certificate rotation path'],
    ['--issuer-private-key certs/issuer.key', 2, 'all required flags for this certificate rotation path'],
    ['--issuer-public-certificate certs/issuer.crt', 2, 'all required flags for this certificate rotation path'],
    [
      '--ca-root-certificate no/ca.crt --issuer-private-key certs/issuer.key --issuer-public-certificate certs/issuer.crt',
      5,
      'certificate rotation failed: open no/ca.crt: no such file or directory',
    ],
    [
      '--ca-root-certificate certs/ca.crt --issuer-private-key certs/issuer.key --issuer-public-certificate no/issuer.crt',
      5,
      'certificate rotation failed: open no/issuer.crt: no such file or directory',
    ],
    [
      '--ca-root-certificate certs/ca.crt --issuer-private-key no/issuer.key --issuer-public-certificate certs/issuer.crt',
      5,
      'certificate rotation failed: open no/issuer.key: no such file or directory',
    ],
    ['--private-key no.key --valid-until 20', 5, 'certificate rotation failed: open no.key: no such file or directory'],
    ['--private-key root.key --ca-root-certificate certs/ca.crt', 2, ''],
    ['--private-key bad.key', 4, 'bad.key holds no private key'],
    ['--image-variant mariner', 2, 'is not same as provided value "mariner"'],
  ])('6. is refused, and nothing is written: %s', async (flags, exitCode, words) => {
    const before = await bundle();
    const refused = await run(`dapr mtls renew-certificate -k ${flags} --restart`);
    expect(refused.exitCode, refused.stderr).toBe(exitCode);
    expect(refused.stderr).toContain(words);
    expect(refused.stdout).not.toContain('successful');
    expect(await bundle()).toEqual(before);
  });

  describe('7. with mTLS disabled, and an image variant', () => {
    beforeAll(async () => {
      await reshape(cluster, { version, variant: 'mariner', mtlsEnabled: false });
    }, 240_000);

    test('expiry answers all the same', async () => {
      expect(await run('dapr mtls -k')).toMatchObject({
        exitCode: 0,
        stdout: 'Mutual TLS is disabled in your Kubernetes cluster \n',
      });
      expect((await run('dapr mtls expiry')).stdout).toMatch(/^Root certificate expires in \d+ hours\. /);
    });

    test('the wrong variant is refused', async () => {
      const before = await bundle();
      for (const variant of ['distroless', 'Mariner']) {
        const { exitCode, stderr } = await run(`dapr mtls renew-certificate -k --image-variant ${variant}`);
        expect(exitCode).toBe(2);
        expect(stderr).toContain(`found image variant "mariner" is not same as provided value "${variant}"`);
      }
      expect(await bundle()).toEqual(before);
    });

    test('3 and 4 again', async () => {
      await renewFresh('--image-variant mariner');
      await renewOwn('--image-variant=mariner --timeout 200');
      expect(await statusRows()).toContainEqual([
        'dapr-operator',
        'dapr-system',
        'True',
        'Running',
        '1',
        `${version}-mariner`,
      ]);
    });
  });

  describe('8. after it was uninstalled', () => {
    beforeAll(async () => {
      await uninstall(cluster);
    }, 240_000);

    test.each<[string, string]>([
      ['dapr mtls -k', 'error checking mTLS: system configuration not found'],
      ['dapr status -k', 'No status returned. Is Dapr initialized in your cluster?'],
      ['dapr mtls expiry', 'Is Dapr initialized in your cluster?'],
      ['dapr mtls export -o ./gone', 'Is Dapr initialized in your cluster?'],
      ['dapr mtls renew-certificate -k --valid-until 20 --restart', 'Is Dapr initialized in your cluster?'],
      ['dapr mtls check -k', 'Is Dapr initialized in your cluster?'],
    ])('%s fails, and says so', async (line, words) => {
      const { exitCode, stdout, stderr } = await run(line);
      expect(exitCode, stderr).toBe(5);
      expect(stderr).toContain(words);
      expect(stdout).not.toContain('successful');
      expect(existsSync(join(dapr.folder, 'gone'))).toBe(false);
    });

    test('Dapr 1.18 on an Ed25519 bundle, as its own Sentry makes them, is renewed as well', async () => {
      const { files } = await makeBundle({ at: new Date(), keyType: 'ed25519' });
      await layAsSentry(cluster, files, '1.18.3');
      const patch = (kind: string, body: object) =>
        cluster.admin.kubectl(['patch', kind, 'dapr-trust-bundle', '-n', 'dapr-system', '-p', JSON.stringify(body)]);
      await patch('secret', { stringData: { 'jwt.key': 'signs tokens' } });
      await patch('configmap', { data: { 'jwks.json': '{}' } });
      await reshape(cluster, { version: '1.18.3' });
      await renewFresh();
      const { secret, configMap, roots } = await bundle();
      expect(Buffer.from(secret?.data['jwt.key'], 'base64').toString()).toBe('signs tokens');
      expect(configMap?.data['jwks.json']).toBe('{}');
      expect(roots).toHaveLength(2);
    });
  });

  async function renewFresh(flags = ''): Promise<void> {
    const since = new Date(Date.now() - 1000).toISOString();
    const { exitCode, stdout, stderr } = await run(
      `dapr mtls renew-certificate -k --valid-until 20 --restart ${flags}`.trim(),
    );
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toMatch(rotated);
    expect(stdout.endsWith(allBack)).toBe(true);
    expect(await whyNotRestarted(cluster, since)).toEqual([]);
    const status = await run('dapr status -k');
    expect(status.exitCode).toBe(0);
    expect(status.stderr).toMatch(warning);
    expect(status.stdout).not.toContain('expires in');
  }

  async function renewOwn(flags = ''): Promise<void> {
    const since = new Date(Date.now() - 1000).toISOString();
    const { exitCode, stdout, stderr } = await run(
      `dapr mtls renew-certificate -k ${ownFiles} --restart ${flags}`.trim(),
    );
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toMatch(rotated);
    expect(stdout.endsWith(allBack)).toBe(true);
    expect(await whyNotRestarted(cluster, since)).toEqual([]);
    const status = await run('dapr status -k');
    expect(status.exitCode).toBe(0);
    expect(status.stderr).not.toContain('expires');
    await bundle();
  }

  async function statusRows(): Promise<string[][]> {
    const { exitCode, stdout } = await run('dapr status -k');
    expect(exitCode).toBe(0);
    const [header = '', ...rows] = stdout.trimEnd().split('\n');
    expect(header.trim().split(/ {2,}/)).toEqual([
      'NAME',
      'NAMESPACE',
      'HEALTHY',
      'STATUS',
      'REPLICAS',
      'VERSION',
      'AGE',
      'CREATED',
    ]);
    return rows.map((row) => row.trim().split(/ {2,}/).slice(0, 6));
  }

  async function pods(): Promise<string[]> {
    const found = await cluster.admin.list('pods', 'dapr-system');
    return found.map(({ metadata }) => metadata.uid).sort();
  }
});
