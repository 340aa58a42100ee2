import { DaprMtlsError } from '../../errors.ts';
import { readCertificateFile, visibleCertificatesOf } from '../../pki/reading.ts';
import { formatInstant } from '../report.ts';
import { formatGoDuration } from './duration.ts';
import type { MtlsSettings } from './settings.ts';

/**
 * Sentry does not clamp a leaf to its issuer (pkg/sentry/server/ca): one that is dated beyond it ends
 * with the issuer, and its holder does not know.
 * @param issuerChain as it is stored; undefined, or without a certificate: there is nothing to judge
 * @param wayToStore as in commands: ` -k`, ` --dir DIR`, or nothing
 * @throws DaprMtlsError `usage.invalid`
 */
export function assertLeavesEndBeforeIssuer(
  { workloadCertTtlMs }: Pick<MtlsSettings, 'workloadCertTtlMs'>,
  issuerChain: Buffer | undefined,
  at: Date,
  wayToStore: string,
): void {
  const [issuer] = issuerChain ? visibleCertificatesOf(readCertificateFile('issuerChain', issuerChain)) : [];
  if (!issuer) return;
  const restMs = issuer.notAfter.getTime() - at.getTime();
  if (workloadCertTtlMs <= restMs) return;
  const ttl = formatGoDuration(workloadCertTtlMs);
  const renewal = `\`dapr-mtls renew-certificate${wayToStore}\``;
  if (restMs <= 0) {
    throw new DaprMtlsError('usage.invalid', {
      message: `the issuer has ended at ${formatInstant(issuer.notAfter)}: no certificate that it signs is valid`,
      hint: `Renew first: ${renewal}.`,
    });
  }
  throw new DaprMtlsError('usage.invalid', {
    message: `workloadCertTTL=${ttl} reaches beyond the issuer, which ends at ${formatInstant(issuer.notAfter)}: certificates would be dated longer than they are good for`,
    hint: `Renew first: ${renewal}; or choose at most ${formatGoDuration(roundDown(restMs))}.`,
  });
}

const hourMs = 3_600_000;

/** To a figure that people type. */
function roundDown(ms: number): number {
  return ms < hourMs ? ms : ms - (ms % hourMs);
}
