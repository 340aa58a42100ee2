import type { Daprd } from '../../kube/pods/sidecar-pod.ts';
import { readCertificateFile, visibleCertificatesOf } from '../../pki/reading.ts';
import { type Reference, whyNothingVerifies } from './reference.ts';

/**
 * current: holds all that is needed. stale: lacks a needed anchor, and verifies its peers all the
 * same, as under a bridge. broken: verifies none of them, so that every new connection fails.
 * unknown: the pod does not tell what it holds.
 */
export const sidecarStates = ['broken', 'stale', 'unknown', 'current'] as const;
export type SidecarState = (typeof sidecarStates)[number];

/** The anchors that a sidecar was born with, and what becomes of it. */
export interface AnchorVerdict {
  readonly state: SidecarState;
  /** Why it is not current; null where it is. */
  readonly reason: string | null;
  /** SHA-256 of each anchor, in the order of the variable, each once; empty where they are not known. */
  readonly anchors: readonly string[];
}

/** Ten bundles would fit. Who may make pods may write anything there, and none of it shall hold up the audit. */
const sizeLimit = 64 * 1024;

/** A judge that looks at each distinct value once, because thousands of pods share a few. */
export function judgeEachOnce(reference: Reference, at: Date): (daprd: Daprd | undefined) => AnchorVerdict {
  const verdicts = new Map<string, AnchorVerdict>();
  return (daprd) => {
    const variable = daprd?.trustAnchors;
    if (variable?.source !== 'value' || variable.pem === '') return unknown(whyNotTold(daprd));
    if (variable.pem.length > sizeLimit) return unknown(`DAPR_TRUST_ANCHORS is ${variable.pem.length} characters long`);
    const verdict = verdicts.get(variable.pem) ?? judgeAnchors(variable.pem, reference, at);
    verdicts.set(variable.pem, verdict);
    return verdict;
  };
}

/** Reads the value as daprd does, which stops at the first block that is no certificate, and verifies as Go does. */
function judgeAnchors(pem: string, { needed, chains }: Reference, at: Date): AnchorVerdict {
  const file = readCertificateFile('anchors', Buffer.from(pem));
  const held = visibleCertificatesOf(file);
  if (held.length === 0) {
    const [problem] = [
      ...file.entries.map(({ problem: text }) => text),
      ...file.problems.map(({ message }) => message),
    ];
    return unknown(`DAPR_TRUST_ANCHORS holds no readable certificate${problem ? `: ${problem}` : ''}`);
  }
  const anchors = [...new Set(held.map(({ fingerprint }) => fingerprint))];
  const refusal = whyNothingVerifies(chains, held, at);
  if (refusal !== undefined) return { state: 'broken', reason: `verifies none of its peers: ${refusal}`, anchors };
  const lacking = needed.find(({ fingerprint }) => !anchors.includes(fingerprint));
  if (lacking) return { state: 'stale', reason: `lacks the anchor ${lacking.fingerprint.slice(0, 16)}`, anchors };
  return { state: 'current', reason: null, anchors };
}

function whyNotTold(daprd: Daprd | undefined): string {
  if (!daprd) return 'no container is called daprd';
  if (!daprd.trustAnchors) return 'daprd has no DAPR_TRUST_ANCHORS';
  if (daprd.trustAnchors.source === 'value') return 'DAPR_TRUST_ANCHORS is empty';
  return 'DAPR_TRUST_ANCHORS refers to another object, which the pod does not show';
}

function unknown(reason: string): AnchorVerdict {
  return { state: 'unknown', reason, anchors: [] };
}
