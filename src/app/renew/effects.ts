import type { TrustBundle } from '../../pki/bundle.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { verifyLeafOf } from '../../pki/chain.ts';
import { type CurrentBundle, workingAnchors } from './current.ts';

/** One party that holds certain anchors, and whether it understands who shows a certain chain. */
export interface TrustPair {
  readonly holder: string;
  readonly shown: 'certificates of the old issuer' | 'certificates of the new issuer';
  readonly verifies: boolean;
  readonly reason: string;
}

/**
 * Who goes on trusting whom: every set of anchors that somebody may hold while a renewal is under
 * way, against every chain that somebody may show, verified as Go does.
 */
export function listTrustPairs(current: CurrentBundle, bundle: TrustBundle, at: Date): TrustPair[] {
  const working = workingAnchors(current, at);
  const [oldIssuer, ...rest] = current.issuerChain;
  const holders: { readonly name: string; readonly anchors: readonly Certificate[] }[] = [
    ...working.map((anchor) => ({ name: `only the old anchor ${anchor.fingerprint.slice(0, 8)}`, anchors: [anchor] })),
    ...(working.length > 1 ? [{ name: 'all the old anchors', anchors: current.liveAnchors }] : []),
    { name: 'the new anchors', anchors: bundle.anchors },
  ];
  return holders.flatMap(({ name, anchors }) => {
    const pair = (shown: TrustPair['shown'], chain: readonly [Certificate, ...Certificate[]]): TrustPair => {
      const { ok, reason } = verifyLeafOf(chain, { anchors, at });
      return { holder: name, shown, verifies: ok, reason };
    };
    const ofOld = oldIssuer && working.length > 0 ? [pair('certificates of the old issuer', [oldIssuer, ...rest])] : [];
    return [...ofOld, pair('certificates of the new issuer', bundle.issuerChain)];
  });
}
