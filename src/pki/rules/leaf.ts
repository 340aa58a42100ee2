import { visibleCertificatesOf } from '../reading.ts';
import { mendingCommand, type RuleContext } from './context.ts';
import { type Finding, finding } from './finding.ts';

const shortLifetimeMs = 15 * 60_000;

/** How the lifetime of workload certificates fits to the issuer and to the clocks. */
export function judgeLeafLifetime(context: RuleContext): Finding[] {
  const { reading, names, at, workloadCertTtlMs, allowedClockSkewMs } = context;
  const subject = 'Configuration';
  const findings: Finding[] = [];
  if (allowedClockSkewMs >= workloadCertTtlMs) {
    findings.push(
      finding('leaf.skew', {
        subject,
        message:
          'allowedClockSkew is not below workloadCertTTL: every certificate is due for renewal when it is issued',
        hint: `Raise the one or lower the other: ${mendingCommand(context, 'config set workloadCertTTL=24h allowedClockSkew=15m')}.`,
      }),
    );
  } else if (workloadCertTtlMs <= shortLifetimeMs) {
    findings.push(
      finding('leaf.short-lifetime', {
        subject,
        message: `workloadCertTTL is ${Math.round(workloadCertTtlMs / 1000)} seconds`,
        hint: `Raise it: ${mendingCommand(context, 'config set workloadCertTTL=24h')}.`,
      }),
    );
  }
  const [issuer] = visibleCertificatesOf(reading.issuerChain);
  if (issuer && issuer.notAfter > at && at.getTime() + workloadCertTtlMs > issuer.notAfter.getTime()) {
    findings.push(
      finding('leaf.outlives-issuer', {
        subject: `${names.issuerChain}: ${issuer.subject}`,
        message: 'certificates signed now are dated beyond the end of the issuer',
        hint: `Replace the issuer now: sidecars do not renew before their own date, ${mendingCommand(context, 'renew-certificate')}.`,
      }),
    );
  }
  return findings;
}
