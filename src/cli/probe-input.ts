import { describeCluster } from '../app/cluster-report.ts';
import type { BundleFacts, ProbeFacts } from '../app/probe/facts.ts';
import { asController } from '../kube/admission/caller.ts';
import { rehearseNextPod } from '../kube/admission/rehearse-next-pod.ts';
import { readInjector } from '../kube/admission/webhook.ts';
import { type ControlPlane, look, readControlPlane } from '../kube/dapr/control-plane.ts';
import { findControlPlane } from '../kube/dapr/find.ts';
import { sentryAddressOf } from '../kube/dapr/sentry-address.ts';
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
import { assertControlPlane } from './assert-control-plane.ts';
import { type ClusterFlags, openCluster } from './open-cluster.ts';
import { parseSentryAddress } from './sentry-address.ts';
import { shakeHands } from './sentry-handshake.ts';

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
  await assertControlPlane(cluster, controlPlane);
  const address = named ? { ...named, isNamed: true } : { ...sentryAddressOf(controlPlane), isNamed: false };
  const [bundle, injector, rehearsal, handshake] = await Promise.all([
    readBundleFacts(cluster, controlPlane),
    readInjector(cluster, namespace),
    rehearseNextPod(cluster, flags.in, () => openCluster(flags, env, asController)),
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
