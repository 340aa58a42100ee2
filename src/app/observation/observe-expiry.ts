import type { Severity } from '../../pki/rules/finding.ts';
import { count } from '../count.ts';
import type { ExpiryReport } from '../expiry.ts';
import { mendOfDates } from '../mend-of-dates.ts';
import type { CertificateReport } from '../report.ts';
import type { UnreadReport } from '../unread.ts';
import { wayToStore } from '../way-to-store.ts';
import {
  commonMetrics,
  findingsOf,
  type Metric,
  nameStore,
  type Observation,
  type ObservedCheck,
  secondsOf,
} from './observation.ts';

const words: Record<
  Exclude<CertificateReport['status'], 'valid'>,
  { code: string; severity: Severity; verb: string }
> = {
  expired: { code: 'expired', severity: 'error', verb: 'has ended on' },
  'not-yet-valid': { code: 'not-yet-valid', severity: 'error', verb: 'is not valid before' },
  expiring: { code: 'expires-soon', severity: 'warning', verb: 'ends on' },
};

/** @param warnBeforeMs from when on an end was worth a warning */
export function observeExpiry(report: ExpiryReport, warnBeforeMs: number): Observation {
  const { store, at, root, issuer, certificates } = report;
  const checks = [
    ...certificates.map((certificate) => judge(certificate, wayToStore(store))),
    ...(report.unread ?? []).filter(({ part }) => part === 'issuer').map(judgeUnread),
  ];
  return {
    command: 'expiry',
    place: nameStore(store),
    at,
    verdict: `${tell('root', root)}, ${issuer ? tell('issuer', issuer) : 'issuer not checked'}`,
    checks,
    metrics: [...describeValidity(certificates), ...commonMetrics('expiry', at, findingsOf({ checks }))],
    performance: [root, ...(issuer ? [issuer] : [])].map(({ role, remainingSeconds }) => ({
      label: role,
      value: remainingSeconds,
      unit: 's',
      warn: `${Math.round(warnBeforeMs / 1000)}:`,
      critical: '0:',
    })),
  };
}

function tell(name: string, { status, notBefore, notAfter, remainingSeconds }: CertificateReport): string {
  if (status === 'expired') return `${name} ${words.expired.verb} ${notAfter}`;
  if (status === 'not-yet-valid') return `${name} ${words['not-yet-valid'].verb} ${notBefore}`;
  return `${name} ends in ${count(Math.trunc(remainingSeconds / 86_400), 'day')}`;
}

/** Another anchor than the root decides nothing: what became of it is worth knowing, no more. */
function judge(certificate: CertificateReport, way: string): ObservedCheck {
  const { role, file, subject, fingerprint, status, notBefore, notAfter } = certificate;
  const name = `${role} ${fingerprint.slice(0, 16)} in ${file}`;
  if (status === 'valid') return { name, findings: [] };
  const { code, severity, verb } = words[status];
  const decides = role === 'root' || role === 'issuer';
  const finding = {
    code: `${role}.${code}`,
    severity: decides ? severity : ('info' as const),
    subject: `${file}: ${subject}`,
    message: `the ${role} ${verb} ${status === 'not-yet-valid' ? notBefore : notAfter}`,
    hint: decides ? mendOfDates(status, way) : `See whether anybody still needs it: \`dapr-mtls check${way}\`.`,
  };
  return { name, findings: [finding] };
}

/** An issuer that nobody has judged never passes as well. */
function judgeUnread({ part, reason, hint }: UnreadReport): ObservedCheck {
  const finding = {
    code: `${part}.not-checked`,
    severity: 'warning' as const,
    subject: part,
    message: `not checked: ${reason}`,
    hint,
  };
  return { name: part, findings: [finding] };
}

export function describeValidity(certificates: readonly CertificateReport[]): Metric[] {
  const sample = (instant: (certificate: CertificateReport) => string) =>
    certificates.map((certificate) => ({
      labels: { role: certificate.role, fingerprint: certificate.fingerprint, subject: certificate.subject },
      value: secondsOf(instant(certificate)),
    }));
  return [
    {
      name: 'dapr_mtls_certificate_expiry_timestamp_seconds',
      help: 'When a certificate of the trust bundle ends, in seconds since 1970.',
      samples: sample(({ notAfter }) => notAfter),
    },
    {
      name: 'dapr_mtls_certificate_not_before_timestamp_seconds',
      help: 'From when on a certificate of the trust bundle is valid, in seconds since 1970.',
      samples: sample(({ notBefore }) => notBefore),
    },
  ];
}
