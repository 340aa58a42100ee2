import { belongsTo } from '../../pki/bundle.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { verifyLeafOf } from '../../pki/chain.ts';
import { type Authority, type IssueContext, issueBridge } from '../../pki/issue.ts';
import { type DaprVersion, isAtLeast } from '../../pki/rules/context.ts';
import { type CurrentBundle, workingAnchors } from './current.ts';

/**
 * How many certificates may stand behind a new issuer: two bridges. More would serve only who was
 * not restarted through three renewals, and every handshake pays for each certificate.
 */
const longestTail = 4;

export type Bridge =
  | {
      readonly ok: true;
      readonly issuerChain: [Certificate, ...Certificate[]];
      readonly keptAnchors: readonly Certificate[];
      readonly remarks: readonly string[];
    }
  | { readonly ok: false; readonly reason: string };

/** The releases on which a bridge has been run without losing a call (dapr-facts, section 8). */
export function isBridgeProven(version: DaprVersion): boolean {
  return isAtLeast(version, 1, 11) && !isAtLeast(version, 1, 19);
}

/**
 * Builds the chain new issuer, new root under the old issuer, old issuer, and proves by Go's rules
 * that a leaf of it verifies for whoever holds only an old anchor and for whoever holds only the
 * new one. A refusal says why.
 */
export async function buildBridge(
  current: CurrentBundle,
  root: Certificate,
  issuer: Authority,
  at: Date,
  context: IssueContext,
): Promise<Bridge> {
  const oldIssuer = usableIssuer(current);
  if ('reason' in oldIssuer) return { ok: false, reason: oldIssuer.reason };
  const served = workingAnchors(current, at);
  if (served.length === 0)
    return { ok: false, reason: 'no anchor of the old bundle is valid any more, so calls fail already' };
  const bridge = await issueBridge(oldIssuer, root, context);
  // Bridges do not stack without end: the oldest is given up, and who needed it is named.
  const tail = [bridge, ...withoutExpired(current.issuerChain, at)].slice(0, longestTail);
  const issuerChain: [Certificate, ...Certificate[]] = [issuer.certificate, ...tail];
  const broken = served.filter((anchor) => !verifyLeafOf(issuerChain, { anchors: [anchor], at }).ok);
  const dropped = broken.filter((anchor) => anchor.fingerprint !== current.root?.fingerprint);
  if (broken.length > dropped.length) {
    const { reason } = verifyLeafOf(issuerChain, { anchors: served, at });
    return { ok: false, reason: `the old chain leaves no room for a bridge: ${reason}` };
  }
  if (!verifyLeafOf(issuerChain, { anchors: [root], at }).ok)
    return { ok: false, reason: 'the new chain does not verify under the new root' };
  const keptAnchors = current.liveAnchors.filter((anchor) => !dropped.includes(anchor));
  return { ok: true, issuerChain, keptAnchors, remarks: dropped.map(remarkOnDropped) };
}

function usableIssuer({
  issuerChain: [certificate],
  issuerKey,
  refusal,
}: CurrentBundle): Authority | { reason: string } {
  if (refusal !== undefined) return { reason: `Sentry refuses the old bundle (${refusal})` };
  if (!certificate || !issuerKey || !belongsTo(issuerKey, certificate))
    return { reason: "the old issuer's key is not there" };
  return { certificate, key: issuerKey };
}

/** A tail that has expired leads nowhere; the certificates behind it are only reached through it. */
export function withoutExpired(chain: readonly Certificate[], at: Date): Certificate[] {
  const firstExpired = chain.findIndex(({ notAfter }) => notAfter < at);
  return firstExpired < 0 ? [...chain] : chain.slice(0, firstExpired);
}

function remarkOnDropped({ subject, fingerprint, notAfter }: Certificate): string {
  return `Who holds only the anchor ${fingerprint.slice(0, 16)} (${subject}, until ${notAfter.toISOString().slice(0, 10)}) is cut off, unless it was restarted since one of the last two renewals.`;
}
