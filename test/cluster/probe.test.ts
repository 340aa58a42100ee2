import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { makeBundle } from '../support/bundles.ts';
import { copyProgram, type Program } from '../support/program.ts';
import { schemaViolations } from '../support/schema.ts';
import { type SentryServer, startSentryServer } from '../support/sentry-server.ts';
import type { KubeJson } from './admin.ts';
import { deployApps } from './apps.ts';
import { whyNoCluster } from './build-programs.ts';
import { type InstalledDapr, installDapr } from './dapr.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';
import type { Grant } from './users.ts';
import { waitUntil } from './wait.ts';

const missing = await whyNoCluster();
const system = 'dapr-system';
const webhookPath = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/dapr-sidecar-injector';

describe.skipIf(missing !== undefined)(missing ?? 'mtls probe on a real cluster', () => {
  let cluster: TestCluster;
  let program: Program;
  let dapr: InstalledDapr;
  let files: BundleFiles;
  let sentry: SentryServer;

  beforeAll(async () => {
    program = copyProgram();
    cluster = await startCluster();
    files = (await makeBundle({ at: new Date() })).files;
    dapr = await installDapr(cluster, { version: '1.17.13', bundle: files });
    sentry = await startSentryServer(files);
  });
  afterEach(async () => {
    dapr.injector?.giveOut(undefined);
    await dapr.injector?.refresh();
  });
  afterAll(async () => {
    await sentry?.stop();
    await cluster?.stop();
  });

  async function probe(words: readonly string[] = [], kubeconfig = cluster.kubeconfig) {
    const line = ['probe', '--kubeconfig', kubeconfig, '--format', 'json', ...words];
    const { exitCode, stdout, stderr } = await program.run(line);
    if (stdout === '') throw new Error(stderr);
    const report = JSON.parse(stdout);
    expect(schemaViolations(report)).toEqual([]);
    const states = Object.fromEntries(report.checks.map(({ name, state }: KubeJson) => [name, state]));
    return { exitCode, report, states, sentence: report.sentence as string };
  }

  const patchWebhook = (clientConfig: object) =>
    cluster.admin.request(
      'PATCH',
      webhookPath,
      [{ op: 'replace', path: '/webhooks/0/clientConfig', value: clientConfig }],
      'application/json-patch+json',
    );
  const readWebhook = async () => (await cluster.admin.request('GET', webhookPath)).body.webhooks[0];
  /** The API server takes a change of a webhook from a cache that follows its own writes. */
  const untilInjected = (wanted: boolean) =>
    waitUntil('the API server has taken the change', async () => {
      const { states } = await probe();
      return (states.injection === 'ok') === wanted;
    });

  test('the next pod works, and what was said of it comes true', async () => {
    const { exitCode, report, states, sentence } = await probe(['--sentry-address', sentry.address]);
    expect(states).toEqual({ injection: 'ok', anchors: 'ok', webhook: 'ok', sentry: 'ok', bundle: 'ok' });
    expect({ exitCode, sentence }).toEqual({
      exitCode: 0,
      sentence:
        'The next pod in default will get working trust: what its sidecar is given verifies the issuer in use, and the running Sentry verifies under it.',
    });
    expect(await cluster.admin.list('pods', 'default')).toEqual([]);
    expect(dapr.injector?.injected()).toBe(0);

    await deployApps(cluster, { namespaces: ['real'], pods: 1 });
    const [pod] = await cluster.admin.list('pods', 'real');
    const daprd = pod?.spec.containers.find(({ name }: KubeJson) => name === 'daprd');
    const given = daprd.env.find(({ name }: KubeJson) => name === 'DAPR_TRUST_ANCHORS').value;
    expect(given).toBe(files.anchors.toString());
    expect(report.anchors).toHaveLength(1);
  });

  test('a stale injector hands out anchors of the past', async () => {
    const former = await makeBundle({ at: new Date() });
    dapr.injector?.giveOut(former.files.anchors.toString());
    const { exitCode, states, sentence } = await probe(['--sentry-address', sentry.address, '--fail-on', 'error']);
    expect(states).toEqual({ injection: 'ok', anchors: 'failed', webhook: 'ok', sentry: 'failed', bundle: 'ok' });
    expect(exitCode).toBe(10);
    expect(sentence).toMatch(
      /^The next pod in default will not get working trust: what the sidecar is given verifies none/,
    );
  });

  test('an injector that is down leaves pods silently without a sidecar', async () => {
    const { clientConfig } = await readWebhook();
    await patchWebhook({ ...clientConfig, url: 'https://127.0.0.1:1/mutate' });
    await untilInjected(false);
    const { exitCode, states, sentence } = await probe();
    expect(states).toMatchObject({ injection: 'failed', anchors: 'not-checked', webhook: 'ok' });
    expect(exitCode).toBe(10);
    expect(sentence).toMatch(
      /made without a sidecar, and nobody is told: the injector does not answer the API server\.$/,
    );
    // It is as the probe says.
    await cluster.admin.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'silent' } }]);
    await deployApps(cluster, { namespaces: ['silent'], pods: 1 });
    const [pod] = await cluster.admin.list('pods', 'silent');
    expect(pod?.spec.containers.map(({ name }: KubeJson) => name)).toEqual(['app']);
    await patchWebhook(clientConfig);
    await untilInjected(true);
  });

  test('a caBundle of a former bundle cuts the API server off from the injector', async () => {
    const former = await makeBundle({ at: new Date() });
    const { clientConfig } = await readWebhook();
    await patchWebhook({ ...clientConfig, caBundle: former.files.anchors.toString('base64') });
    await untilInjected(false);
    const { states, report } = await probe();
    expect(states).toMatchObject({ injection: 'failed', webhook: 'failed' });
    const webhook = report.checks.find(({ name }: KubeJson) => name === 'webhook');
    expect(webhook).toMatchObject({
      reason: "the webhook's caBundle is not the anchors of the bundle",
      hint: expect.stringContaining('dapr-mtls restart -k'),
    });
    await patchWebhook(clientConfig);
    await untilInjected(true);
  });

  test('a webhook that must answer refuses the pod where it does not', async () => {
    const { clientConfig } = await readWebhook();
    const setPolicy = (policy: string, config: object) =>
      cluster.admin.request(
        'PATCH',
        webhookPath,
        [
          { op: 'replace', path: '/webhooks/0/failurePolicy', value: policy },
          { op: 'replace', path: '/webhooks/0/clientConfig', value: config },
        ],
        'application/json-patch+json',
      );
    await setPolicy('Fail', { ...clientConfig, url: 'https://127.0.0.1:1/mutate' });
    await untilInjected(false);
    const { states, sentence, exitCode } = await probe(['--request-timeout', '3']);
    expect([states.injection, exitCode]).toEqual(['failed', 10]);
    expect(sentence).toMatch(
      /no pod with a sidecar can be made: .*failed calling webhook "sidecar-injector\.dapr\.io"/,
    );
    await setPolicy('Ignore', clientConfig);
    await untilInjected(true);
  });

  test('a Sentry of another bundle makes sidecars hang', async () => {
    const other = await makeBundle({ at: new Date() });
    sentry.use(other.files);
    const { states, sentence, exitCode } = await probe(['--sentry-address', sentry.address]);
    expect([states.anchors, states.sentry, exitCode]).toEqual(['ok', 'failed', 10]);
    expect(sentence).toContain('the sidecar would hang');
    sentry.use(files);
  });

  describe('as a user of few rights', () => {
    const reading: readonly Grant[] = [
      { namespace: system, resources: ['secrets', 'configmaps'], verbs: ['get'], resourceNames: ['dapr-trust-bundle'] },
      { namespace: system, apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] },
      { namespace: system, apiGroups: ['dapr.io'], resources: ['configurations'], verbs: ['get'] },
      {
        apiGroups: ['admissionregistration.k8s.io'],
        resources: ['mutatingwebhookconfigurations'],
        verbs: ['get'],
      },
    ];
    const pods: Grant = { namespace: 'default', resources: ['pods'], verbs: ['create'] };

    test('who may make no pods is told so', async () => {
      const kubeconfig = await cluster.addUser('reader', reading);
      const { exitCode, states, sentence } = await probe([], kubeconfig);
      expect(states).toMatchObject({ injection: 'not-checked', webhook: 'ok', bundle: 'ok' });
      expect(sentence).toMatch(/is not known: this user may not create pods/);
      expect(exitCode).toBe(10);
      expect((await probe(['--fail-on', 'error'], kubeconfig)).exitCode).toBe(0);
    });

    test('whose pods the injector does not serve is no evidence against it', async () => {
      const kubeconfig = await cluster.addUser('maker', [...reading, pods]);
      const { states, sentence } = await probe([], kubeconfig);
      expect(states.injection).toBe('not-checked');
      expect(sentence).toContain('the injector gives sidecars to the pods of controllers and of system:masters only');
    });

    test('who may act as the controller of ReplicaSets knows', async () => {
      const impersonation: readonly Grant[] = [
        {
          namespace: 'kube-system',
          resources: ['serviceaccounts'],
          verbs: ['impersonate'],
          resourceNames: ['replicaset-controller'],
        },
        { resources: ['groups'], verbs: ['impersonate'] },
      ];
      const kubeconfig = await cluster.addUser('actor', [...reading, pods, ...impersonation]);
      const { states, exitCode } = await probe([], kubeconfig);
      expect(states).toMatchObject({ injection: 'ok', anchors: 'ok' });
      expect(exitCode).toBe(0);
    });
  });
});
