import { type Admin, isReady, type KubeJson } from './admin.ts';
import { waitUntilReady } from './ready.ts';
import { type PodBehaviour, podAnnotations } from './stages.ts';
import type { TestCluster } from './start-cluster.ts';
import { type Patience, waitUntil } from './wait.ts';

export interface AppsOptions {
  /** Made where they are missing; each gets all the workloads. */
  readonly namespaces?: readonly string[];
  /** How many of each kind, named `deployment-1`, `job-2` and so on. */
  readonly deployments?: number;
  readonly statefulSets?: number;
  readonly daemonSets?: number;
  readonly jobs?: number;
  /** Pods without an owner. */
  readonly pods?: number;
  /** Of each Deployment and StatefulSet; 1 unless told. */
  readonly replicas?: number;
  /** Further annotations of the pods, such as those of `stages.ts`. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly behaviour?: PodBehaviour;
  /** False leaves out `dapr.io/enabled`: pods without a sidecar. */
  readonly isInjected?: boolean;
  readonly patience?: Patience;
}

/**
 * Makes workloads that want a sidecar, waits until all their pods are there (and run and are ready,
 * if that is their behaviour), and returns how many pods these are.
 */
export async function deployApps(cluster: TestCluster, options: AppsOptions): Promise<number> {
  const { admin } = cluster;
  const { namespaces = ['default'], behaviour = 'ready', patience } = options;
  const namespaceObjects = namespaces
    .filter((name) => name !== 'default')
    .map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
  await admin.apply(namespaceObjects);
  // A pod without an owner is refused until its namespace has the account that it runs as.
  await waitUntil('service accounts', async () => {
    const accounts = await Promise.all(
      namespaces.map((name) => admin.request('GET', `/api/v1/namespaces/${name}/serviceaccounts/default`)),
    );
    return accounts.every(({ status }) => status === 200);
  });
  const objects = namespaces.flatMap((namespace) => makeWorkloads(namespace, options));
  await admin.apply(objects);

  const { body } = await admin.request('GET', '/api/v1/nodes');
  const nodes = (body.items as readonly unknown[]).length;
  const expected = objects.reduce((sum, object) => sum + podsOf(object, nodes), 0);
  const areThere = async () => {
    const pods = await Promise.all(namespaces.map((namespace) => listPods(admin, namespace)));
    return pods.flat().filter((pod) => behaviour !== 'ready' || isReady(pod)).length === expected;
  };
  await waitUntilReady(cluster, namespaces, `${expected} pods`, areThere, patience);
  return expected;
}

async function listPods(admin: Admin, namespace: string): Promise<KubeJson[]> {
  const selector = encodeURIComponent(`${madeHere}=app`);
  const { body } = await admin.request('GET', `/api/v1/namespaces/${namespace}/pods?labelSelector=${selector}`);
  return body.items ?? [];
}

const madeHere = 'test.dapr-mtls/made';

function podsOf({ kind, spec }: KubeJson, nodes: number): number {
  if (kind === 'DaemonSet') return nodes;
  return kind === 'Deployment' || kind === 'StatefulSet' ? spec.replicas : 1;
}

function makeWorkloads(namespace: string, options: AppsOptions): KubeJson[] {
  const { deployments = 0, statefulSets = 0, daemonSets = 0, jobs = 0, pods = 0, replicas = 1 } = options;
  const selected = (name: string) => ({ selector: { matchLabels: { app: name } } });
  const make = (count: number, prefix: string, one: (name: string) => KubeJson) =>
    Array.from({ length: count }, (_, index) => {
      const name = `${prefix}-${index + 1}`;
      const { metadata, ...object } = one(name);
      return { ...object, metadata: { name, namespace, ...metadata } };
    });
  return [
    ...make(deployments, 'deployment', (name) => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      spec: { replicas, ...selected(name), template: makeTemplate(name, options) },
    })),
    ...make(statefulSets, 'statefulset', (name) => ({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      spec: { replicas, serviceName: name, ...selected(name), template: makeTemplate(name, options) },
    })),
    ...make(daemonSets, 'daemonset', (name) => ({
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      spec: { ...selected(name), template: makeTemplate(name, options) },
    })),
    ...make(jobs, 'job', (name) => {
      const { metadata, spec } = makeTemplate(name, options);
      return {
        apiVersion: 'batch/v1',
        kind: 'Job',
        spec: { template: { metadata, spec: { ...spec, restartPolicy: 'Never' } } },
      };
    }),
    ...make(pods, 'pod', (name) => ({ apiVersion: 'v1', kind: 'Pod', ...makeTemplate(name, options) })),
  ];
}

function makeTemplate(name: string, { annotations, behaviour = 'ready', isInjected = true }: AppsOptions) {
  return {
    metadata: {
      labels: { app: name, [madeHere]: 'app' },
      annotations: {
        ...(isInjected ? { 'dapr.io/enabled': 'true', 'dapr.io/app-id': name, 'dapr.io/app-port': '8080' } : {}),
        ...(behaviour === 'ready' ? {} : { [podAnnotations.behaviour]: behaviour }),
        ...annotations,
      },
    },
    spec: { containers: [{ name: 'app', image: `registry.example:5000/shop/${name}:1.0` }] },
  };
}
