import type { InspectedCertificate, InspectedKey, InspectReport } from '../app/inspect.ts';
import { formatSpan } from './instant.ts';
import { type Colour, painter, printable, shortName } from './text.ts';
import { renderTimeBars } from './time-bars.ts';
import { type Branch, renderTree } from './tree.ts';

export function renderInspect(report: InspectReport, terminal: { colour: boolean; columns: number }): string {
  const paint = painter(terminal.colour);
  const { certificates, keys, problems } = report;
  const sections = [
    ...certificates.map((certificate) => certificateLines(certificate, paint)),
    ...keys.map((key) => keyLines(key, certificates, paint)),
    problems.length > 0
      ? [
          paint('red', 'Problems'),
          ...problems.map(({ file, line, message }) => `  ${printable(file)}:${line}: ${printable(message)}`),
        ]
      : [],
    certificates.length > 0 ? [paint('bold', 'Chain'), ...chainTree(certificates).map((line) => `  ${line}`)] : [],
    certificates.length > 0
      ? [paint('bold', 'Validity'), ...bars(report, terminal.columns - 2).map((line) => `  ${line}`)]
      : [],
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

type Paint = ReturnType<typeof painter>;

const statusColours: Record<InspectedCertificate['status'], Colour> = {
  valid: 'green',
  expiring: 'yellow',
  expired: 'red',
  'not-yet-valid': 'red',
};

function certificateLines(certificate: InspectedCertificate, paint: Paint): string[] {
  const { status, remainingSeconds } = certificate;
  const left =
    remainingSeconds < 0 ? `ended ${formatSpan(remainingSeconds)} ago` : `${formatSpan(remainingSeconds)} left`;
  const fields: [string, string][] = [
    ['Subject', printable(certificate.subject)],
    ['Issuer', certificate.selfSigned ? 'itself' : printable(certificate.issuer)],
    ['Valid', `${certificate.notBefore} to ${certificate.notAfter}, ${paint(statusColours[status], status)}, ${left}`],
    ['SHA-256', certificate.fingerprint],
    ['Serial', certificate.serial],
    ['Key', certificate.keyAlgorithm],
    ['Authority', authority(certificate)],
    ['Usage', [...certificate.keyUsage, ...certificate.extendedKeyUsage].join(', ')],
    ['Names', printable([...certificate.dnsNames, ...certificate.uris].join(', '))],
    ['Key id', certificate.subjectKeyId ?? ''],
    ['Signer id', certificate.authorityKeyId ?? ''],
    ['Sentry', certificate.seenBySentry ? '' : paint('red', 'does not see this certificate')],
  ];
  const shown = fields.filter(([, value]) => value !== '').map(([name, value]) => `  ${name.padEnd(9)}  ${value}`);
  return [paint('bold', `${printable(certificate.file)}:${certificate.line}  ${certificate.role}`), ...shown];
}

function authority({ certificateAuthority, pathLength }: InspectedCertificate): string {
  if (!certificateAuthority) return 'no';
  return pathLength === null ? 'yes' : `yes, path length ${pathLength}`;
}

function keyLines(
  { file, line, encrypted, algorithm, belongsTo }: InspectedKey,
  certificates: readonly InspectedCertificate[],
  paint: Paint,
): string[] {
  const owners = certificates.filter(({ fingerprint }) => belongsTo.includes(fingerprint));
  const whose = owners.map(({ role, subject }) => `${role} ${shortName(subject)}`).join(', ');
  return [
    paint('bold', `${printable(file)}:${line}  private key`),
    `  Kind       ${encrypted ? 'encrypted' : (algorithm ?? 'cannot be read')}`,
    ...(encrypted ? [] : [`  Belongs to ${whose || paint('red', 'none of the certificates shown')}`]),
  ];
}

/** Who signed whom. A certificate with two signers stands under both. */
function chainTree(certificates: readonly InspectedCertificate[]): string[] {
  const unique = certificates.filter(
    (certificate, index) =>
      certificates.findIndex(({ fingerprint }) => fingerprint === certificate.fingerprint) === index,
  );
  const grow = (certificate: InspectedCertificate, path: readonly string[]): Branch => ({
    label: `${shortName(certificate.subject)} (${certificate.role}, ${printable(certificate.file)}, ${certificate.fingerprint.slice(0, 8)})`,
    children: unique
      .filter(
        ({ signedBy, fingerprint, selfSigned }) =>
          !selfSigned && signedBy.includes(certificate.fingerprint) && !path.includes(fingerprint),
      )
      .map((child) => grow(child, [...path, child.fingerprint])),
  });
  const tops = unique.filter(({ selfSigned, signedBy }) => selfSigned || signedBy.length === 0);
  return renderTree((tops.length > 0 ? tops : unique).map((top) => grow(top, [top.fingerprint])));
}

function bars({ certificates, at }: InspectReport, columns: number): string[] {
  const spans = certificates.map(({ role, subject, notBefore, notAfter }) => ({
    label: `${role} ${shortName(subject)}`,
    from: new Date(notBefore),
    to: new Date(notAfter),
  }));
  return renderTimeBars(spans, new Date(at), columns);
}
