import type { Certificate } from '../../pki/certificate.ts';
import { verifyLeafOf } from '../../pki/chain.ts';
import { type CurrentBundle, workingAnchors } from './current.ts';

/** What running sidecars may hold: the anchors that they were started with, whatever became of the files since. */
export interface HeldAnchors {
  /** Sets of the bundle's anchors, each of which somebody may hold. */
  readonly known: readonly (readonly Certificate[])[];
  /** Why the bundle does not tell what else is held; undefined where it does. */
  readonly unknown: string | undefined;
  /** Whether sidecars may show certificates of the issuer that is there. */
  readonly isIssuerTheirs: boolean;
}

const nobody: HeldAnchors = { known: [], unknown: undefined, isIssuerTheirs: false };

/**
 * Whose calls a renewal has to think of. A bundle that Sentry refuses is not one on which calls fail:
 * those who hold sound anchors go on calling, until what they hold has ended.
 */
export function heldAnchors(current: CurrentBundle, at: Date): HeldAnchors {
  const { issuerChain, visibleAnchors, liveAnchors, refusal } = current;
  const working = workingAnchors(current, at);
  if (working.length > 0) {
    const all = working.length > 1 ? [liveAnchors] : [];
    return { known: [...alone(working), ...all], unknown: undefined, isIssuerTheirs: true };
  }
  if (refusal === undefined) return nobody;
  const unknown = visibleAnchors.length === 0 ? 'none in it can be read' : undefined;
  const [issuer, ...rest] = issuerChain;
  if (!issuer) return { known: alone(liveAnchors), unknown, isIssuerTheirs: false };
  if (issuer.notAfter < at) return nobody;
  if (unknown !== undefined) return { known: [], unknown, isIssuerTheirs: true };
  const once = visibleAnchors.filter((anchor) => verifiedOnce([issuer, ...rest], anchor));
  // Of what is not valid yet a wrong clock is likelier the cause than the certificate.
  const early = once.filter((anchor) => at < beginOf([issuer, ...rest, anchor]));
  if (once.length > 0) return { known: alone(early), unknown, isIssuerTheirs: early.length > 0 };
  // Which of the two is a stranger's, anchors or issuer, the files do not tell.
  const known = liveAnchors.length > 0 ? [liveAnchors] : [];
  return { known, unknown: "none in it verifies the issuer's certificates", isIssuerTheirs: false };
}

function alone(anchors: readonly Certificate[]): [Certificate][] {
  return anchors.map((anchor) => [anchor]);
}

function verifiedOnce(chain: readonly [Certificate, ...Certificate[]], anchor: Certificate): boolean {
  return verifyLeafOf(chain, { anchors: [anchor], at: beginOf([...chain, anchor]) }).ok;
}

/** From when on all of them are valid. */
function beginOf(certificates: readonly Certificate[]): Date {
  return new Date(Math.max(...certificates.map(({ notBefore }) => notBefore.getTime())));
}
