import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeBundle } from '../support/bundles.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { isReady, type KubeJson } from './admin.ts';
import { deployApps } from './apps.ts';
import { whyNoCluster } from './build-programs.ts';
import { type InstalledDapr, installDapr } from './dapr.ts';
import { podAnnotations } from './stages.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';
import { waitUntil } from './wait.ts';

const missing = await whyNoCluster();
const chart = fileURLToPath(new URL('chart', import.meta.url));

describe.skipIf(missing !== undefined)(missing ?? 'a cluster', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  test('a Deployment rolls to new pods of a new ReplicaSet', async () => {
    await deployApps(cluster, { namespaces: ['rolling'], deployments: 1, replicas: 3, isInjected: false });
    const before = await cluster.admin.list('pods', 'rolling');
    await restart('deployment/deployment-1', 'rolling');
    const after = await waitUntil('the old pods are gone', async () => {
      const pods = await cluster.admin.list('pods', 'rolling');
      return pods.length === 3 && pods;
    });
    expect(hashesOf(after)).toHaveLength(1);
    expect(hashesOf(after)).not.toEqual(hashesOf(before));
  });

  test('a StatefulSet rolls one pod at a time, from the last to the first', async () => {
    const annotations = { [podAnnotations.readyAfter]: '300ms' };
    await deployApps(cluster, {
      namespaces: ['ordered'],
      statefulSets: 1,
      replicas: 3,
      isInjected: false,
      annotations,
    });
    await restart('statefulset/statefulset-1', 'ordered');
    const pods = await cluster.admin.list('pods', 'ordered');
    // A pod is written last when it becomes ready.
    const inOrder = [...pods].sort((a, b) => a.metadata.resourceVersion - b.metadata.resourceVersion);
    expect(namesOf(inOrder)).toEqual(['statefulset-1-2', 'statefulset-1-1', 'statefulset-1-0']);
  });

  test.each([
    ['crash-loop', 'Running', 'CrashLoopBackOff'],
    ['image-missing', 'Pending', 'ImagePullBackOff'],
    ['never-ready', 'Running', undefined],
  ] as const)('a pod told to be %s is %s', async (behaviour, phase, reason) => {
    await deployApps(cluster, { namespaces: [behaviour], deployments: 1, isInjected: false, behaviour });
    const [pod] = await waitUntil(behaviour, async () => {
      const pods = await cluster.admin.list('pods', behaviour);
      return pods[0]?.status.containerStatuses && pods;
    });
    expect(pod?.status.phase).toBe(phase);
    expect(pod?.status.containerStatuses[0]).toMatchObject({ ready: false });
    expect(pod?.status.containerStatuses[0].state.waiting?.reason).toBe(reason);
  });

  test('pods that do not become ready are told of, with the words of who should see to that', async () => {
    await cluster.admin.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'stuck' } }]);
    const stuck = deployApps(cluster, {
      namespaces: ['stuck'],
      deployments: 1,
      isInjected: false,
      annotations: { [podAnnotations.behaviour]: 'never-ready' },
      patience: { timeoutMs: 2000 },
    });
    await expect(stuck).rejects.toThrow(/1 pods\n(.*\n)*deployment-1-\w+-\w+ on node-.*ContainersReady(.*\n)*kwok:\n/);
  });

  test('a pod can be sound until a restart', async () => {
    const annotations = { [podAnnotations.afterRestart]: 'crash-loop' };
    await deployApps(cluster, { namespaces: ['after'], deployments: 1, replicas: 2, isInjected: false, annotations });
    await cluster.admin.kubectl(['rollout', 'restart', 'deployment/deployment-1', '-n', 'after']);
    await waitUntil('a crash', async () => {
      const pods = await cluster.admin.list('pods', 'after');
      return pods.some(({ status }) => status.containerStatuses?.[0].state.waiting?.reason === 'CrashLoopBackOff');
    });
  });

  test.each(['certificate', 'token'] as const)(
    'a user by %s may do what was granted, no verb more',
    async (credentials) => {
      await cluster.admin.apply([
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shown', namespace: 'default' } },
      ]);
      const kubeconfig = await cluster.addUser(
        `reader-by-${credentials}`,
        [{ namespace: 'default', resources: ['configmaps'], resourceNames: ['shown'], verbs: ['get'] }],
        { credentials },
      );
      const as = (...words: string[]) => cluster.admin.kubectl(['--kubeconfig', kubeconfig, '-n', 'default', ...words]);
      expect(await as('get', 'configmap', 'shown', '-o', 'name')).toBe('configmap/shown\n');
      await expect(as('patch', 'configmap', 'shown', '-p', '{}')).rejects.toThrow(/Forbidden.*cannot patch/);
      await expect(as('get', 'configmap', 'kube-root-ca.crt')).rejects.toThrow(/Forbidden.*cannot get/);
    },
  );

  test("Helm's chart holds the bundle only if the values do", async () => {
    const upgrade = (...values: string[]) =>
      cluster.helm(['upgrade', '--install', 'dapr', chart, '-n', 'by-helm', '--create-namespace', '--wait', ...values]);
    const bundleOf = (kind: string) => cluster.admin.get(kind, 'dapr-trust-bundle', 'by-helm');
    await upgrade();
    expect((await bundleOf('secret'))?.data).toBeUndefined();
    expect((await bundleOf('configmap'))?.data).toBeUndefined();

    const root = 'dapr_sentry.tls.root.certPEM=R\n';
    await upgrade('--set', root);
    expect((await bundleOf('secret'))?.data).toBeUndefined();
    expect((await bundleOf('configmap'))?.data).toEqual({ 'ca.crt': 'R\n' });

    const issuer = ['--set', 'dapr_sentry.tls.issuer.certPEM=C', '--set', 'dapr_sentry.tls.issuer.keyPEM=K'];
    await upgrade('--set', root, ...issuer);
    expect((await bundleOf('secret'))?.data).toEqual({ 'ca.crt': 'Ugo=', 'issuer.crt': 'Qw==', 'issuer.key': 'Sw==' });
    expect(await cluster.admin.list('secrets', 'by-helm', 'owner=helm,name=dapr')).toHaveLength(3);
  });

  describe('with Dapr', () => {
    const namespace = 'dapr-system';
    let first: BundleTexts;
    let dapr: InstalledDapr;

    beforeAll(async () => {
      first = await newBundle();
      dapr = await installDapr(cluster, { version: '1.17.13', bundle: first });
    });

    test('all of the control plane is there and ready', async () => {
      const pods = await cluster.admin.list('pods', namespace);
      expect(pods.every(isReady)).toBe(true);
      expect([...new Set(pods.map(({ metadata }) => metadata.labels.app))].sort()).toEqual(
        expect.arrayContaining([
          'dapr-operator',
          'dapr-placement-server',
          'dapr-scheduler-server',
          'dapr-sentry',
          'dapr-sidecar-injector',
        ]),
      );
    });

    test('a Configuration has to be whole', async () => {
      const { status } = await cluster.admin.request(
        'POST',
        `/apis/dapr.io/v1alpha1/namespaces/${namespace}/configurations`,
        {
          apiVersion: 'dapr.io/v1alpha1',
          kind: 'Configuration',
          metadata: { name: 'half' },
          spec: { mtls: { enabled: true } },
        },
      );
      expect(status).toBe(422);
    });

    test('pods of every kind of owner get the live anchors', async () => {
      const kinds = { deployments: 1, statefulSets: 1, daemonSets: 1, jobs: 1, pods: 1 };
      const count = await deployApps(cluster, { namespaces: ['shop'], ...kinds, replicas: 2 });
      const pods = await cluster.admin.list('pods', 'shop', 'dapr.io/sidecar-injected=true');
      expect(pods).toHaveLength(count);
      expect(count).toBe(2 + 2 + 2 + 1 + 1);
      expect(new Set(pods.map(anchorsOf))).toEqual(new Set([first.anchors]));
    });

    test('the injector gives out new anchors at once, and takes its own certificate when it is restarted', async () => {
      const next = await newBundle();
      await cluster.admin.kubectl(['delete', 'configmap', 'dapr-trust-bundle', '-n', namespace]);
      await cluster.admin.kubectl([
        'patch',
        'secret',
        'dapr-trust-bundle',
        '-n',
        namespace,
        '-p',
        JSON.stringify({ stringData: filesOf(next) }),
      ]);
      await cluster.admin.kubectl([
        'create',
        'configmap',
        'dapr-trust-bundle',
        '-n',
        namespace,
        `--from-literal=ca.crt=${next.anchors}`,
      ]);
      await restart('deployment/deployment-1', 'shop');
      const pods = await cluster.admin.list('pods', 'shop', 'app=deployment-1');
      expect(new Set(pods.filter(({ metadata }) => !metadata.deletionTimestamp).map(anchorsOf))).toEqual(
        new Set([next.anchors]),
      );
      expect(await caBundle()).toBe(first.anchors);

      await restart('deployment/dapr-sidecar-injector', namespace);
      await waitUntil('the caBundle follows', async () => (await caBundle()) === next.anchors);
      const before = dapr.injector?.injected() ?? 0;
      await deployApps(cluster, { namespaces: ['late'], pods: 1 });
      expect(dapr.injector?.injected()).toBe(before + 1);
    });
  });

  async function restart(workload: string, namespace: string): Promise<void> {
    await cluster.admin.kubectl(['rollout', 'restart', workload, '-n', namespace]);
    await cluster.admin.kubectl(['rollout', 'status', workload, '-n', namespace, '--timeout=60s']);
  }

  async function caBundle(): Promise<string> {
    const webhook = await cluster.admin.get('mutatingwebhookconfiguration', 'dapr-sidecar-injector');
    return Buffer.from(webhook?.webhooks[0].clientConfig.caBundle, 'base64').toString();
  }
});

