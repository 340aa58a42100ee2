import type { BackupReport } from '../app/renew/report.ts';
import type { RootKeyReport } from '../app/root-key.ts';

/** Where the former bundle and the root key lie now, and whether a key lies there in clear. */
export function keepsakeRemarks(
  what: string,
  { backup, rootKey }: { readonly backup: BackupReport | null; readonly rootKey: RootKeyReport | null },
): string[] {
  const remarks: string[] = [];
  if (backup) remarks.push(`${what} is kept in ${backup.path}, its key ${backup.encrypted ? 'encrypted' : 'IN CLEAR'}`);
  if (rootKey?.path)
    remarks.push(`The root key is kept in ${rootKey.path}, ${rootKey.encrypted ? 'encrypted' : 'IN CLEAR'}`);
  return remarks;
}
