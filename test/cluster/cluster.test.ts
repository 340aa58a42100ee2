import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeBundle } from '../support/bundles.ts';
import type { KubeJson } from './admin.ts';
import { deployApps } from './apps.ts';
import { whyNoCluster } from './build-programs.ts';
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
    await cluster.admin.kubectl(['rollout', 'restart', 'deployment/deployment-1', '-n', 'rolling']);
    await cluster.admin.kubectl(['rollout', 'status', 'deployment/deployment-1', '-n', 'rolling', '--timeout=60s']);
    const after = await waitUntil('the old pods are gone', async () => {
      const pods = await cluster.admin.list('pods', 'rolling');
      return pods.length === 3 && pods;
    });
    expect(hashesOf(after)).toHaveLength(1);
    expect(hashesOf(after)).not.toEqual(hashesOf(before));
  });

  test('a StatefulSet rolls one pod at a time, from the last to the first', async () => {
    const slow = { [podAnnotations.readyAfter]: '500ms' };
    await deployApps(cluster, {
      namespaces: ['ordered'],
      statefulSets: 1,
      replicas: 3,
      isInjected: false,
      annotations: slow,
    });
    await cluster.admin.kubectl(['rollout', 'restart', 'statefulset/statefulset-1', '-n', 'ordered']);
    await cluster.admin.kubectl(['rollout', 'status', 'statefulset/statefulset-1', '-n', 'ordered', '--timeout=60s']);
    const pods = await cluster.admin.list('pods', 'ordered');
    // A pod is written last when it becomes ready.
    const inOrder = [...pods].sort((a, b) => a.metadata.resourceVersion - b.metadata.resourceVersion);
    expect(inOrder.map(({ metadata }) => metadata.name)).toEqual([
      'statefulset-1-2',
      'statefulset-1-1',
      'statefulset-1-0',
    ]);
  });
});

function hashesOf(pods: readonly KubeJson[]): string[] {
  return [...new Set(pods.map(({ metadata }) => metadata.labels['pod-template-hash'] as string))];
}
