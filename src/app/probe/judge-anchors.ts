import { DaprMtlsError } from '../../errors.ts';
import { judgeEachOnce } from '../audit/judge-anchors.ts';
import { type Reference, readReference } from '../audit/reference.ts';
import { anchorsIn, anchorsOfNextPod, isSameSet } from './anchors.ts';
import type { ProbeFacts } from './facts.ts';
import { mendOfBundle, mends } from './mends.ts';
import type { ProbeCheck } from './report.ts';

type Verdict = Omit<ProbeCheck, 'name'>;

/** Does what the sidecar is given carry the issuer in use? */
export function judgeGivenAnchors(facts: ProbeFacts, at: Date): ProbeCheck {
  return { name: 'anchors', ...judge() };

  function judge(): Verdict {
    const { outcome } = facts.rehearsal;
    if (outcome.kind === 'refused' || !outcome.daprd)
      return { state: 'not-checked', reason: 'there is no sidecar to look at', hint: null };
    const given = anchorsOfNextPod(facts);
    if (!given) {
      const hint = mendOfBundle(facts) ?? mends.restart;
      return { state: 'failed', reason: 'the sidecar gets no DAPR_TRUST_ANCHORS', hint };
    }
    const reference = referenceOf(facts, at);
    if (reference instanceof DaprMtlsError)
      return { state: 'not-checked', reason: reference.message, hint: reference.hint };
    const verdict = judgeEachOnce(reference, at)(outcome.daprd);
    const hint = mendFor(facts, given);
    switch (verdict.state) {
      case 'current':
        return { state: 'ok', reason: describeCurrent(verdict.anchors.length, reference), hint: null };
      case 'stale':
        return { state: 'warning', reason: `the sidecar ${verdict.reason}`, hint };
      default:
        return { state: 'failed', reason: `what the sidecar is given ${verdict.reason}`, hint };
    }
  }
}

/** An injector that hands out what the bundle holds is not the one at fault: another start of it changes nothing. */
function mendFor(facts: ProbeFacts, given: Buffer): string {
  const { hasConfigMap, bundle } = facts;
  // A ConfigMap that a later release has left behind is nobody's source.
  const source = (hasConfigMap ? bundle.configMapAnchors : undefined) ?? bundle.secretAnchors;
  const isHandedOn = source !== undefined && isSameSet(anchorsIn(source), anchorsIn(given));
  return mendOfBundle(facts) ?? (isHandedOn ? mends.check : mends.restart);
}

function describeCurrent(count: number, { issuer }: Reference): string {
  const what = count === 1 ? 'the anchor that it is given carries' : `the ${count} anchors that it is given carry`;
  return issuer ? `${what} the issuer in use` : `${what} what the bundle has; the issuer in use is not known`;
}

function referenceOf({ bundle, cluster }: ProbeFacts, at: Date): Reference | DaprMtlsError {
  const { secretAnchors, configMapAnchors, issuerChain } = bundle;
  const name = `${cluster.namespace}/dapr-trust-bundle`;
  try {
    return readReference({ kind: 'live', name, anchors: secretAnchors ?? configMapAnchors, issuerChain }, at);
  } catch (error) {
    if (error instanceof DaprMtlsError) return error;
    throw error;
  }
}
