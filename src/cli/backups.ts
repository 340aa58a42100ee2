import { DaprMtlsError } from '../errors.ts';
import { listBackups, openBackup } from '../store/directory/backups.ts';
import type { Place } from '../store/directory/place.ts';
import type { Backup, FoundFiles } from '../store/port.ts';

export function listBackupsOf({ workDirectory }: Place): Backup[] {
  return listBackups(workDirectory);
}

/** The copy with that id, or the newest. @throws DaprMtlsError `file.missing`, `key.passphrase`, `store.damaged` */
export function openChosenBackup(
  { workDirectory }: Place,
  id: string | undefined,
  passphrase: string | undefined,
): { backup: Backup; files: FoundFiles } {
  const backups = listBackups(workDirectory);
  const backup = id === undefined ? backups[0] : backups.find((candidate) => candidate.id === id);
  if (backup) return { backup, files: openBackup(backup, passphrase) };
  throw new DaprMtlsError('file.missing', {
    message:
      id === undefined ? `there are no backups in ${workDirectory}` : `there is no backup ${id} in ${workDirectory}`,
    hint: 'See which there are: `dapr-mtls backup list`.',
  });
}
