import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeBundle } from '../support/bundles.ts';
import { copyProgram, type Outcome, type Program } from '../support/program.ts';
import { schemaViolations } from '../support/schema.ts';
import { whyNoCluster } from './build-programs.ts';
import { installDapr } from './dapr.ts';
import { podAnnotations } from './stages.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';
import { waitUntil } from './wait.ts';

const missing = await whyNoCluster();
const system = 'dapr-system';

describe.skipIf(missing !== undefined)(missing ?? 'status and mtls on a real cluster', () => {
  let cluster: TestCluster;
  let program: Program;

  beforeAll(async () => {
    program = copyProgram();
    cluster = await startCluster();
    const { files } = await makeBundle({ at: new Date() });
    const text = (pem: Uint8Array) => Buffer.from(pem).toString();
    const bundle = {
      anchors: text(files.anchors),
      issuerChain: text(files.issuerChain),
      issuerKey: text(files.issuerKey),
    };
    await installDapr(cluster, { version: '1.17.13', ha: true, bundle });
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  const run = (words: readonly string[], kubeconfig = cluster.kubeconfig): Promise<Outcome> =>
    program.run([...words, '--kubeconfig', kubeconfig], { env: { TZ: 'UTC' } });
  const rowsOf = async () => {
    const { stdout, exitCode } = await run(['status', '-k']);
    expect(exitCode).toBe(0);
    const lines = stdout.trimEnd().split('\n').slice(1);
    return lines.map((line) => line.trimEnd().split(/ {2,}/).slice(0, 6));
  };
  const rowOf = async (service: string) => (await rowsOf()).find(([name]) => name === service);
  const patchTemplate = (service: string, annotations: Record<string, string | null>) =>
    cluster.admin.kubectl([
      'patch',
      'deployment',
      service,
      '-n',
      system,
      '-p',
      JSON.stringify({ spec: { template: { metadata: { annotations } } } }),
    ]);

  test('an HA control plane is healthy, three replicas a service', async () => {
    expect(await rowsOf()).toEqual(
      ['dapr-sentry', 'dapr-sidecar-injector', 'dapr-operator', 'dapr-placement-server', 'dapr-scheduler-server'].map(
        (name) => [name, system, 'True', 'Running', '3', '1.17.13'],
      ),
    );
    const { stdout } = await run(['status', '-k', '--format', 'json']);
    expect(schemaViolations(JSON.parse(stdout))).toEqual([]);
  });

  test('a rollout that crashes shows, although the pods from before are ready', async () => {
    await patchTemplate('dapr-operator', { [podAnnotations.behaviour]: 'crash-loop' });
    const crashing = async () => (await rowOf('dapr-operator'))?.[3]?.startsWith('Waiting (') ?? false;
    await waitUntil('the new pod crashes', crashing);
    const ready = await cluster.admin.get('deployment', 'dapr-operator', system);
    expect(ready?.status.readyReplicas).toBe(3);
    expect(await rowOf('dapr-operator')).toEqual([
      'dapr-operator',
      system,
      'False',
      'Waiting (CrashLoopBackOff)',
      '4',
      '1.17.13',
    ]);
    expect((await run(['status', '-k', '--fail-on', 'error'])).exitCode).toBe(10);

    await patchTemplate('dapr-operator', { [podAnnotations.behaviour]: null });
    await waitUntil('the operator is back', async () => (await rowOf('dapr-operator'))?.[2] === 'True');
  });

  test('a service scaled to 0 keeps its row and is not sick', async () => {
    const scale = (replicas: number) =>
      cluster.admin.kubectl(['scale', '-n', system, 'statefulset/dapr-placement-server', `--replicas=${replicas}`]);
    await scale(0);
    const expected = ['dapr-placement-server', system, 'True', 'Scaled to 0', '0', '1.17.13'];
    await waitUntil('placement is gone', async () => (await rowOf('dapr-placement-server'))?.[4] === '0');
    expect(await rowOf('dapr-placement-server')).toEqual(expected);
    await scale(3);
    await waitUntil('placement is back', async () => (await rowOf('dapr-placement-server'))?.[2] === 'True');
  });

  test('the rights that the documentation names are enough', async () => {
    const kubeconfig = await cluster.addUser('onlooker', [
      { namespace: system, resources: ['pods'], verbs: ['list'] },
      { namespace: system, apiGroups: ['apps'], resources: ['deployments', 'statefulsets'], verbs: ['list'] },
      { namespace: system, apiGroups: ['dapr.io'], resources: ['configurations'], verbs: ['get'] },
    ]);
    const status = await run(['status', '-k'], kubeconfig);
    expect(status.exitCode).toBe(0);
    expect(status.stderr).toContain('expiry not checked: this user may not get');
    const mtls = await run(['-k'], kubeconfig);
    expect(mtls).toMatchObject({ exitCode: 0, stdout: 'Mutual TLS is enabled in your Kubernetes cluster \n' });
  });

  test('mtls tells a Configuration that was switched off', async () => {
    await cluster.admin.kubectl([
      'patch',
      'configurations.dapr.io',
      'daprsystem',
      '-n',
      system,
      '--type=merge',
      '-p',
      '{"spec":{"mtls":{"enabled":false}}}',
    ]);
    expect((await run(['-k'])).stdout).toBe('Mutual TLS is disabled in your Kubernetes cluster \n');
  });

  test('after an uninstall both fail in the known words', async () => {
    await cluster.admin.kubectl(['delete', 'namespace', system, '--wait=false']);
    await waitUntil('Sentry is gone', async () => !(await cluster.admin.get('deployment', 'dapr-sentry', system)));
    await waitUntil('its pods are gone', async () => (await cluster.admin.list('pods', system)).length === 0);
    const status = await run(['status', '-k']);
    expect(status.exitCode).toBe(5);
    expect(status.stderr).toContain('No status returned. Is Dapr initialized in your cluster?');
    const mtls = await run(['-k']);
    expect(mtls.exitCode).toBe(5);
    expect(mtls.stderr).toContain('error checking mTLS: system configuration not found');
  });
});
