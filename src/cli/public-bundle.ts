import type { HandshakeFacts } from '../app/probe/facts.ts';
import { readShownIssuer } from '../app/shown-issuer.ts';
import { type ControlPlane, readControlPlane } from '../kube/dapr/control-plane.ts';
import { sentryAddressOf } from '../kube/dapr/sentry-address.ts';
import type { Cluster } from '../kube/port.ts';
import { locationOf } from '../store/cluster/location.ts';
import { anchorsOf, type ConfigMapObject, configMapRef } from '../store/cluster/objects.ts';
import { digest } from '../store/digest.ts';
import type { BundleReader, StoredBundle, Unread } from '../store/port.ts';
import { parseSentryAddress } from './sentry-address.ts';
import { shakeHands } from './sentry-handshake.ts';

export interface PublicReaderOptions {
  readonly namespace: string;
  /** As `--sentry-address` has it; undefined: its name in the cluster. */
  readonly sentryAddress: string | undefined;
  readonly now?: () => Date;
}

/** Who named the address expects an answer; a name of the cluster is mostly not found from outside. */
const timeoutsMs = { named: 5_000, guessed: 2_000 };

/** Stands where the name of a file does: the issuer comes out of a handshake. */
const shownBySentry = "Sentry's TLS";

/**
 * The trust of a control plane without any right on its Secret, which holds the key of the CA: the
 * anchors from the ConfigMap, the issuer chain from Sentry's own TLS certificate. No request names a
 * Secret. Each `read` asks both anew; where Sentry cannot be reached, the issuer chain is missing and
 * `unread` tells why. The Deployment and the Configuration are read where that is allowed: for the
 * names of the files, the trust domain and Sentry's address.
 * @throws DaprMtlsError `cluster.*`, `usage.invalid`; `read` throws `cluster.*`, and `trust.refused` where
 * who answers is not Sentry, or shows an issuer that is under none of the anchors
 */
export async function openPublicReader(
  cluster: Cluster,
  { namespace, sentryAddress, now = () => new Date() }: PublicReaderOptions,
): Promise<BundleReader> {
  const named = sentryAddress === undefined ? undefined : parseSentryAddress(sentryAddress);
  const controlPlane = await readControlPlane(cluster, namespace);
  const { fileNames } = controlPlane;
  const names = { ...fileNames, issuerChain: shownBySentry };
  const read = async () => {
    const [configMap, handshake] = await Promise.all([
      cluster.get<ConfigMapObject>(configMapRef({ namespace })),
      named
        ? shakeHands({ ...named, isNamed: true }, timeoutsMs.named)
        : shakeHands({ ...sentryAddressOf(controlPlane), isNamed: false }, timeoutsMs.guessed),
    ]);
    return describePublicBundle(anchorsOf(configMap, fileNames), handshake, controlPlane, now());
  };
  return { location: locationOf({ cluster, namespace, names, hasConfigMap: true }), read };
}

const issuerKey: Unread = {
  reason: 'the Secret, which alone holds it, was not read',
  hint: 'Who may read the Secret sees whether it belongs to the issuer: `dapr-mtls check -k`.',
};

function describePublicBundle(
  anchors: Buffer | undefined,
  handshake: HandshakeFacts,
  controlPlane: ControlPlane,
  now: Date,
): StoredBundle {
  const { namespace, trustDomain } = controlPlane;
  const isDomainKnown = controlPlane.sentry !== 'unknown' && controlPlane.configuration !== 'unknown';
  const issuerChain =
    handshake.kind === 'answered' && anchors
      ? readShownIssuer(handshake, { namespace, trustDomain: isDomainKnown ? trustDomain : undefined, anchors, now })
      : undefined;
  const parts = [anchors, issuerChain].map((part) => (part ? digest(part) : 'none'));
  return {
    files: { anchors, issuerChain, issuerKey: undefined },
    revision: digest(Buffer.from(parts.join(' '))),
    state: 'unknown',
    source: 'public',
    unread: {
      ...(handshake.kind === 'unreachable' ? { issuerChain: whyUnread(handshake, namespace) } : {}),
      issuerKey,
    },
  };
}

function whyUnread(
  { address, isNamed, reason }: Extract<HandshakeFacts, { kind: 'unreachable' }>,
  namespace: string,
): Unread {
  return {
    reason: isNamed
      ? `Sentry does not answer at ${address}: ${reason}`
      : `Sentry cannot be reached from here (${address}: ${reason})`,
    hint: isNamed
      ? 'Check the address and the port-forward, and Sentry itself: `dapr-mtls status -k`.'
      : `Outside the cluster say --sentry-address localhost:50001, beside \`kubectl port-forward -n ${namespace} svc/dapr-sentry 50001:443\`.`,
  };
}
