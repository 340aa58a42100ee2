import { DaprMtlsError } from '../errors.ts';
import type { Backup, StoreLocation } from './port.ts';

/** Who asks for a copy, and where. */
export interface BackupWish {
  readonly id: string | undefined;
  /** The command whose change was interrupted, as people type it; undefined where none was. */
  readonly interrupted: string | undefined;
  readonly kind: StoreLocation['kind'];
  /** Where the copies lie, as people call it. */
  readonly place: string;
}

/** Copies of what was replaced when something earlier was brought back: a copy, the ConfigMap's side, the old issuer. */
const madeBeforeReturning = /^(backup restore |rotate undo |repair --from (backup|configmap)$)/;

/**
 * The copy with that id. Without one: that with which an interrupted restore began, else the newest
 * that was not made by a restore or a repair of what it replaced. So the same words twice bring the
 * same bundle back, and not, the second time, the one that was just left.
 * @param backups newest first
 * @throws DaprMtlsError `file.missing`
 */
export function chooseBackup(backups: readonly Backup[], { id, interrupted, kind, place }: BackupWish): Backup {
  const wanted = id ?? /^backup restore (\S+)$/.exec(interrupted ?? '')?.[1];
  const chosen =
    wanted === undefined
      ? backups.find(({ reason }) => !madeBeforeReturning.test(reason))
      : backups.find((backup) => backup.id === wanted);
  if (chosen) return chosen;
  const where = kind === 'cluster' ? ' -k' : '';
  if (wanted === undefined && backups.length > 0) {
    throw new DaprMtlsError('file.missing', {
      message: `every copy in ${place} was made of a bundle that a restore or a repair has replaced: ${backups.map((backup) => backup.id).join(', ')}`,
      hint: `Look at them with \`dapr-mtls backup list${where}\`, and name one: \`dapr-mtls backup restore ID${where}\`${kind === 'cluster' ? ' or `dapr-mtls repair -k --from backup --backup ID`' : ''}.`,
    });
  }
  throw new DaprMtlsError('file.missing', {
    message: wanted === undefined ? `there are no backups in ${place}` : `there is no backup ${wanted} in ${place}`,
    hint: `See which there are: \`dapr-mtls backup list${where}\`.`,
  });
}
