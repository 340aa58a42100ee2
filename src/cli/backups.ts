import { DaprMtlsError } from '../errors.ts';
import { listBackups, openBackup } from '../store/directory/backups.ts';
import { readJournal } from '../store/directory/journal.ts';
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
  // The newest one is what an interrupted restore has just made: the one it began with is meant.
  const begun = /^backup restore (\S+)$/.exec(readJournal(workDirectory)?.purpose ?? '')?.[1];
  const wanted = id ?? begun;
  const backup = wanted === undefined ? backups[0] : backups.find((candidate) => candidate.id === wanted);
  if (backup) return { backup, files: openBackup(backup, passphrase) };
  throw new DaprMtlsError('file.missing', {
    message:
      wanted === undefined
        ? `there are no backups in ${workDirectory}`
        : `there is no backup ${wanted} in ${workDirectory}`,
    hint: 'See which there are: `dapr-mtls backup list`.',
  });
}
