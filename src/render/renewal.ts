import { anchorsOfBefore, newAnchors, type TrustPair } from '../app/renew/effects.ts';
import { allInOneStep } from '../app/renew/renewal.ts';
import type { CertificateChange, RenewalReport } from '../app/renew/report.ts';
import { quotePosix } from '../app/shell-quote.ts';
import { cutOffRemarks } from './cut-off.ts';
import { formatRfc1123 } from './instant.ts';
import { keepsakeRemarks } from './keepsakes.ts';
import { type Colour, columns, fitColumns, painter, shortName } from './text.ts';

/** The words are upstream's, spelling included: scripts look for them. */
export const startingRotation = 'Starting certificate rotation\n';

const allRestarted = 'All control plane services have restarted successfully!\n';

export function renderRenewal(report: RenewalReport, terminal: { colour: boolean }): string {
  const end = formatRfc1123(new Date(report.validUntil ?? 0));
  const restarted = report.restarted ? allRestarted : '';
  switch (report.outcome) {
    case 'renewed':
    case 'finished':
      return `Certificate rotation is successful! Your new certicate is valid through ${end}\n${restarted}`;
    case 'not-due':
      return `Nothing is due: the root certificate is valid through ${end}\n`;
    case 'unchanged':
      return `Nothing to change: this bundle is there already, its root valid through ${end}\n${restarted}`;
    case 'handed-out':
      return `Nothing was written to the cluster. The root of the new bundle is valid through ${end}\n`;
    case 'dry-run':
      return renderPreview(report, terminal);
  }
}

const marks: Record<CertificateChange['change'], [string, Colour]> = {
  added: ['+', 'green'],
  kept: [' ', 'grey'],
  removed: ['-', 'red'],
};

/** One line for each certificate: new ones first, what goes last. */
export function renderChanges(
  changes: RenewalReport['changes'],
  colour: boolean,
  width = Number.POSITIVE_INFINITY,
): string {
  const paint = painter(colour);
  const colourOf = (index: number) => marks[changes[index]?.change ?? 'kept'][1];
  return fitColumns(changes.map(changeRow), width)
    .map((row, index) => paint(colourOf(index), row))
    .join('\n');
}

/** A difference of meaning: certificates and who goes on trusting whom, not lines of base64. */
function renderPreview(report: RenewalReport, { colour }: { colour: boolean }): string {
  const paint = painter(colour);
  return [
    `Dry run: nothing was written. Procedure: ${report.procedure}`,
    '',
    'Certificates',
    renderChanges(report.changes, colour),
    '',
    'Steps, each a bundle that Sentry accepts',
    ...report.steps.map(({ name, files }, index) => `  ${index + 1}. ${name} (${files.join(', ')})`),
    '',
    'Who goes on trusting whom',
    ...trustMatrix(report.trust, paint),
    '',
  ].join('\n');
}

/** New ones get their key and fingerprint only in the real run. */
function changeRow({ change, certificate }: CertificateChange): string[] {
  const { role, file, subject, fingerprint, notBefore, notAfter, keyAlgorithm } = certificate;
  const name = change === 'added' ? shortName(subject) : `${shortName(subject)} ${fingerprint.slice(0, 8)}`;
  const validity = `${notBefore.slice(0, 10)} to ${notAfter.slice(0, 10)}`;
  return [`${marks[change][0]} ${role}`, file, name, validity, keyAlgorithm];
}

function trustMatrix(pairs: readonly TrustPair[], paint: ReturnType<typeof painter>): string[] {
  const holders = [...new Set(pairs.map(({ holder }) => holder))];
  const shown = ['certificates of the old issuer', 'certificates of the new issuer'] as const;
  const answer = (holder: string, of: TrustPair['shown']) => {
    const pair = pairs.find((candidate) => candidate.holder === holder && candidate.shown === of);
    if (!pair) return '-';
    return pair.verifies ? 'yes' : 'NO';
  };
  const rows = holders.map((holder) => [`  ${holder}`, ...shown.map((of) => answer(holder, of))]);
  const lines = columns([['  WHO HOLDS', "VERIFIES THE OLD ISSUER'S", "THE NEW ISSUER'S"], ...rows]);
  return lines.map((line) => line.replace(/\bNO\b/g, paint('red', 'NO')));
}

/** What belongs on standard error: whom the renewal cuts off, where the copy lies, what is lost. */
export function renewalRemarks(report: RenewalReport): string[] {
  return [
    ...report.remarks,
    ...cutOffRemarks(report.trust, mendOf(report)),
    ...restartRemarks(report),
    ...keepsakeRemarks('The old bundle', report),
  ];
}

/** The ways without a lost call lead from the old bundle on, and are of use before it has gone. */
function mendOf(report: RenewalReport): string {
  const isWritten = report.outcome !== 'dry-run' && report.outcome !== 'handed-out';
  const gentle = gentleWays(report, isWritten);
  return isWritten ? `${restartAll}. What cuts nobody off is ${gentle}.` : `Without cutting anybody off: ${gentle}.`;
}

/** No rotation leads on from a bundle that Sentry refuses, and an old root's key only where its root is there. */
function gentleWays({ store, steps, trust }: RenewalReport, isWritten: boolean): string {
  const way = store.kind === 'cluster' ? ' -k' : ` --dir ${quotePosix(store.name)}`;
  const withKey = "a renewal with the old root's key (--private-key)";
  if (steps.some(({ name }) => name === allInOneStep)) {
    const copy = `a copy from before the damage: \`dapr-mtls backup list${way}\`, then \`backup restore ID\``;
    return trust.some(({ holder }) => holder === anchorsOfBefore) ? copy : `${copy}; or ${withKey}`;
  }
  if (isWritten) return `\`dapr-mtls rotate run\`, or ${withKey}`;
  return `\`dapr-mtls rotate plan${way}\`, then \`rotate run\`; or ${withKey}`;
}

const restartAll = 'Restart Sentry and every sidecar now';

/** Of a bundle that has ended nobody is left to be cut off, and all are to be restarted all the same. */
function restartRemarks({ outcome, procedure, trust }: RenewalReport): string[] {
  const isDue = outcome === 'renewed' && procedure === 'replace' && trust.every(({ holder }) => holder === newAnchors);
  return isDue && trust.every(({ verifies }) => verifies)
    ? [`${restartAll}: who holds other anchors than the new ones verifies nothing.`]
    : [];
}
