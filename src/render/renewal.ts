import type { CertificateChange, RenewalReport } from '../app/renew/report.ts';
import { formatRfc1123, formatSpan } from './instant.ts';
import { type Colour, columns, painter, printable } from './text.ts';

/** The words are upstream's, spelling included: scripts look for them. */
export const startingRotation = 'Starting certificate rotation\n';

export function renderRenewal(report: RenewalReport, terminal: { colour: boolean }): string {
  const end = formatRfc1123(new Date(report.validUntil || 0));
  switch (report.outcome) {
    case 'renewed':
    case 'finished':
      return `Certificate rotation is successful! Your new certicate is valid through ${end}\n`;
    case 'not-due':
      return `Nothing is due: the root certificate is valid through ${end}\n`;
    case 'dry-run':
      return renderPreview(report, terminal);
  }
}

const marks: Record<CertificateChange['change'], [string, Colour]> = {
  added: ['+', 'green'],
  kept: [' ', 'grey'],
  removed: ['-', 'red'],
};

/** A difference of meaning: certificates and who goes on trusting whom, not lines of base64. */
function renderPreview(report: RenewalReport, { colour }: { colour: boolean }): string {
  const paint = painter(colour);
  const rows = columns(
    report.changes.map(({ change, certificate }) => [
      marks[change][0],
      certificate.role,
      certificate.file,
      printable(certificate.subject),
      `${certificate.notBefore.slice(0, 10)} to ${certificate.notAfter.slice(0, 10)} (${formatSpan(certificate.remainingSeconds)})`,
      change === 'added'
        ? `${certificate.keyAlgorithm}, made anew in the real run`
        : `${certificate.keyAlgorithm}, ${certificate.fingerprint.slice(0, 16)}`,
    ]),
  );
  const changes = rows.map((row, index) => paint(marks[report.changes[index]?.change ?? 'kept'][1], row));
  return [
    `Dry run: nothing was written. Procedure: ${report.procedure}`,
    '',
    'Certificates',
    ...changes,
    '',
    'Steps, each a bundle that Sentry accepts',
    ...report.steps.map(({ name, files }, index) => `  ${index + 1}. ${name} (${files.join(', ')})`),
    '',
    'Who goes on trusting whom',
    ...columns(
      report.trust.map(({ holder, shown, verifies }) => [
        `  who holds ${holder}`,
        shown,
        verifies ? 'verifies' : paint('red', 'IS CUT OFF'),
      ]),
    ),
    '',
  ].join('\n');
}

/** What belongs on standard error: whom the renewal cuts off, where the copy lies, what is lost. */
export function renewalRemarks(report: RenewalReport): string[] {
  const broken = report.trust.filter(({ verifies }) => !verifies);
  const cutOff = broken.map(({ holder, shown }) => `Warning: who holds ${holder} does not verify ${shown}.`);
  if (broken.length > 0)
    cutOff.push(
      'Restart Sentry and every sidecar now. A staged rotation (`mtls rotate`) or the root key (`--private-key`) avoids this.',
    );
  const backup =
    report.backup && !report.backup.encrypted
      ? [`The old bundle, its key in clear, is kept in ${report.backup.path}`]
      : [];
  const encrypted = report.backup?.encrypted
    ? [`The old bundle is kept in ${report.backup.path}, its key encrypted`]
    : [];
  const rootKey = report.rootKey?.path
    ? [`The root key is kept in ${report.rootKey.path}${report.rootKey.encrypted ? ', encrypted' : ', IN CLEAR'}`]
    : [];
  return [...report.remarks, ...cutOff, ...backup, ...encrypted, ...rootKey];
}
