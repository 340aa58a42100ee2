import { findRoot } from '../bundle.ts';
import type { Certificate } from '../certificate.ts';
import { verifyLeafOf } from '../chain.ts';
import { visibleCertificatesOf } from '../reading.ts';
import { mendingCommand, type RuleContext } from './context.ts';
import { type Finding, finding } from './finding.ts';

/** The dates. First line, banner and exit codes judge root and issuer; the rest is for the record. */
export function judgeValidity(context: RuleContext): Finding[] {
  const { reading, names, at, warnBeforeMs } = context;
  const anchors = visibleCertificatesOf(reading.anchors);
  const chain = visibleCertificatesOf(reading.issuerChain);
  const [issuer, ...rest] = chain;
  const root = findRoot(anchors, chain);
  const findings: Finding[] = [];
  if (root) findings.push(...judgeDates('root', root, names.anchors, context));
  if (issuer) findings.push(...judgeDates('issuer', issuer, names.issuerChain, context));
  if (root && issuer && issuer.notAfter > root.notAfter) {
    findings.push(
      finding('issuer.outlives-root', {
        subject: `${names.issuerChain}: ${issuer.subject}`,
        message: `the issuer ends at ${issuer.notAfter.toISOString()}, its root at ${root.notAfter.toISOString()}`,
        hint: 'Reckon with the root; the next renewal dates the issuer within it.',
      }),
    );
  }
  for (const anchor of anchors) {
    if (anchor === root) continue;
    const subject = `${names.anchors}: ${anchor.subject}`;
    if (anchor.notAfter < at) {
      findings.push(
        finding('anchor.expired', {
          subject,
          message: `the anchor ended at ${anchor.notAfter.toISOString()}`,
          hint: 'The next renewal drops it.',
        }),
      );
      continue;
    }
    const end = endOfService(anchor, chain, at);
    if (end.getTime() - at.getTime() >= warnBeforeMs) continue;
    const what = end < anchor.notAfter ? 'the bridge to this anchor' : 'the anchor';
    findings.push(
      finding('anchor.expires-soon', {
        subject,
        message: `${what} ends at ${end.toISOString()}; who holds only it loses every call then`,
        hint: 'Restart what was started before the last renewal.',
      }),
    );
  }
  const live = rest.filter((link) => link.notAfter >= at);
  if (issuer && live.length < rest.length && verifyLeafOf([issuer, ...live], { anchors, at }).ok) {
    findings.push(
      finding('chain.useless', {
        subject: names.issuerChain,
        message: 'certificates behind the issuer have expired',
        hint: 'They do no harm; the next renewal drops them.',
      }),
    );
  }
  return findings;
}

/** When the last way from the issuer to the anchor ends: a bridge may end long before the anchor. */
function endOfService(anchor: Certificate, [issuer, ...rest]: readonly Certificate[], at: Date): Date {
  const { chains } = issuer ? verifyLeafOf([issuer, ...rest], { anchors: [anchor], at }) : { chains: [] };
  const ends = chains.map((chain) => Math.min(...chain.map(({ notAfter }) => notAfter.getTime())));
  return ends.length === 0 ? anchor.notAfter : new Date(Math.max(...ends));
}

function judgeDates(role: 'root' | 'issuer', certificate: Certificate, file: string, context: RuleContext): Finding[] {
  const { at, warnBeforeMs } = context;
  const subject = `${file}: ${certificate.subject}`;
  const { notBefore, notAfter } = certificate;
  if (at > notAfter) {
    return [
      finding(`${role}.expired`, {
        subject,
        message: `the ${role} expired at ${notAfter.toISOString()}; calls fail now, and no procedure avoids that`,
        hint: `Renew at once, then restart Sentry and every sidecar: ${mendingCommand(context, 'renew-certificate')}.`,
      }),
    ];
  }
  if (at < notBefore) {
    return [
      finding(`${role}.not-yet-valid`, {
        subject,
        message: `the ${role} is valid from ${notBefore.toISOString()}`,
        hint: 'Check the clock of this machine and of the one that made the certificate.',
      }),
    ];
  }
  if (notAfter.getTime() - at.getTime() >= warnBeforeMs) return [];
  return [
    finding(`${role}.expires-soon`, {
      subject,
      message: `the ${role} ends at ${notAfter.toISOString()}`,
      hint: `Renew it while it is valid, because then no call is lost: ${mendingCommand(context, 'renew-certificate')}.`,
    }),
  ];
}
