import { type Admin, isReady, type KubeJson } from './admin.ts';
import { waitUntil } from './wait.ts';

/** Nodes that kwok keeps alive, ready and without taints; and the account that every pod needs. */
export async function addNodes(admin: Admin, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `node-${index + 1}`);
  for (const name of names) {
    await admin.request('POST', '/api/v1/nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
    });
  }
  await waitUntil('the nodes are ready', async () => {
    const { body } = await admin.request('GET', '/api/v1/nodes');
    const nodes = (body.items ?? []) as KubeJson[];
    return nodes.filter((node) => isReady(node) && (node.spec.taints ?? []).length === 0).length === count;
  });
  await waitUntil('the default service account is there', async () => {
    const { status } = await admin.request('GET', '/api/v1/namespaces/default/serviceaccounts/default');
    return status === 200;
  });
}
