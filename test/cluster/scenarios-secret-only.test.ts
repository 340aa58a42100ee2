import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import { whySentryRefuses } from '../../src/pki/sentry.ts';
import { makeBundle } from '../support/bundles.ts';
import { whyNoCluster } from './build-programs.ts';
import { layAsSentry, whyNotRestarted } from './control-plane-pods.ts';
import { installDapr } from './dapr.ts';
import { type Dapr, openDapr } from './program.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';

const missing = await whyNoCluster();
const version = '1.11.6';
const system = 'dapr-system';
const bundleName = 'dapr-trust-bundle';

/** Up to Dapr 1.11 there is no ConfigMap, the Configuration holds less, and there is no scheduler. */
describe.skipIf(missing !== undefined)(missing ?? 'Dapr 1.11, whose bundle is the Secret alone', () => {
  let cluster: TestCluster;
  let dapr: Dapr;
  let first: Awaited<ReturnType<typeof makeBundle>>;

  beforeAll(async () => {
    cluster = await startCluster();
    dapr = openDapr(cluster.kubeconfig);
    first = await makeBundle({ at: new Date() });
    await installDapr(cluster, { version, bundle: first.files });
    await layAsSentry(cluster, first.files, version);
    writeFileSync(join(dapr.folder, 'root.key'), encodePrivateKey(first.rootKey), { mode: 0o600 });
  }, 240_000);
  afterAll(async () => {
    await cluster?.stop();
  });

  /** The Secret as a Sentry reads it; fails where it would not serve on it, and where a ConfigMap was made. */
  async function bundle() {
    const secret = await cluster.admin.get('secret', bundleName, system);
    const file = (name: string) => Buffer.from(secret?.data[name] ?? '', 'base64');
    const files = { anchors: file('ca.crt'), issuerChain: file('issuer.crt'), issuerKey: file('issuer.key') };
    expect(whySentryRefuses(files, new Date())).toBeUndefined();
    expect(await cluster.admin.get('configmap', bundleName, system)).toBeUndefined();
    return files;
  }

  test('is read: mtls -k, expiry, export, status -k, check', async () => {
    expect((await dapr.run('dapr mtls -k')).stdout).toBe('Mutual TLS is enabled in your Kubernetes cluster \n');
    expect((await dapr.run('dapr mtls expiry')).stdout).toMatch(/^Root certificate expires in 87\d\d hours\. /);
    expect((await dapr.run('dapr mtls export -o ./certs')).exitCode).toBe(0);
    expect(readFileSync(join(dapr.folder, 'certs', 'issuer.key'))).toEqual(first.files.issuerKey);
    const { stdout } = await dapr.run('dapr status -k');
    const rows = stdout.trimEnd().split('\n').slice(1);
    expect(rows.map((row) => row.trim().split(/ {2,}/).slice(0, 6))).toEqual(
      ['dapr-sentry', 'dapr-sidecar-injector', 'dapr-operator', 'dapr-placement-server'].map((name) => [
        name,
        system,
        'True',
        'Running',
        '1',
        version,
      ]),
    );
    const check = await dapr.run('dapr mtls check -k --format json --fail-on error');
    const codes = JSON.parse(check.stdout).findings.map(({ code }: { code: string }) => code);
    expect(check.exitCode, codes.join()).toBe(0);
    expect(codes).not.toContain('cluster.bundle-mismatch');
  });

  test('is renewed and restarted, and no ConfigMap appears', async () => {
    const since = new Date(Date.now() - 1000).toISOString();
    const { exitCode, stdout, stderr } = await dapr.run('dapr mtls renew-certificate -k --valid-until 20 --restart');
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain('Certificate rotation is successful!');
    expect(stdout).toContain('All control plane services have restarted successfully!');
    expect(await whyNotRestarted(cluster, since)).toEqual([]);
    expect((await dapr.run('dapr status -k')).stderr).toContain('expires in 19 days.');
    expect((await bundle()).anchors).not.toEqual(first.files.anchors);
  });

  test.each([
    'dapr mtls renew-certificate -k --ca-root-certificate certs/ca.crt --issuer-private-key certs/issuer.key --issuer-public-certificate certs/issuer.crt',
    'dapr mtls renew-certificate -k --private-key root.key',
    'dapr mtls backup create -k',
    'dapr mtls backup restore -k 0001',
    'dapr mtls repair -k',
    'dapr mtls repair -k --from secret',
    'dapr mtls repair -k --from backup --backup 0001',
    'dapr mtls config set workloadCertTTL=12h -k',
  ])('%s: the Secret is whole, and alone', async (line) => {
    const { exitCode, stderr } = await dapr.run(line);
    expect(exitCode, stderr).toBe(0);
    await bundle();
  });

  test('--from configmap is refused: there is none', async () => {
    const before = await bundle();
    const { exitCode } = await dapr.run('dapr mtls repair -k --from configmap');
    expect([2, 4]).toContain(exitCode);
    expect(await bundle()).toEqual(before);
  });
});
