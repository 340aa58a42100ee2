import { describeCluster } from '../app/cluster-report.ts';
import type { BundleFacts, ProbeFacts, ProbeRehearsal } from '../app/probe/facts.ts';
import { asController, injectedGroup, readCaller } from '../kube/admission/caller.ts';
import { type Rehearsal, rehearsePod } from '../kube/admission/dry-run-pod.ts';
import { readInjector } from '../kube/admission/webhook.ts';
import { type ControlPlane, look, readControlPlane } from '../kube/dapr/control-plane.ts';
import { findControlPlane } from '../kube/dapr/find.ts';
import { sentryName } from '../kube/dapr/services.ts';
import type { Cluster } from '../kube/port.ts';
import { isAtLeast } from '../pki/rules/context.ts';
import {
  anchorsOf,
  type ConfigMapObject,
  configMapRef,
  filesOf,
  type SecretObject,
  secretRef,
} from '../store/cluster/objects.ts';
import { type ClusterFlags, openCluster } from './open-cluster.ts';
import { parseSentryAddress, type SentryAddress, shakeHands } from './sentry-handshake.ts';

export interface ProbeFlags extends ClusterFlags {
  readonly namespace: string | undefined;
  readonly in: string;
  readonly 'sentry-address': string | undefined;
}

/** No handshake takes longer; from outside the cluster its names are not even found. */
const handshakeTimeoutMs = 5_000;

/**
 * Asks everybody whom a new pod would meet. Nothing is written.
 * @throws DaprMtlsError `cluster.*`, `dapr.missing`, `dapr.ambiguous`, `usage.invalid`
 */
export async function gatherProbe(cluster: Cluster, flags: ProbeFlags, env: NodeJS.ProcessEnv): Promise<ProbeFacts> {
  const named = flags['sentry-address'] === undefined ? undefined : parseSentryAddress(flags['sentry-address']);
  const namespace = await findControlPlane(cluster, flags.namespace);
  const controlPlane = await readControlPlane(cluster, namespace);
  const address = named ? { ...named, isNamed: true } : sentryInCluster(controlPlane);
  const [bundle, injector, rehearsal, handshake] = await Promise.all([
    readBundleFacts(cluster, controlPlane),
    readInjector(cluster, namespace),
    rehearse(cluster, flags, env),
    shakeHands(address, handshakeTimeoutMs),
  ]);
  const { release, mtls, trustDomain } = controlPlane;
  return {
    cluster: describeCluster(cluster.location, namespace),
    namespace: flags.in,
    sentryId: `spiffe://${trustDomain}/ns/${namespace}/${sentryName}`,
    hasConfigMap: release === undefined || isAtLeast(release, 1, 12),
    mtlsEnabled: typeof mtls?.enabled === 'boolean' ? mtls.enabled : undefined,
    bundle,
    injector,
    rehearsal,
    handshake,
  };
}

/** Where the Configuration sends the control plane, which is where sidecars are sent. */
function sentryInCluster({ namespace, mtls }: ControlPlane): SentryAddress {
  const told = typeof mtls?.sentryAddress === 'string' ? mtls.sentryAddress : '';
  const [, host = `${sentryName}.${namespace}.svc.cluster.local`, port = '443'] = /^([\w.-]+):(\d+)$/.exec(told) ?? [];
  return { host, port: Number(port), isNamed: false };
}

async function readBundleFacts(cluster: Cluster, { namespace, fileNames }: ControlPlane): Promise<BundleFacts> {
  const [secret, configMap] = await Promise.all([
    look<SecretObject>(cluster, secretRef({ namespace })),
    look<ConfigMapObject>(cluster, configMapRef({ namespace })),
  ]);
  const { anchors, issuerChain } = filesOf(secret.object, fileNames);
  return {
    secretAnchors: anchors,
    issuerChain,
    configMapAnchors: anchorsOf(configMap.object, fileNames),
    unread: [secret, configMap].flatMap(({ refusal }) => refusal?.message ?? []),
  };
}

/**
 * As this user first, who may be one whose pods get a sidecar; else as the controller that would make
 * the next pod, where this user may act as that.
 */
async function rehearse(cluster: Cluster, flags: ProbeFlags, env: NodeJS.ProcessEnv): Promise<ProbeRehearsal> {
  const own = await rehearsePod(cluster, flags.in);
  if (hasSidecar(own)) return { outcome: own, counts: true };
  const caller = await readCaller(cluster);
  if (own.kind === 'made' && caller?.groups.includes(injectedGroup)) return { outcome: own, counts: true };
  const controller = await openCluster(flags, env, asController);
  try {
    const outcome = await rehearsePod(controller, flags.in);
    if (outcome.kind === 'made') return { outcome, counts: true };
    return outcome.error.code === 'cluster.forbidden' ? { outcome: own, counts: false } : { outcome, counts: true };
  } finally {
    controller.close();
  }
}

function hasSidecar(rehearsal: Rehearsal): boolean {
  return rehearsal.kind === 'made' && rehearsal.daprd !== undefined;
}
