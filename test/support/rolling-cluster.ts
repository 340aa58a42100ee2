import type { KubeObject } from '../../src/kube/port.ts';
import { resources } from '../../src/kube/resources.ts';
import { type RollingWorkload, type WorkloadKind, workloadRef } from '../../src/kube/rollout/workload.ts';
import { type ConfigMapObject, configMapRef } from '../../src/store/cluster/objects.ts';
import { type ApiServer, startApiServer } from './api-server/server.ts';
import { injectedWorkload, injectorOf } from './dapr/injected-pods.ts';
import type { Container, Manifest } from './dapr/manifest.ts';
import { statusOf } from './dapr/rollout.ts';
import { type BundlePem, runningControlPlane } from './dapr-control-plane.ts';

const namespace = 'dapr-system';
const injector = 'dapr-sidecar-injector';
const kinds = ['Deployment', 'StatefulSet', 'DaemonSet'];
const longAgo = '2026-11-20T00:00:00Z';

export interface RollingCluster {
  readonly server: ApiServer;
  /** PEM, as the sidecars were born with. */
  sidecars(): readonly string[];
  /** Nobody who is restarted comes back, until that is let go again. */
  hold(): void;
  letGo(): void;
}

/** A control plane, and an application with two sidecars that hold its anchors. */
export function clusterObjects(bundle: BundlePem): readonly KubeObject[] {
  const anchors = bundle.anchors.toString();
  const application = injectedWorkload({ name: 'checkout', namespace: 'shop', replicas: 2, anchors });
  const objects = [...runningControlPlane({ bundle }), ...application] as readonly KubeObject[];
  return objects.map((object) => (object.kind === 'Pod' ? datedAs(object, longAgo) : object));
}

/**
 * The tests' own API server with what the controllers, the kubelet and Dapr's injector do: whoever is
 * restarted has new pods some milliseconds later, and sidecars get the anchors that the injector found
 * when it started.
 * @param objects `clusterObjects`, or what has become of them in another such cluster
 */
export async function startRollingCluster(objects: readonly KubeObject[]): Promise<RollingCluster> {
  let handedOut = '';
  const server = await startApiServer({ admit: injectorOf(() => handedOut) });
  const { store } = server;
  store.put(...objects);
  const webhookRef = { resource: resources.mutatingWebhooks, name: injector };
  const { caBundle } = store.get<Manifest>(webhookRef)?.webhooks[0].clientConfig ?? {};
  handedOut = Buffer.from(caBundle ?? '', 'base64').toString();

  const roll = ({ kind, metadata: { name, namespace: where = '' } }: RollingWorkload) => {
    if (name === injector) startInjector();
    const at = `${new Date().toISOString().slice(0, 19)}Z`;
    const isOwn = ({ metadata }: KubeObject) => metadata.namespace === where && metadata.labels?.app === name;
    for (const pod of store.objects<Manifest>(resources.pods).filter(isOwn)) {
      store.remove({ resource: resources.pods, namespace: where, name: pod.metadata.name });
      store.put(datedAs(bornWith(pod, handedOut), at));
    }
    const ref = workloadRef(kind as WorkloadKind, where, name);
    store.change<Manifest>(ref, (found) => ({ ...found, status: statusOf(found, found.spec.replicas, at) }));
  };
  /** It goes on with what it has while there is nothing to read. */
  const startInjector = () => {
    handedOut = store.get<ConfigMapObject>(configMapRef({ namespace }))?.data?.['ca.crt'] ?? handedOut;
    const caBundle = Buffer.from(handedOut).toString('base64');
    store.change<Manifest>(webhookRef, (webhook) => ({
      ...webhook,
      webhooks: webhook.webhooks.map((one: Manifest) => ({ ...one, clientConfig: { ...one.clientConfig, caBundle } })),
    }));
  };
  const held: RollingWorkload[] = [];
  let isHeld = false;
  store.subscribe(({ type, object }) => {
    const workload = object as unknown as RollingWorkload;
    if (type !== 'MODIFIED' || !kinds.includes(workload.kind)) return;
    const { generation = 0 } = workload.metadata;
    if (generation <= (workload.status?.observedGeneration ?? 0)) return;
    if (isHeld) held.push(workload);
    else setTimeout(() => roll(workload), 5);
  });
  return {
    server,
    sidecars: () => store.objects<Manifest>(resources.pods).flatMap((pod) => anchorsOf(pod) ?? []),
    hold: () => {
      isHeld = true;
    },
    letGo: () => {
      isHeld = false;
      for (const workload of held.splice(0)) roll(workload);
    },
  };
}

/** One that was made at that moment, and runs since. */
function datedAs(pod: KubeObject, at: string): KubeObject {
  const { uid: _uid, resourceVersion: _version, ...metadata } = pod.metadata;
  const dated = JSON.parse(JSON.stringify({ ...pod, metadata }).replace(/"\d{4}-\d\d-\d\dT[\d:]+Z"/g, `"${at}"`));
  return { ...dated, metadata: { ...dated.metadata, creationTimestamp: at } };
}

function bornWith(pod: Manifest, anchors: string): Manifest {
  if (anchorsOf(pod) === undefined) return pod;
  const containers = pod.spec.containers.map((container: Sidecar) => ({
    ...container,
    ...(container.env && { env: container.env.map((one) => (isAnchors(one) ? { ...one, value: anchors } : one)) }),
  }));
  return { ...pod, spec: { ...pod.spec, containers } };
}

interface Variable {
  readonly name: string;
  readonly value?: string;
}

type Sidecar = Container & { readonly env?: readonly Variable[] };

function anchorsOf({ spec }: Manifest): string | undefined {
  const variables = spec.containers.flatMap(({ env = [] }: Sidecar) => env) as Variable[];
  return variables.find(isAnchors)?.value;
}

function isAnchors({ name }: Variable): boolean {
  return name === 'DAPR_TRUST_ANCHORS';
}
