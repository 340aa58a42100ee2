import type { TrustBundle } from '../../pki/bundle.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { verifyLeafOf } from '../../pki/chain.ts';
import { type CurrentBundle, workingAnchors } from './current.ts';
import { heldAnchors } from './held-anchors.ts';

/** One party that holds certain anchors, and whether it understands who shows a certain chain. */
export interface TrustPair {
  readonly holder: string;
  readonly shown: 'certificates of the old issuer' | 'certificates of the new issuer';
  readonly verifies: boolean;
  readonly reason: string;
}

interface Holder {
  readonly name: string;
  readonly anchors: readonly Certificate[];
  /** Whether a renewal changes what it thinks of the old issuer's certificates. */
  readonly meetsOld: boolean;
}

/** Every renewal makes this holder; nobody else is left of a bundle that has ended. */
export const newAnchors = 'the new anchors';
export const anchorsOfBefore = 'the anchors from before the damage';

/**
 * Who goes on trusting whom: every set of anchors that somebody may hold while a renewal is under
 * way, against every chain that somebody may show, verified as Go does.
 * @param isNewRoot whether nobody can hold the root of the bundle yet
 */
export function listTrustPairs(
  current: CurrentBundle,
  bundle: TrustBundle,
  at: Date,
  isNewRoot: boolean = false,
): TrustPair[] {
  const { known, unknown, isIssuerTheirs } = heldAnchors(current, at);
  const works = workingAnchors(current, at).length > 0;
  const [oldIssuer, ...rest] = current.issuerChain;
  const holders: readonly Holder[] = [
    ...known.map((anchors) => ({ name: nameOf(anchors), anchors, meetsOld: works })),
    ...(unknown !== undefined && (oldIssuer || isNewRoot) ? [holderOfBefore(current, bundle, at)] : []),
    { name: newAnchors, anchors: bundle.anchors, meetsOld: isIssuerTheirs },
  ];
  return holders.flatMap(({ name, anchors, meetsOld }) => {
    const pair = (shown: TrustPair['shown'], chain: readonly [Certificate, ...Certificate[]]): TrustPair => {
      const { ok, reason } = verifyLeafOf(chain, { anchors, at });
      return { holder: name, shown, verifies: ok, reason };
    };
    const ofOld = oldIssuer && meetsOld ? [pair('certificates of the old issuer', [oldIssuer, ...rest])] : [];
    return [...ofOld, pair('certificates of the new issuer', bundle.issuerChain)];
  });
}

function nameOf(anchors: readonly Certificate[]): string {
  const [only, ...more] = anchors;
  return only && more.length === 0 ? `only the old anchor ${only.fingerprint.slice(0, 8)}` : 'all the old anchors';
}

/** What was held is told by what is left of the bundle: anchors that fit a part of it are the old ones come back. */
function holderOfBefore(
  { issuerChain: [issuer, ...rest], liveAnchors }: CurrentBundle,
  { anchors }: TrustBundle,
  at: Date,
): Holder {
  const isBack = (anchor: Certificate) =>
    liveAnchors.some(({ fingerprint }) => fingerprint === anchor.fingerprint) ||
    (issuer && verifyLeafOf([issuer, ...rest], { anchors: [anchor], at }).ok);
  return { name: anchorsOfBefore, anchors: anchors.filter(isBack), meetsOld: false };
}

/** What the bundle does not tell of those who hold anchors, in a whole sentence; undefined where it tells all that matters. */
export function remarkOnUnknown(
  current: CurrentBundle,
  trust: readonly TrustPair[],
  file: string,
  at: Date,
): string | undefined {
  const { unknown } = heldAnchors(current, at);
  const isBack = trust.some(({ holder, verifies }) => holder === anchorsOfBefore && verifies);
  if (unknown === undefined || isBack) return undefined;
  return `${file} does not tell which anchors the sidecars hold: ${unknown}.`;
}
