import type { EndOfCertificate, ExpiryGlance } from '../app/banner.ts';
import { formatRfc1123 } from './instant.ts';

const secondsADay = 86_400;

/**
 * The official CLI's warning, byte for byte where the root is concerned: the sign, the days cut off
 * towards zero, the space at the end of a line and the one at the start of the next. It knows no
 * issuer, and calls what expired an hour ago "today". Empty where nothing ends soon and all was
 * looked at.
 */
export function renderBanner({ checked, reason, root, issuer }: ExpiryGlance): string {
  const unchecked = checked ? '' : `${root ? 'expiry of the issuer' : 'expiry'} not checked: ${reason}\n`;
  const warnings = [...warnOf('root', root), ...warnOf('issuer', issuer)];
  if (warnings.length === 0) return unchecked;
  const advice = ' Please see docs.dapr.io for certificate renewal instructions to avoid service interruptions.';
  return `${[...warnings, advice].join('\n')}\n${unchecked}`;
}

function warnOf(role: 'root' | 'issuer', end: EndOfCertificate | null): string[] {
  if (end?.status !== 'expiring' && end?.status !== 'expired') return [];
  const date = formatRfc1123(new Date(end.notAfter));
  return [`⚠  Dapr ${role} certificate of your Kubernetes cluster ${describeEnd(end)} Expiry date: ${date}. `];
}

function describeEnd({ status, remainingSeconds }: EndOfCertificate): string {
  if (status === 'expired') return 'has expired.';
  const days = Math.trunc(remainingSeconds / secondsADay);
  return days === 0 ? 'expires today.' : `expires in ${days} days.`;
}
