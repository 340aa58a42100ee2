import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditSidecars } from '../../src/app/audit/audit.ts';
import { gatherAudit } from '../../src/cli/audit-input.ts';
import { openCluster } from '../../src/cli/open-cluster.ts';
import { factsOfPod, type PodObject } from '../../src/kube/pods/pod-facts.ts';
import { readPods } from '../../src/kube/pods/read-pods.ts';
import { type SidecarPod, toSidecarPod } from '../../src/kube/pods/sidecar-pod.ts';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { encodeBundle } from '../../src/pki/encode.ts';
import { makeBundle, renew } from '../support/bundles.ts';
import { deployApps } from './apps.ts';
import { whyNoCluster } from './build-programs.ts';
import { installDapr } from './dapr.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';

const missing = await whyNoCluster();

describe.skipIf(missing !== undefined)(missing ?? 'an audit of a real cluster', () => {
  let cluster: TestCluster;
  let old: BundleFiles;
  let bridged: BundleFiles;
  let sidecars: number;

  beforeAll(async () => {
    const now = new Date();
    old = (await makeBundle({ at: now })).files;
    bridged = encodeBundle((await renew(old, undefined, { now })).bundle);
    cluster = await startCluster();
    await installDapr(cluster, { version: '1.17.13', bundle: old });
    const kinds = { deployments: 2, statefulSets: 1, daemonSets: 1, jobs: 1, pods: 1 };
    sidecars = await deployApps(cluster, { namespaces: ['shop', 'billing'], ...kinds, replicas: 2 });
    await deployApps(cluster, { namespaces: ['ended'], jobs: 1, behaviour: 'completed' });
    await cluster.admin.apply(strangers);
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  test('reads the same from protobuf as kubectl does from JSON', async () => {
    const [inProtobuf, inJson] = [await readAll(), await readByKubectl()];
    expect(inProtobuf).toEqual(inJson);
    expect(inProtobuf.length).toBeGreaterThan(sidecars);
    expect(new Set(inProtobuf.map(({ workload }) => workload.kind))).toEqual(
      new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'Pod']),
    );
    expect(inProtobuf.find(({ name }) => name === 'native')?.daprd).toMatchObject({ native: true, version: '1.18.3' });
    expect(inProtobuf.find(({ name }) => name === 'referring')?.daprd?.trustAnchors).toEqual({ source: 'reference' });
  });

  test('finds every sidecar current, then stale under a bridge until its pod is re-created', async () => {
    expect((await audit()).totals).toMatchObject({ sidecars, current: sidecars });
    await writeBundle(bridged);
    expect((await audit()).totals).toMatchObject({ sidecars, stale: sidecars });
    const restarted = ['deployment/deployment-1', '-n', 'shop'];
    await cluster.admin.kubectl(['rollout', 'restart', ...restarted]);
    await cluster.admin.kubectl(['rollout', 'status', ...restarted, '--timeout=60s']);
    const { workloads } = await audit();
    expect(workloads.filter(({ state }) => state === 'current')).toMatchObject([
      { namespace: 'shop', kind: 'Deployment', name: 'deployment-1', sidecars: 2 },
    ]);
  });

  test('by who may list pods and read the ConfigMap does without the rest', async () => {
    const kubeconfig = await cluster.addUser('auditor', [
      { resources: ['pods'], verbs: ['list'] },
      { namespace: 'dapr-system', resources: ['configmaps'], verbs: ['get'], resourceNames: ['dapr-trust-bundle'] },
    ]);
    const report = await audit(kubeconfig);
    expect(report).toMatchObject({ against: { issuer: null }, scope: { pods: 'all' } });
    // Besides those that are labelled: the strangers.
    expect(report.totals.sidecars).toBe(sidecars + strangers.length);
  });

  test('by who may not list pods is an error', async () => {
    const kubeconfig = await cluster.addUser('blind', [
      { namespace: 'dapr-system', resources: ['configmaps'], verbs: ['get'] },
    ]);
    await expect(audit(kubeconfig)).rejects.toMatchObject({ code: 'cluster.forbidden' });
  });

  /** Labelled pods as they are found, for the control plane in dapr-system. */
  async function audit(kubeconfig = cluster.kubeconfig) {
    const client = await open(kubeconfig);
    try {
      const flags = { against: undefined, 'only-namespace': undefined, 'all-pods': false };
      return await auditSidecars(await gatherAudit(client, { namespace: 'dapr-system', ...flags }), new Date());
    } finally {
      client.close();
    }
  }

  function open(kubeconfig: string) {
    return openCluster({ context: undefined, kubeconfig, 'request-timeout': 15 }, {});
  }

  async function readAll(): Promise<SidecarPod[]> {
    const client = await open(cluster.kubeconfig);
    const pods: SidecarPod[] = [];
    for await (const batch of readPods(client, {})) pods.push(...batch);
    client.close();
    return pods;
  }

  async function readByKubectl(): Promise<SidecarPod[]> {
    const { items } = JSON.parse(await cluster.admin.kubectl(['get', 'pods', '-A', '-o', 'json'])) as {
      items: PodObject[];
    };
    return items.flatMap((pod) => toSidecarPod(factsOfPod(pod)) ?? []);
  }

  async function writeBundle({ anchors, issuerChain, issuerKey }: BundleFiles): Promise<void> {
    const patch = (kind: string, object: object) =>
      cluster.admin.kubectl(['patch', kind, 'dapr-trust-bundle', '-n', 'dapr-system', '-p', JSON.stringify(object)]);
    const texts = { 'ca.crt': `${anchors}`, 'issuer.crt': `${issuerChain}`, 'issuer.key': `${issuerKey}` };
    await patch('secret', { stringData: texts });
    await patch('configmap', { data: { 'ca.crt': texts['ca.crt'] } });
  }
});

/** Sidecars that no injector has made, and that bear no label. */
const strangers = [
  stranger('native', {
    containers: [{ name: 'app', image: 'registry.example:5000/shop/app:1' }],
    initContainers: [
      {
        name: 'daprd',
        image: 'ghcr.io/dapr/daprd:1.18.3',
        restartPolicy: 'Always',
        env: [{ name: 'DAPR_TRUST_ANCHORS', value: 'none' }],
      },
    ],
  }),
  stranger('referring', {
    containers: [
      {
        name: 'daprd',
        image: 'ghcr.io/dapr/daprd@sha256:0123456789012345678901234567890123456789012345678901234567890123',
        env: [
          {
            name: 'DAPR_TRUST_ANCHORS',
            valueFrom: { configMapKeyRef: { name: 'anchors', key: 'ca.crt', optional: true } },
          },
        ],
      },
    ],
  }),
];

function stranger(name: string, spec: object) {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', labels: { app: name } }, spec };
}
