import type { BundlePart, CertificateFile } from '../reading.ts';
import { mendingCommand, type RuleContext } from './context.ts';
import { type Finding, finding } from './finding.ts';

/** Files that are missing, damaged, or read by Go otherwise than by people. */
export function judgeFiles(context: RuleContext): Finding[] {
  const { reading, names } = context;
  const missing = (Object.keys(names) as BundlePart[])
    .filter((part) => !reading[part] || reading[part].bytes.length === 0)
    .map((part) =>
      finding('bundle.missing', {
        subject: names[part],
        message: `${names[part]} is ${reading[part] ? 'empty' : 'missing'}`,
        hint: `Let no Sentry start: it would make all three anew. Restore the bundle: ${mendingCommand(context, 'backup restore')}.`,
      }),
    );
  const files = [reading.anchors, reading.issuerChain].flatMap((file) => (file && file.bytes.length > 0 ? file : []));
  return [...missing, ...files.flatMap((file) => judgeCertificateFile(file, context))];
}

function judgeCertificateFile(file: CertificateFile, context: RuleContext): Finding[] {
  return [...judgeProblems(file, context), ...judgeForeignBlocks(file, context), ...judgeEntries(file, context)];
}

const harmless = new Set(['nul', 'no-begin']);

function judgeProblems(file: CertificateFile, context: RuleContext): Finding[] {
  const name = context.names[file.part];
  return file.problems.map(({ kind, line, message }) =>
    finding(harmless.has(kind) ? 'pem.odd' : 'pem.unreadable', {
      subject: `${name}:${line}`,
      message,
      hint: harmless.has(kind) ? hintForOdd(name, context) : hintForDamaged(name, context),
    }),
  );
}

function hintForOdd(name: string, context: RuleContext): string {
  return `Write ${name} anew with CERTIFICATE blocks only, each on lines of its own: ${mendingCommand(context, 'renew-certificate')} does, or ${mendingCommand(context, 'backup restore')}.`;
}

/** A copy comes first: from a bundle that Sentry refuses no bridge leads on. */
function hintForDamaged(name: string, context: RuleContext): string {
  return `Bring ${name} back from before the damage, which cuts nobody off: ${mendingCommand(context, 'backup restore')}. Or write it anew with CERTIFICATE blocks only, each on lines of its own. Where neither can be done, ${mendingCommand(context, 'renew-certificate')} makes a new bundle; without a bridge that cuts off whoever holds the old anchors.`;
}

function judgeForeignBlocks(file: CertificateFile, context: RuleContext): Finding[] {
  const name = context.names[file.part];
  return file.foreign.map(({ label, line }) =>
    label.endsWith('PRIVATE KEY')
      ? finding('pem.private-key', {
          subject: `${name}:${line}`,
          message: `a ${label} stands in ${name}`,
          hint: `Take the key out of ${name} and treat it as known to others: ${mendingCommand(context, 'renew-certificate')} makes a new one.`,
        })
      : finding('pem.foreign-block', {
          subject: `${name}:${line}`,
          message: `a block labelled ${label}: Sentry reads no further`,
          hint: `Remove that block from ${name}.`,
        }),
  );
}

function judgeEntries(file: CertificateFile, { names }: RuleContext): Finding[] {
  const name = names[file.part];
  return file.entries.flatMap(({ line, certificate, problem, seenByGo }) => {
    const subject = `${name}:${line}`;
    if (!certificate) {
      return finding('certificate.unreadable', {
        subject,
        message: problem ?? 'not a certificate',
        hint: `Replace the block at line ${line} of ${name}, or restore the file from a backup.`,
      });
    }
    if (seenByGo) return [];
    return finding('pem.hidden-certificate', {
      subject,
      message: `${certificate.subject} is not seen by Sentry and daprd`,
      hint: `Remove what stands before line ${line} of ${name} and is no certificate.`,
    });
  });
}