describe.skipIf(missing !== undefined)(missing ?? 'a second cluster with an old Dapr in high availability', () => {
  test('has the Secret alone, and pods without the label', async () => {
    const cluster = await startCluster({ nodes: 3 });
    try {
      const bundle = await newBundle();
      await installDapr(cluster, { version: '1.9.6', ha: true, bundle });
      const pods = await cluster.admin.list('pods', 'dapr-system', 'app=dapr-placement-server');
      expect(pods.filter(isReady)).toHaveLength(3);
      expect(await cluster.admin.get('configmap', 'dapr-trust-bundle', 'dapr-system')).toBeUndefined();

      await deployApps(cluster, { namespaces: ['shop'], deployments: 1 });
      const [injected] = await cluster.admin.list('pods', 'shop');
      expect(anchorsOf(injected ?? {})).toBe(bundle.anchors);
      expect(Object.keys(injected?.metadata.labels)).not.toContain('dapr.io/sidecar-injected');
    } finally {
      await cluster.stop();
    }
  });
});

test('what the tests have started ends with them, however they end', async () => {
  const folder = temporaryDirectory();
  const left = temporaryDirectory();
  const script = join(folder, 'process.cjs');
  // The source is TypeScript, and a process that Node starts cannot read it.
  await build({
    entryPoints: [fileURLToPath(new URL('guarded-process.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    outfile: script,
  });
  const tests = fork(script, [left], { execArgv: [] });
  tests.send('start');
  const [pid] = (await once(tests, 'message')) as [number];
  expect(isRunning(pid)).toBe(true);
  tests.kill('SIGKILL');
  await waitUntil('the service is gone', async () => !isRunning(pid));
  await waitUntil('its folder is gone', async () => !existsSync(left));
}, 30_000);

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

interface BundleTexts {
  readonly anchors: string;
  readonly issuerChain: string;
  readonly issuerKey: string;
}

async function newBundle(): Promise<BundleTexts> {
  const { files } = await makeBundle({ at: new Date() });
  const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();
  return { anchors: text(files.anchors), issuerChain: text(files.issuerChain), issuerKey: text(files.issuerKey) };
}

function filesOf({ anchors, issuerChain, issuerKey }: BundleTexts): Record<string, string> {
  return { 'ca.crt': anchors, 'issuer.crt': issuerChain, 'issuer.key': issuerKey };
}

function anchorsOf(pod: KubeJson): string | undefined {
  const sidecar = pod.spec.containers.find(({ name }: KubeJson) => name === 'daprd');
  return sidecar?.env.find(({ name }: KubeJson) => name === 'DAPR_TRUST_ANCHORS')?.value;
}

function hashesOf(pods: readonly KubeJson[]): string[] {
  return [...new Set(pods.map(({ metadata }) => metadata.labels['pod-template-hash'] as string))];
}

function namesOf(objects: readonly KubeJson[]): string[] {
  return objects.map(({ metadata }) => metadata.name);
}
