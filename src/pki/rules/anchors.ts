import { whyNotSigned } from '../chain.ts';
import { visibleCertificatesOf } from '../reading.ts';
import type { RuleContext } from './context.ts';
import { type Finding, finding } from './finding.ts';

/** Each trust anchor for itself. */
export function judgeAnchors({ reading, names }: RuleContext): Finding[] {
  const anchors = visibleCertificatesOf(reading.anchors);
  const seen = new Set<string>();
  return anchors.flatMap((anchor): Finding[] => {
    const subject = `${names.anchors}: ${anchor.subject}`;
    const isDuplicate = seen.has(anchor.fingerprint);
    seen.add(anchor.fingerprint);
    if (isDuplicate) {
      return [
        finding('anchor.duplicate', {
          subject,
          message: `the anchor ${anchor.fingerprint.slice(0, 16)} stands there more than once`,
          hint: 'The next renewal writes it once.',
        }),
      ];
    }
    const reason = whyNotSigned(anchor, anchor);
    if (!reason) return [];
    return [
      finding('anchor.not-self-signed', {
        subject,
        message: `not a self-signed authority: ${reason}`,
        hint: `Take it out of ${names.anchors}; a cross-certificate belongs behind the issuer in ${names.issuerChain}.`,
      }),
    ];
  });
}
