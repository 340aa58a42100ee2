import { DaprMtlsError } from '../../errors.ts';
import { type Certificate, readCertificate } from '../../pki/certificate.ts';
import { verifyChain } from '../../pki/chain.ts';
import { anchorsIn, anchorsOfNextPod } from './anchors.ts';
import type { HandshakeFacts, ProbeFacts } from './facts.ts';
import { mendOfBundle, mends } from './mends.ts';
import type { ProbeCheck } from './report.ts';

type Verdict = Omit<ProbeCheck, 'name'>;

/** Would the sidecar of the next pod take the running Sentry for what it is? */
export function judgeSentry(facts: ProbeFacts, at: Date): ProbeCheck {
  return { name: 'sentry', ...judge() };

  function judge(): Verdict {
    const { handshake, sentryId, bundle } = facts;
    if (handshake.kind === 'unreachable') return judgeUnreachable(handshake, facts.cluster.namespace);
    const anchors = anchorsIn(anchorsOfNextPod(facts) ?? bundle.configMapAnchors ?? bundle.secretAnchors);
    if (anchors.length === 0)
      return { state: 'not-checked', reason: 'there are no anchors to hold Sentry against', hint: null };
    const refusal = whySentryIsRefused(handshake.chain, anchors, sentryId, at);
    if (refusal === undefined)
      return {
        state: 'ok',
        reason: `Sentry at ${handshake.address} shows a certificate that the sidecar takes`,
        hint: null,
      };
    return {
      state: 'failed',
      reason: `the sidecar would hang, because it does not take the certificate of Sentry at ${handshake.address}: ${refusal}`,
      hint: mendOfBundle(facts) ?? `${mends.check} If it is sound: \`dapr-mtls restart -k\`.`,
    };
  }
}

/** Only what was named, or refuses in so many words, is known to be down: from outside nobody knows the cluster's names. */
function judgeUnreachable(
  { address, isNamed, code, reason }: Extract<HandshakeFacts, { kind: 'unreachable' }>,
  namespace: string,
): Verdict {
  const isDown = isNamed || code === 'ECONNREFUSED';
  return {
    state: isDown ? 'failed' : 'not-checked',
    reason: isDown
      ? `Sentry does not answer at ${address}: ${reason}`
      : `Sentry cannot be reached from here (${address}: ${reason})`,
    hint: isNamed
      ? 'Check the address, and Sentry itself: `dapr status -k`.'
      : isDown
        ? 'See Sentry: `dapr status -k`.'
        : `\`kubectl port-forward -n ${namespace} svc/dapr-sentry 50001:443\` and --sentry-address localhost:50001 bring it within reach.`,
  };
}

/**
 * The checks of daprd on Sentry's certificate: that of go-spiffe (`x509svid.Verify`, `IDFromCert`) and
 * the exact SPIFFE ID. Undefined where it takes it.
 */
function whySentryIsRefused(
  chain: readonly Buffer[],
  anchors: readonly Certificate[],
  sentryId: string,
  at: Date,
): string | undefined {
  try {
    const [leaf, ...intermediates] = chain.map((der) => readCertificate(der));
    if (!leaf) return 'it shows no certificate';
    const { uris, basicConstraints, keyUsage } = leaf.detail;
    if (uris.length !== 1 || uris[0] !== sentryId)
      return `it is of ${uris.length === 0 ? 'no SPIFFE ID' : uris.join(' and ')}, not of ${sentryId}`;
    if (basicConstraints?.ca || keyUsage?.some((usage) => usage === 'keyCertSign' || usage === 'cRLSign'))
      return 'it is that of an authority';
    const verification = verifyChain(leaf, { anchors, intermediates, at });
    return verification.ok ? undefined : verification.reason;
  } catch (error) {
    if (error instanceof DaprMtlsError) return error.message;
    throw error;
  }
}
