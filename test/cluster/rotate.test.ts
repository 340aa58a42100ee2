import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeBundle } from '../support/bundles.ts';
import type { Outcome } from '../support/program.ts';
import { schemaViolations } from '../support/schema.ts';
import type { KubeJson } from './admin.ts';
import { deployApps } from './apps.ts';
import { whyNoCluster } from './build-programs.ts';
import { layAsSentry } from './control-plane-pods.ts';
import { installDapr } from './dapr.ts';
import { type Dapr, openDapr } from './program.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';

const missing = await whyNoCluster();
const system = 'dapr-system';
/** So that old certificates have gone in seconds. */
const life = { workloadCertTTL: '4s', allowedClockSkew: '1s' };
/** On a day that is neither today nor tomorrow; a blank that does not part the words of a line. */
const closed = `${['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][(new Date().getUTCDay() + 3) % 7]}\u00a002:00-05:00`;

/**
 * The rotation as people type it, one after the other on one cluster: each begins with what the last
 * has left. What came of it is judged by node:crypto alone.
 */
describe.skipIf(missing !== undefined)(missing ?? 'rotations of a real cluster, as people type them', () => {
  let cluster: TestCluster;
  let dapr: Dapr;

  beforeAll(async () => {
    cluster = await startCluster();
    dapr = openDapr(cluster.kubeconfig);
    const { files } = await makeBundle({ at: new Date() });
    await installDapr(cluster, { version: '1.17.13', bundle: files, ...life });
    await layAsSentry(cluster, files);
    await deployApps(cluster, {
      namespaces: ['shop'],
      deployments: 2,
      statefulSets: 1,
      daemonSets: 1,
      jobs: 0,
      replicas: 2,
    });
    writeFileSync(join(dapr.folder, 'passphrase'), 'correct horse battery staple\n', { mode: 0o600 });
  }, 240_000);
  afterAll(async () => {
    await cluster?.stop();
  });

  const decode = (encoded: string | undefined) => Buffer.from(encoded ?? '', 'base64').toString();
  const certificatesIn = (pem: string) =>
    (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
      (one) => new X509Certificate(one),
    );
  const fingerprintsIn = (pem: string) => certificatesIn(pem).map(({ fingerprint256 }) => fingerprint256);

  async function run(line: string, expected = 0): Promise<Outcome> {
    const outcome = await dapr.run(line);
    expect(outcome.exitCode, `${line}\n${outcome.stdout}\n${outcome.stderr}`).toBe(expected);
    expect(outcome.stdout + outcome.stderr).not.toContain('PRIVATE KEY');
    return outcome;
  }

  async function live() {
    const [secret, configMap] = await Promise.all([
      cluster.admin.get('secret', 'dapr-trust-bundle', system),
      cluster.admin.get('configmap', 'dapr-trust-bundle', system),
    ]);
    const [anchors, chain, key] = ['ca.crt', 'issuer.crt', 'issuer.key'].map((name) => decode(secret?.data[name]));
    return { anchors: anchors ?? '', chain: chain ?? '', key: key ?? '', published: configMap?.data['ca.crt'], secret };
  }

  /** The record as it lies there. */
  async function record(): Promise<KubeJson> {
    const saved = await cluster.admin.get('secret', 'dapr-mtls-rotation', system);
    return JSON.parse(decode(saved?.data['rotation.json']));
  }

  /** What a sidecar and the next one hold, each set once. */
  async function held(): Promise<string[]> {
    const pods = await cluster.admin.list('pods', 'shop', 'dapr.io/sidecar-injected=true');
    const anchors = pods
      .filter(({ metadata }) => !metadata.deletionTimestamp)
      .map(({ spec }) => spec.containers.find(({ name }: KubeJson) => name === 'daprd'))
      .map(({ env }) => env.find(({ name }: KubeJson) => name === 'DAPR_TRUST_ANCHORS').value as string);
    return [...new Set(anchors.map((pem) => fingerprintsIn(pem).sort().join()))];
  }

  /** @returns the fingerprint of the one root that is left */
  async function expectRotated(): Promise<string> {
    const { anchors, chain, key, published } = await live();
    expect(published).toBe(anchors);
    const [root, ...others] = certificatesIn(anchors);
    const [issuer, ...rest] = certificatesIn(chain);
    if (!root || !issuer) throw new Error('the bundle is not whole');
    expect(others).toEqual([]);
    expect(rest).toEqual([]);
    expect(root.verify(root.publicKey)).toBe(true);
    expect(issuer.verify(root.publicKey)).toBe(true);
    expect(createPublicKey(createPrivateKey(key)).equals(issuer.publicKey)).toBe(true);
    for (const set of await held()) expect(set).toContain(root.fingerprint256);
    await expectNothingLeft('done');
    return root.fingerprint256;
  }

  async function expectNothingLeft(state: string): Promise<void> {
    const saved = await record();
    expect(saved.state).toBe(state);
    expect(Object.values(saved.stages).filter((stage) => (stage as KubeJson).issuerKey)).toEqual([]);
    const secrets = await cluster.admin.list('secrets', system);
    expect(secrets.map(({ metadata }) => metadata.name).sort()).toEqual([
      'dapr-mtls-backup',
      'dapr-mtls-rotation',
      'dapr-trust-bundle',
    ]);
    const lease = await cluster.admin.get('lease', 'dapr-mtls', system);
    expect(lease?.spec.holderIdentity ?? '').toBe('');
    const backup = secrets.find(({ metadata }) => metadata.name === 'dapr-mtls-backup');
    expect(Object.keys(backup?.data).filter((name) => !name.startsWith('backup-'))).toEqual([]);
  }

  describe('each procedure', () => {
    test('rotate plan -k writes nothing', async () => {
      const before = await live();
      const { stdout } = await run('dapr mtls rotate plan -k');
      expect(stdout).toMatch(/^Procedure: bridge\n/);
      const report = JSON.parse((await run('dapr mtls rotate plan -k --format json')).stdout);
      expect(schemaViolations(report)).toEqual([]);
      expect(report.phases.map(({ name }: KubeJson) => name)).toEqual(['switch', 'distribute', 'drain', 'retire']);
      expect(report.phases.some(({ broken }: KubeJson) => broken > 0)).toBe(false);
      expect((await live()).secret).toEqual(before.secret);
      expect(await cluster.admin.get('secret', 'dapr-mtls-rotation', system)).toBeUndefined();
    });

    test('bridge, and the key of the new root is kept', async () => {
      const { stdout } = await run(
        'dapr mtls rotate run -k --wait --save-root-key root.key --passphrase-file passphrase',
      );
      expect(stdout).toMatch(/^✓ Rotation \(bridge\) is done\n/);
      await expectRotated();
      expect(statSync(join(dapr.folder, 'root.key')).mode & 0o777).toBe(0o600);
    });

    test('same-root restarts Sentry alone', async () => {
      const before = await live();
      const pods = await held();
      const names = (await cluster.admin.list('pods', 'shop')).map(({ metadata }) => metadata.uid).sort();
      await run(
        'dapr mtls rotate run -k --wait --private-key root.key --passphrase-file passphrase --procedure same-root',
      );
      await expectRotated();
      expect((await live()).anchors).toBe(before.anchors);
      expect((await live()).chain).not.toBe(before.chain);
      expect(await held()).toEqual(pods);
      expect((await cluster.admin.list('pods', 'shop')).map(({ metadata }) => metadata.uid).sort()).toEqual(names);
    });

    test('same-key leaves the root on its key and its name', async () => {
      const [before] = certificatesIn((await live()).anchors);
      const { stdout } = await run(
        'dapr mtls rotate run -k --wait --private-key root.key --passphrase-file passphrase --issuer-path-length 0',
      );
      expect(stdout).toMatch(/^✓ Rotation \(same-key\) is done\n/);
      await expectRotated();
      const [after] = certificatesIn((await live()).anchors);
      expect(after?.fingerprint256).not.toBe(before?.fingerprint256);
      expect(after?.publicKey.equals(before?.publicKey as never)).toBe(true);
      expect(after?.subject).toBe(before?.subject);
    });

    test('staged under an issuer with pathlen:0, encrypted, from process to process', async () => {
      const begun = await run('dapr mtls rotate run -k --passphrase-file passphrase --restart control-plane', 8);
      expect(begun.stdout).toMatch(/^Rotation \(staged\): waiting in distribute\n/);
      expect((await record()).encrypted).toBe(true);
      expect(decode((await record()).stages.after.issuerKey)).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);

      const status = await run('dapr mtls rotate status -k');
      expect(status.stdout).toContain('wrote the bundle of distribute');
      expect(status.stdout).toContain('daemonset shop/daemonset-1');
      const report = JSON.parse((await run('dapr mtls rotate status -k --format json')).stdout);
      expect(schemaViolations(report)).toEqual([]);
      expect(report).toMatchObject({ state: 'running', procedure: 'staged', encrypted: true, holder: null });

      const locked = await run('dapr mtls rotate run -k --wait', 4);
      expect(locked.stderr).toMatch(/^Error: the issuer key in the record of the rotation is encrypted$/m);
      await run('dapr mtls rotate run -k --wait --passphrase-file passphrase');
      await expectRotated();
      expect(JSON.stringify(await record())).not.toContain('issuerKey');
    });

    test('retire takes away what a renewal has left', async () => {
      await run('dapr mtls renew-certificate -k');
      expect(certificatesIn((await live()).anchors)).toHaveLength(2);
      await run('dapr mtls rotate run -k --wait --procedure retire');
      await expectRotated();
    });
  });

  describe('stopped on the way', () => {
    test('outside of its window nothing is written, and there is nothing to undo', async () => {
      const before = await live();
      const { stdout, stderr } = await run(`dapr mtls rotate run -k --window ${closed}`, 8);
      expect(stdout).toContain('waiting for its window');
      expect(stderr).toMatch(/Outside of the window: nothing is written or restarted before \d{4}-/);
      expect((await live()).secret).toEqual(before.secret);
      await run('dapr mtls rotate undo -k');
      await expectNothingLeft('undone');
    });

    test.each([
      ['bridge', 'drain'],
      ['staged', 'switch'],
    ])('%s is undone behind %s', async (procedure, phase) => {
      const before = await live();
      const stopped = await run(`dapr mtls rotate run -k --wait --procedure ${procedure} --until ${phase}`);
      expect(stopped.stdout).toContain(`stopped behind ${phase}, as it was asked to`);
      expect((await live()).anchors).not.toBe(before.anchors);
      await run('dapr mtls rotate undo -k --wait');
      const after = await live();
      expect(after).toMatchObject({ anchors: before.anchors, chain: before.chain, key: before.key });
      expect(after.published).toBe(before.anchors);
      for (const set of await held()) expect(set).toContain(fingerprintsIn(before.anchors)[0]);
      await expectNothingLeft('undone');
      const again = await run('dapr mtls rotate undo -k', 5);
      expect(again.stderr).toContain('the rotation is undone already');
    });

    test('once the old anchor has gone it is only gone on with', async () => {
      await run('dapr mtls rotate run -k --wait --until drain');
      const waiting = await run('dapr mtls rotate run -k --restart none', 8);
      expect(waiting.stdout).toMatch(/dapr-sentry-\S+ started before /);
      const refused = await run('dapr mtls rotate undo -k', 4);
      expect(refused.stderr).toContain('the old anchors have gone already');
      await run('dapr mtls rotate run -k --wait');
      await expectRotated();
    });
  });

  describe('gates that people close', () => {
    test('external clients are asked for, and confirmed by name', async () => {
      await cluster.admin.kubectl([
        ...['patch', 'configurations.dapr.io', 'daprsystem', '-n', system, '--type=merge', '-p'],
        JSON.stringify({ spec: { mtls: { tokenValidators: [{ name: 'jwks', options: { source: 'https://a' } }] } } }),
      ]);
      const waiting = await run('dapr mtls rotate run -k', 8);
      expect(waiting.stdout).toContain('dapr-mtls rotate confirm external-clients -k');
      await run('dapr mtls rotate confirm external-clients -k');
      await run('dapr mtls rotate run -k --wait');
      await cluster.admin.kubectl([
        ...['patch', 'configurations.dapr.io', 'daprsystem', '-n', system, '--type=merge', '-p'],
        JSON.stringify({ spec: { mtls: { tokenValidators: null } } }),
      ]);
      await expectRotated();
      const { confirmations } = await record();
      expect(confirmations).toMatchObject([
        { what: 'external-clients', phase: 'distribute', by: expect.stringMatching(/@/) },
      ]);
    });

    test('applications that are not its to restart are named, and waited for', async () => {
      const waiting = await run('dapr mtls rotate run -k --restart control-plane', 8);
      for (const name of [
        'deployment shop/deployment-1',
        'statefulset shop/statefulset-1',
        'daemonset shop/daemonset-1',
      ])
        expect(waiting.stdout).toContain(name);
      await run('dapr mtls restart -k --apps -n shop');
      await run('dapr mtls rotate run -k --wait --restart control-plane');
      await expectRotated();
    });

    test('a paused Deployment holds it up until somebody answers for it', async () => {
      await cluster.admin.kubectl(['rollout', 'pause', '-n', 'shop', 'deployment/deployment-2']);
      const waiting = await run('dapr mtls rotate run -k', 8);
      expect(waiting.stdout).toContain('deployment shop/deployment-2');
      expect(waiting.stdout).not.toContain('deployment shop/deployment-1');
      await run('dapr mtls rotate run -k --wait --skip-workload shop/deployment-2');
      expect((await record()).skipped).toMatchObject([{ workload: 'shop/deployment-2' }]);
      expect(await held()).toHaveLength(2);
      await cluster.admin.kubectl(['rollout', 'resume', '-n', 'shop', 'deployment/deployment-2']);
      await run('dapr mtls restart -k --apps -n shop --only deploy/deployment-2');
      await expectRotated();
    });
  });
});
