import { readCertificateFile } from '../../pki/reading.ts';
import type { Backup, ChangeStep, FoundFiles, StoreLocation } from '../../store/port.ts';
import {
  assignRoles,
  type CertificateReport,
  type Document,
  defaultWarnBeforeMs,
  describeCertificate,
  formatInstant,
  type StoreReport,
} from '../report.ts';
import type { RootKeyReport } from '../root-key.ts';
import type { TrustPair } from './effects.ts';
import type { Procedure } from './renewal.ts';

/**
 * renewed: done. finished: an earlier run of this command had been interrupted, and was carried to
 * its end. not-due: --if-expires-within had nothing to do. unchanged: the files given are there
 * already. dry-run: nothing was written. handed-out: the new bundle was written into files, and the
 * store left alone.
 */
export type RenewalOutcome = 'renewed' | 'finished' | 'not-due' | 'unchanged' | 'dry-run' | 'handed-out';

export interface RenewalReport extends Document<'Renewal'> {
  readonly store: StoreReport;
  readonly outcome: RenewalOutcome;
  readonly procedure: Procedure | null;
  /** The end of the root that counts after this run; null where none does. */
  readonly validUntil: string | null;
  readonly steps: readonly { readonly name: string; readonly files: readonly string[] }[];
  readonly changes: readonly CertificateChange[];
  readonly trust: readonly TrustPair[];
  readonly backup: BackupReport | null;
  readonly rootKey: RootKeyReport | null;
  /** Whether the control plane was restarted after it. */
  readonly restarted: boolean;
  readonly remarks: readonly string[];
}

export interface CertificateChange {
  readonly change: 'added' | 'kept' | 'removed';
  readonly certificate: CertificateReport;
}

export interface BackupReport {
  readonly id: string;
  readonly path: string;
  readonly encrypted: boolean;
}

export function describeBackup(backup: Backup | undefined): BackupReport | null {
  return backup ? { id: backup.id, path: backup.path, encrypted: backup.encrypted } : null;
}

export function describeSteps(steps: readonly ChangeStep[], { names }: StoreLocation): RenewalReport['steps'] {
  return steps.map(({ name, files }) => ({
    name,
    files: Object.keys(files).map((part) => names[part as keyof typeof names]),
  }));
}

/** What changes by meaning: certificates, not bytes. New first, then what stays, then what goes. */
export function describeChanges(
  before: FoundFiles,
  after: FoundFiles,
  location: StoreLocation,
  at: Date,
): CertificateChange[] {
  const old = describeAll(before, location, at);
  const fresh = describeAll(after, location, at);
  const has = (list: readonly CertificateReport[], { fingerprint, file }: CertificateReport) =>
    list.some((other) => other.fingerprint === fingerprint && other.file === file);
  return [
    ...fresh.map((certificate) => ({
      change: has(old, certificate) ? ('kept' as const) : ('added' as const),
      certificate,
    })),
    ...old
      .filter((certificate) => !has(fresh, certificate))
      .map((certificate) => ({ change: 'removed' as const, certificate })),
  ].sort((a, b) => order.indexOf(a.change) - order.indexOf(b.change));
}

const order = ['added', 'kept', 'removed'];

function describeAll({ anchors, issuerChain }: FoundFiles, { names }: StoreLocation, at: Date): CertificateReport[] {
  const { members } = assignRoles({
    anchors: anchors && readCertificateFile('anchors', anchors),
    issuerChain: issuerChain && readCertificateFile('issuerChain', issuerChain),
  });
  return members.map(({ role, part, certificate }) =>
    describeCertificate(certificate, role, names[part], at, defaultWarnBeforeMs),
  );
}

/** Null where no anchor carries the issuer. */
export function endOfRoot(files: FoundFiles): string | null {
  const { root } = assignRoles({
    anchors: files.anchors && readCertificateFile('anchors', files.anchors),
    issuerChain: files.issuerChain && readCertificateFile('issuerChain', files.issuerChain),
  });
  return root ? formatInstant(root.notAfter) : null;
}
