import { parseBundle } from '../pki/parse-bundle.ts';
import type { Backup, FoundFiles, StoreLocation, TrustStore } from '../store/port.ts';
import { assertBundle } from './assert-bundle.ts';
import { readCurrent } from './renew/current.ts';
import { listTrustPairs, type TrustPair } from './renew/effects.ts';
import { planSteps } from './renew/plan.ts';
import { type BackupReport, describeBackup, endOfRoot } from './renew/report.ts';
import { type Document, document, formatInstant } from './report.ts';

export interface BackupEntry extends BackupReport {
  readonly createdAt: string;
  readonly reason: string;
  readonly rootFingerprint: string | null;
  readonly rootNotAfter: string | null;
}

export interface BackupListReport extends Document<'BackupList'> {
  readonly store: { readonly kind: StoreLocation['kind']; readonly name: string };
  readonly backups: readonly BackupEntry[];
}

export interface BackupReportDocument extends Document<'Backup'> {
  readonly store: { readonly kind: StoreLocation['kind']; readonly name: string };
  readonly action: 'created' | 'restored' | 'unchanged' | 'pruned' | 'finished';
  /** The backup that was made or restored. */
  readonly backup: BackupReport | null;
  /** Where the bundle lies that was in the place of the restored one. */
  readonly saved: BackupReport | null;
  /** Who goes on trusting whom after a restore. */
  readonly trust: readonly TrustPair[];
  /** Those that were removed. */
  readonly removed: readonly string[];
  readonly validUntil: string | null;
}

function describeEntry(backup: Backup): BackupEntry {
  return {
    id: backup.id,
    path: backup.path,
    encrypted: backup.encrypted,
    createdAt: formatInstant(backup.createdAt),
    reason: backup.reason,
    rootFingerprint: backup.rootFingerprint ?? null,
    rootNotAfter: backup.rootNotAfter ? formatInstant(backup.rootNotAfter) : null,
  };
}

export function describeBackups(backups: readonly Backup[], { kind, name }: StoreLocation): BackupListReport {
  return document('BackupList', { store: { kind, name }, backups: backups.map(describeEntry) });
}

/** Copies the bundle as it is now. @throws DaprMtlsError `store.missing` */
export async function createBackup(store: TrustStore, passphrase: string | undefined): Promise<BackupReportDocument> {
  assertBundle(await store.read(), store.location);
  const session = await store.openForChange('backup create');
  try {
    const backup = await session.backUp({ reason: 'backup create', passphrase });
    return describeAction(store.location, 'created', (await session.read()).files, backup ? { backup } : {});
  } finally {
    await session.close();
  }
}

export interface RestoreInput {
  readonly backup: Backup;
  readonly files: FoundFiles;
  readonly now: Date;
  readonly passphrase: string | undefined;
  readonly keep: number;
  /** Told what the store will hold, before anything is written; what it throws stops the restore. */
  readonly onPlanned?: (files: FoundFiles) => Promise<void>;
}

/**
 * Puts a backup into the place of the bundle, step by step as a renewal does; the present bundle is
 * backed up first.
 * @throws DaprMtlsError `trust.refused` when Sentry would refuse it today, for example as expired
 */
export async function restoreBackup(
  store: TrustStore,
  { backup, files, now, passphrase, keep, onPlanned }: RestoreInput,
): Promise<BackupReportDocument> {
  const purpose = `backup restore ${backup.id}`;
  const session = await store.openForChange(purpose);
  try {
    const stored = await session.read();
    if (session.finished?.purpose === purpose)
      return describeAction(store.location, 'finished', stored.files, { backup });
    const current = readCurrent(stored, store.location, now);
    const bundle = parseBundle(files);
    const steps = planSteps(current, bundle, now, store.location.kind);
    if (steps.length === 0) return describeAction(store.location, 'unchanged', stored.files, { backup });
    await onPlanned?.(Object.assign({}, stored.files, ...steps.map((step) => step.files)));
    const saved = await session.backUp({ reason: purpose, passphrase });
    await session.apply({ steps, sideFiles: [] }, stored.revision);
    const removed = await session.pruneBackups(keep);
    const trust = listTrustPairs(current, bundle, now);
    return describeAction(store.location, 'restored', (await session.read()).files, { backup, removed, saved, trust });
  } finally {
    await session.close();
  }
}

export async function pruneBackups(store: TrustStore, keep: number): Promise<BackupReportDocument> {
  const session = await store.openForChange('backup prune');
  try {
    const removed = await session.pruneBackups(keep);
    return describeAction(store.location, 'pruned', (await session.read()).files, { removed });
  } finally {
    await session.close();
  }
}

interface ActionDetails {
  readonly backup?: Backup;
  readonly removed?: readonly Backup[];
  readonly saved?: Backup | undefined;
  readonly trust?: readonly TrustPair[];
}

function describeAction(
  { kind, name }: StoreLocation,
  action: BackupReportDocument['action'],
  files: FoundFiles,
  { backup, removed = [], saved, trust = [] }: ActionDetails,
): BackupReportDocument {
  return document('Backup', {
    store: { kind, name },
    action,
    backup: describeBackup(backup),
    saved: describeBackup(saved),
    trust,
    removed: removed.map(({ id }) => id),
    validUntil: endOfRoot(files),
  });
}
