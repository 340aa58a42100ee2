import type { CertificateReport, ExpiryReport } from '../app/expiry.ts';
import { formatGoTime, formatShortSpan, formatSpan } from './instant.ts';
import { type Colour, fitColumns, painter, shortName } from './text.ts';

/** Upstream's one line, for scripts; who sits at a terminal also gets every certificate. */
export function renderExpiry(
  report: ExpiryReport,
  terminal: { isTty: boolean; columns: number; colour: boolean },
): string {
  const line = `${firstLine(report.root)}\n`;
  return terminal.isTty ? `${line}\n${renderTable(report, terminal)}` : line;
}

/** The hours are truncated towards zero, as upstream does; an end that has passed is said in words. */
function firstLine({ remainingSeconds, notAfter }: CertificateReport): string {
  const date = `Expiry date: ${formatGoTime(new Date(notAfter))}`;
  if (remainingSeconds < 0) return `Root certificate has expired, ${formatSpan(remainingSeconds)} ago. ${date}`;
  return `Root certificate expires in ${Math.trunc(remainingSeconds / 3600)} hours. ${date}`;
}

const statusColours: Record<CertificateReport['status'], Colour> = {
  valid: 'green',
  expiring: 'yellow',
  expired: 'red',
  'not-yet-valid': 'red',
};

function renderTable({ certificates }: ExpiryReport, terminal: { columns: number; colour: boolean }): string {
  const paint = painter(terminal.colour);
  const header = ['ROLE', 'STATUS', 'ENDS IN', 'EXPIRY DATE', 'FILE', 'NAME'];
  const rows = certificates.map((certificate) => [
    certificate.role,
    certificate.status,
    formatShortSpan(certificate.remainingSeconds),
    certificate.notAfter,
    certificate.file,
    shortName(certificate.subject),
  ]);
  return fitColumns([header, ...rows], terminal.columns)
    .map((line, index) => {
      const certificate = certificates[index - 1];
      if (!certificate) return paint('bold', line);
      return line.replace(certificate.status, paint(statusColours[certificate.status], certificate.status));
    })
    .concat('')
    .join('\n');
}
