import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { dayMs, makeBundle } from '../support/bundles.ts';
import { copyProgram, type Program } from '../support/program.ts';
import { schemaViolations } from '../support/schema.ts';
import { type SentryServer, startSentryServer } from '../support/sentry-server.ts';
import { whyNoCluster } from './build-programs.ts';
import { installDapr } from './dapr.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';
import type { Grant } from './users.ts';

const missing = await whyNoCluster();
const namespace = 'dapr-system';
/** The least that docs/kubernetes.md names. */
const configMapAlone: Grant = {
  namespace,
  resources: ['configmaps'],
  verbs: ['get'],
  resourceNames: ['dapr-trust-bundle'],
};

describe.skipIf(missing !== undefined)(missing ?? 'a service account without any right to a Secret', () => {
  let cluster: TestCluster;
  let program: Program;
  let files: BundleFiles;
  let sentry: SentryServer;
  let watcher: string;

  beforeAll(async () => {
    program = copyProgram();
    cluster = await startCluster();
    files = (await makeBundle({ at: new Date(), issuerValidMs: 100 * dayMs })).files;
    await installDapr(cluster, { version: '1.17.13', bundle: files });
    sentry = await startSentryServer(files);
    watcher = await cluster.addUser('watcher', [configMapAlone], { credentials: 'token' });
  });
  afterAll(async () => {
    await sentry?.stop();
    await cluster?.stop();
  });

  const run = (words: string, kubeconfig = watcher) =>
    program.run([...words.split(' '), '--kubeconfig', kubeconfig, '--sentry-address', sentry.address]);

  test('is refused the Secret', async () => {
    const { exitCode, stderr } = await program.run(['export', '--kubeconfig', watcher, '-o', 'nothing']);
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('secret')]);
  });

  test('is told when root and issuer end, and the same as who may read it', async () => {
    const told = await run('expiry --format json --fail-on warning');
    expect(told.exitCode, told.stderr).toBe(0);
    const report = JSON.parse(told.stdout);
    expect(schemaViolations(report)).toEqual([]);
    expect(report.store.source).toBe('public');
    const whole = JSON.parse((await run('expiry --format json', cluster.kubeconfig)).stdout);
    expect([report.root.fingerprint, report.issuer.fingerprint]).toEqual([
      whole.root.fingerprint,
      whole.issuer.fingerprint,
    ]);
    expect((await run('expiry --fail-on warning --warn-before 200d')).exitCode).toBe(10);
  });

  test('of a Sentry that runs on another bundle is told so', async () => {
    sentry.use((await makeBundle({ at: new Date() })).files);
    const told = await run('expiry');
    sentry.use(files);
    expect([told.exitCode, told.stderr]).toEqual([4, expect.stringContaining('none of the anchors in the ConfigMap')]);
  });

  test('warns in status, and knows the root in an audit, with the rights of these besides', async () => {
    const list = (resources: string[], apiGroups: string[]): Grant => ({
      namespace,
      resources,
      apiGroups,
      verbs: ['list'],
    });
    const looker = await cluster.addUser('looker', [
      configMapAlone,
      { namespace, resources: ['deployments'], apiGroups: ['apps'], resourceNames: ['dapr-sentry'], verbs: ['get'] },
      list(['pods'], ['']),
      list(['deployments', 'statefulsets', 'replicasets'], ['apps']),
      { resources: ['pods'], verbs: ['list'] },
    ]);
    const status = JSON.parse((await run('status -k --format json', looker)).stdout);
    expect(status.expiry).toMatchObject({ checked: true, source: 'public' });
    const audit = JSON.parse((await run('audit --format json', looker)).stdout);
    expect(audit.against.issuer).toMatch(/^[0-9a-f]{64}$/);
  });
});
