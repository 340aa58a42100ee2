import { findRoot } from '../bundle.ts';
import type { Certificate } from '../certificate.ts';
import { verifyLeafOf } from '../chain.ts';
import { visibleCertificatesOf } from '../reading.ts';
import type { RuleContext } from './context.ts';
import { type Finding, finding } from './finding.ts';

/**
 * A bridge ends with the old issuer that signed it, perhaps long before the anchor that it serves:
 * who holds only that anchor is cut off then, while every date of root and issuer looks well.
 */
export function judgeBridges({ reading, names, at }: RuleContext): Finding[] {
  const anchors = visibleCertificatesOf(reading.anchors);
  const [issuer, ...rest] = visibleCertificatesOf(reading.issuerChain);
  if (!issuer || issuer.notAfter < at) return [];
  const root = findRoot(anchors, [issuer, ...rest]);
  return anchors
    .filter((anchor) => anchor !== root && anchor.notAfter >= at && hasEnded([issuer, ...rest], anchor, at))
    .map((anchor) =>
      finding('bridge.ended', {
        subject: `${names.anchors}: ${anchor.subject}`,
        message: 'the bridge to this anchor has ended; who holds only it is cut off',
        hint: 'Restart what was started before the last renewal: it takes the new anchors then.',
      }),
    );
}

/** Leaves of the chain verified under the anchor when the chain was made, and do not any more; before that nothing has ended. */
function hasEnded(chain: readonly [Certificate, ...Certificate[]], anchor: Certificate, at: Date): boolean {
  const made = Math.max(...[...chain, anchor].map(({ notBefore }) => notBefore.getTime()));
  const verifies = (instant: Date) => verifyLeafOf(chain, { anchors: [anchor], at: instant }).ok;
  return at.getTime() >= made && verifies(new Date(made)) && !verifies(at);
}
