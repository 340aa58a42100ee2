import type { BackupListReport, BackupReportDocument } from '../app/backup.ts';
import { cutOffRemarks } from './cut-off.ts';
import { keepsakeRemarks } from './keepsakes.ts';
import { columns, printable } from './text.ts';

export function renderBackups({ backups }: BackupListReport): string {
  if (backups.length === 0) return 'There are no backups.\n';
  const header = ['ID', 'MADE BEFORE', 'KEY', 'ROOT VALID UNTIL', 'ROOT'];
  const rows = backups.map(({ id, reason, encrypted, rootNotAfter, rootFingerprint }) => [
    id,
    printable(reason),
    encrypted ? 'encrypted' : 'in clear',
    rootNotAfter ?? 'unknown',
    rootFingerprint?.slice(0, 16) ?? '',
  ]);
  return `${columns([header, ...rows]).join('\n')}\n`;
}

export function renderBackupAction({ action, backup, removed, validUntil }: BackupReportDocument): string {
  switch (action) {
    case 'created':
      return `The bundle was copied to ${backup?.path}, its key ${backup?.encrypted ? 'encrypted' : 'IN CLEAR'}\n`;
    case 'restored':
      return `The bundle of ${backup?.id} is in its place. Its root is valid until ${validUntil ?? 'an unknown date'}\n`;
    case 'finished':
      return `The interrupted run was finished: the bundle of ${backup?.id} is in its place. Its root is valid until ${validUntil ?? 'an unknown date'}\n`;
    case 'unchanged':
      return `Nothing to do: the bundle of ${backup?.id} is what is there already; nothing was written\n`;
    case 'pruned':
      return removed.length === 0 ? 'Nothing was removed.\n' : `Removed ${removed.join(', ')}\n`;
  }
}

export function backupRemarks({ action, trust, saved }: BackupReportDocument): string[] {
  if (action === 'unchanged') return ['Another copy has to be named: `dapr-mtls backup list` shows what there is.'];
  return [
    ...cutOffRemarks(trust, 'Restart Sentry and every sidecar now.'),
    ...keepsakeRemarks('The bundle that was there', { backup: saved, rootKey: null }),
  ];
}
