import { type NextPodRehearsal, rehearseNextPod } from '../../kube/admission/rehearse-next-pod.ts';
import { type ControlPlane, readControlPlane } from '../../kube/dapr/control-plane.ts';
import { sentryAddressOf } from '../../kube/dapr/sentry-address.ts';
import { controlPlaneServices } from '../../kube/dapr/services.ts';
import { readPods } from '../../kube/pods/read-pods.ts';
import type { SidecarPod } from '../../kube/pods/sidecar-pod.ts';
import type { Cluster } from '../../kube/port.ts';
import { resources } from '../../kube/resources.ts';
import { isReady, type RolloutPod } from '../../kube/rollout/pod.ts';
import { collectSettings } from '../configuration/settings.ts';
import type { HandshakeFacts } from '../probe/facts.ts';
import { type LeafSettings, leafSettingsOf } from './leaf-settings.ts';
import type { Handout, SentryView, ServiceInstance, Sidecar, World } from './world.ts';

export interface ClusterSources {
  /** Of the control plane. */
  readonly namespace: string;
  /** In which a pod is rehearsed, to see what the injector hands out. */
  readonly probeNamespace: string;
  /** The same cluster as the controller that makes pods (`asController`). */
  readonly openAsController: () => Promise<Cluster>;
  /** A fresh handshake with Sentry, at the address where sidecars look for it unless another one was named. */
  readonly shakeHands: (inCluster: { readonly host: string; readonly port: number }) => Promise<HandshakeFacts>;
}

/**
 * Looks at everybody who verifies or shows certificates. Without the right to list pods nothing can be
 * proved; whatever else is not allowed is told as unknown.
 * @throws DaprMtlsError `cluster.*`
 */
export async function gatherClusterWorld(cluster: Cluster, sources: ClusterSources, at: Date): Promise<World> {
  const { namespace, shakeHands } = sources;
  const controlPlane = await readControlPlane(cluster, namespace);
  const [services, handout, handshake] = await Promise.all([
    readServiceInstances(cluster, namespace),
    readHandout(cluster, sources),
    shakeHands(sentryAddressOf(controlPlane)),
  ]);
  // Behind the services: what an injector of yesterday let through until it went stands in this list. And
  // without a selector: labels are as old as Dapr 1.11, and anybody may take one away.
  const sidecars = await collectSidecars(readPods(cluster, {}));
  const settings = readLeafSettings(controlPlane);
  return { at, sidecars, services, handout, sentry: describeSentry(handshake), settings };
}

/** Where there is no Configuration Dapr's defaults count; what may not be read may be anything. */
function readLeafSettings({ configuration, mtls }: ControlPlane): LeafSettings | undefined {
  return configuration === 'unknown' ? undefined : leafSettingsOf(collectSettings((name) => mtls?.[name]));
}

/** Ten bundles would fit. Who may make pods may write anything there. */
const anchorsLimit = 64 * 1024;

/** What has ended talks to nobody; what is being deleted still does. Equal anchors are held once. */
async function collectSidecars(batches: AsyncIterable<readonly SidecarPod[]>): Promise<Sidecar[]> {
  const texts = new Map<string, string>();
  const share = (text: string) => {
    const shared = texts.get(text);
    if (shared === undefined) texts.set(text, text);
    return shared ?? text;
  };
  const sidecars: Sidecar[] = [];
  for await (const pods of batches) {
    for (const pod of pods) {
      if (pod.phase !== 'Succeeded' && pod.phase !== 'Failed') sidecars.push(toSidecar(pod, share));
    }
  }
  return sidecars;
}

function toSidecar(
  { namespace, name, workload, createdAt, deletionTimestamp, daprd }: SidecarPod,
  share: (text: string) => string,
): Sidecar {
  const variable = daprd?.trustAnchors;
  const isTold = variable?.source === 'value' && variable.pem !== '' && variable.pem.length <= anchorsLimit;
  return {
    namespace,
    pod: name,
    workload,
    createdAt,
    terminating: deletionTimestamp !== undefined,
    anchors: isTold ? share(variable.pem) : undefined,
    daprVersion: daprd?.version === undefined ? undefined : share(daprd.version),
  };
}

/** The pods of the control plane that have not ended. @throws DaprMtlsError as `Cluster.list` does */
async function readServiceInstances(cluster: Cluster, namespace: string): Promise<ServiceInstance[]> {
  const labelSelector = `app in (${controlPlaneServices.map(({ name }) => name).join(',')})`;
  const instances: ServiceInstance[] = [];
  for await (const pod of cluster.list<RolloutPod>(resources.pods, { namespace, labelSelector })) {
    const instance = describeInstance(pod);
    if (instance) instances.push(instance);
  }
  return instances;
}

/** Meshes and agents put containers of their own into a pod: only Dapr's, which bears the service's name, counts. */
function describeInstance(pod: RolloutPod): ServiceInstance | undefined {
  const { metadata, status } = pod;
  const service = metadata.labels?.app;
  if (service === undefined || status?.phase === 'Succeeded' || status?.phase === 'Failed') return undefined;
  const container = status?.containerStatuses?.find(({ name }) => name === service);
  return {
    service,
    pod: metadata.name,
    createdAt: instantOf(metadata.creationTimestamp),
    startedAt: instantOf(container?.state?.running?.startedAt),
    ready: isReady(pod),
    terminating: metadata.deletionTimestamp !== undefined,
  };
}

function instantOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}

/** What the injector gives to the next pod. @throws DaprMtlsError as `rehearseNextPod` does */
export async function readHandout(
  cluster: Cluster,
  { probeNamespace, openAsController }: Pick<ClusterSources, 'probeNamespace' | 'openAsController'>,
): Promise<Handout> {
  return describeHandout(await rehearseNextPod(cluster, probeNamespace, openAsController));
}

function describeHandout({ outcome, counts }: NextPodRehearsal): Handout {
  const unknown = (reason: string): Handout => ({ kind: 'unknown', reason });
  if (outcome.kind === 'refused') return unknown(outcome.error.message);
  const { daprd } = outcome;
  if (!daprd) {
    return unknown(
      counts
        ? 'a new pod is made without a sidecar: the injector does not answer the API server, or is not asked. See why: `dapr-mtls probe -k`'
        : 'the injector gives sidecars to the pods of controllers and of system:masters only, and this user may not act as kube-system/replicaset-controller (impersonate)',
    );
  }
  const { trustAnchors } = daprd;
  if (trustAnchors?.source === 'value' && trustAnchors.pem !== '') return { kind: 'anchors', pem: trustAnchors.pem };
  return unknown('the sidecar of a new pod is given no DAPR_TRUST_ANCHORS that it shows');
}

function describeSentry(handshake: HandshakeFacts): SentryView {
  if (handshake.kind === 'answered') return { kind: 'shown', chain: handshake.chain };
  return { kind: 'unknown', reason: `Sentry cannot be reached from here (${handshake.address}: ${handshake.reason})` };
}
