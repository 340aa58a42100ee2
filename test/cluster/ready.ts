import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Admin, KubeJson } from './admin.ts';
import type { TestCluster } from './start-cluster.ts';
import { type Patience, waitUntil } from './wait.ts';

/**
 * Waits until the pods of namespaces are as a test needs them.
 * @param look whether it is so
 * @throws Error with what the pods and the programs of the cluster say of it
 */
export async function waitUntilReady(
  cluster: TestCluster,
  namespaces: readonly string[],
  what: string,
  look: () => Promise<boolean>,
  patience?: Patience,
): Promise<void> {
  try {
    await waitUntil(what, look, patience);
  } catch (error) {
    const descriptions = await Promise.all(namespaces.map((namespace) => describePods(cluster, namespace)));
    throw new Error([`${error}`, ...descriptions, lastWords(cluster)].join('\n'), { cause: error });
  }
}

async function describePods({ admin }: TestCluster, namespace: string): Promise<string> {
  const list = (path: string) => listItems(admin, path.replace('NAMESPACE', namespace));
  const workloads = [
    ...(await list('/apis/apps/v1/namespaces/NAMESPACE/deployments')),
    ...(await list('/apis/apps/v1/namespaces/NAMESPACE/replicasets')),
    ...(await list('/apis/apps/v1/namespaces/NAMESPACE/statefulsets')),
  ];
  const pods = await list('/api/v1/namespaces/NAMESPACE/pods');
  const volumes = [
    ...(await list('/api/v1/namespaces/NAMESPACE/persistentvolumeclaims')),
    ...(await list('/api/v1/persistentvolumes')),
  ];
  const events = await list('/api/v1/namespaces/NAMESPACE/events');
  return [
    ...workloads.map(({ metadata, spec, status }) => `${metadata.name}: ${spec.replicas} of ${encode(status)}`),
    ...pods.map(({ metadata, spec, status }) => `${metadata.name} on ${spec.nodeName}: ${encode(status)}`),
    ...volumes.map(({ metadata, status }) => `${metadata.name}: ${encode(status)}`),
    ...events.map(
      ({ lastTimestamp, involvedObject, message }) => `${lastTimestamp} ${involvedObject.name}: ${message}`,
    ),
  ].join('\n');
}

async function listItems(admin: Admin, path: string): Promise<readonly KubeJson[]> {
  const { body } = await admin.request('GET', path);
  return (body.items ?? []) as KubeJson[];
}

function encode(status: unknown): string {
  return JSON.stringify(status ?? {});
}

function lastWords({ folder }: TestCluster): string {
  return ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwok']
    .map(
      (name) =>
        `${name}:\n${readFileSync(join(folder, `${name}.log`), 'utf8')
          .split('\n')
          .slice(-20)
          .join('\n')}`,
    )
    .join('\n');
}
