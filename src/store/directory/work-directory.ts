import { randomUUID } from 'node:crypto';
import { accessSync, constants, lstatSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DaprMtlsError, isSystemError } from '../../errors.ts';
import { isBackupDraft } from './backups.ts';
import {
  explaining,
  makeFolder,
  type Ownership,
  ownerIn,
  ownershipOf,
  privateDirectory,
  remove,
  syncDirectory,
} from './durable.ts';
import { readJournal } from './journal.ts';
import { clearDeadDrafts } from './lock.ts';
import { detectLayout, type Place } from './place.ts';

/** Free space below which nothing is begun: a change writes some tens of kilobytes. */
const neededBytes = 512 * 1024;

/**
 * Makes the work directory and finds out, before anything is generated, whether a change could be
 * carried through: same file system, writable, owned by who may keep the owner of the files.
 * @throws DaprMtlsError `store.work-directory`, `store.permission`
 */
export function prepareWorkDirectory(place: Place): void {
  const { directory, workDirectory } = place;
  const parent = dirname(workDirectory);
  explaining(`make ${parent}`, () => mkdirSync(parent, { recursive: true, mode: privateDirectory }));
  assertOneFileSystem(place, parent);
  assertOwn(place);
  const owner = ownershipOf(directory);
  if (owner) assertAccess(directory);
  if (!ownershipOf(workDirectory)) {
    assertParent(place, parent, workDirectory);
    makeFolder(workDirectory, ownerIn(directory));
    syncDirectory(parent);
  }
  assertPrivate(workDirectory, owner);
  assertAccess(workDirectory);
  assertOneFileSystem(place, workDirectory);
  if (detectLayout(place) === 'absent') assertParent(place, parent, directory);
}

function assertOneFileSystem({ directory, workDirectory }: Place, folder: string): void {
  if (!ownershipOf(directory)) return;
  const obstacle = whyNotRenamable(folder, directory);
  if (obstacle === 'EROFS') explaining(`write into ${directory}`, () => accessSync(directory, constants.W_OK));
  if (obstacle !== 'EXDEV' && statSync(folder).dev === statSync(directory).dev) return;
  throw new DaprMtlsError('store.work-directory', {
    message: `${workDirectory} is not on the file system of ${directory}, so files cannot be renamed between them`,
    hint: `Keep the certificates in a folder below the mount point (${join(directory, 'certs')}) and point Sentry there.`,
  });
}

/**
 * What the kernel says to renaming a file that does not exist. Linux refuses another mount, also one
 * of the same file system, before it looks for the file; nothing happens that a Sentry could see.
 */
function whyNotRenamable(from: string, to: string): string | undefined {
  const name = `.${randomUUID()}`;
  try {
    renameSync(join(from, name), join(to, name));
  } catch (error) {
    return isSystemError(error) ? error.code : undefined;
  }
  return undefined;
}

function assertAccess(folder: string): void {
  explaining(`write into ${folder}`, () => accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK));
}

function assertOwn({ directory }: Place): void {
  const uid = process.getuid?.();
  const owner = ownershipOf(directory);
  if (uid === undefined || uid === 0 || !owner || owner.uid === uid) return;
  throw new DaprMtlsError('store.permission', {
    message: `${directory} belongs to user ${owner.uid}, and this is user ${uid}`,
    hint: 'Run as that user or as root, so that the files keep their owner.',
  });
}

function assertParent({ directory }: Place, parent: string, wanted: string): void {
  try {
    accessSync(parent, constants.W_OK | constants.X_OK);
  } catch (cause) {
    const uid = ownershipOf(directory)?.uid ?? process.getuid?.() ?? '';
    throw new DaprMtlsError('store.work-directory', {
      message: `${wanted} cannot be made: ${parent} is not writable`,
      hint: `Make it once as who may: install -d -m 700 -o ${uid} ${wanted}`,
      cause,
    });
  }
}

/** Keys wait there: a folder that somebody else has put there, or may write into, is a trap. */
function assertPrivate(workDirectory: string, owner: Ownership | undefined): void {
  const uid = process.getuid?.();
  if (uid === undefined) return;
  const stat = explaining(`open ${workDirectory}`, () => lstatSync(workDirectory));
  const isOwn = [0, uid, owner?.uid].includes(stat.uid);
  if (stat.isDirectory() && isOwn && !(stat.mode & 0o002)) return;
  throw new DaprMtlsError('store.work-directory', {
    message: `${workDirectory} ${stat.isDirectory() ? `belongs to user ${stat.uid}, with mode 0${(stat.mode & 0o777).toString(8)}` : 'is not a folder'}, and keys would wait there`,
    hint: `Look at what it holds, then move it away, or: chown ${owner?.uid ?? uid} ${workDirectory} && chmod 700 ${workDirectory}`,
  });
}

/** @throws DaprMtlsError `store.full` */
export function assertSpace(workDirectory: string, freeBytes: number): void {
  if (freeBytes >= neededBytes) return;
  throw new DaprMtlsError('store.full', {
    message: `only ${Math.floor(freeBytes / 1024)} KiB are free where ${workDirectory} lives`,
    hint: 'Free some space, then run the command again. Nothing was changed.',
  });
}

/** Removes what runs that died before their journal stood have left: drafts, and keys never used. */
export function clearLeftovers(workDirectory: string): void {
  const journal = readJournal(workDirectory);
  clearDeadDrafts(workDirectory);
  for (const name of explaining(`list ${workDirectory}`, () => readdirSync(workDirectory))) {
    const isDraft = /^\.\d+\.tmp$/.test(name);
    const isOrphan = name.startsWith('pending-') && name !== `pending-${journal?.id}`;
    if (isDraft || isOrphan) remove(join(workDirectory, name));
  }
  const backups = join(workDirectory, 'backups');
  if (!statSync(backups, { throwIfNoEntry: false })) return;
  for (const name of explaining(`list ${backups}`, () => readdirSync(backups))) {
    if (isBackupDraft(name)) remove(join(backups, name));
  }
}
