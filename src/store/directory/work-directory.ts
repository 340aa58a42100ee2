import { accessSync, chownSync, constants, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DaprMtlsError } from '../../errors.ts';
import { explaining, ownershipOf, privateDirectory, remove } from './durable.ts';
import { readJournal } from './journal.ts';
import { deviceOf, type Place } from './place.ts';

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
  assertSameDevice(place, parent);
  assertWritable(place, parent);
  const exists = ownershipOf(workDirectory) !== undefined;
  explaining(`make ${workDirectory}`, () => mkdirSync(workDirectory, { recursive: true, mode: privateDirectory }));
  const owner = ownershipOf(directory);
  if (!exists && owner && process.getuid?.() === 0) chownSync(workDirectory, owner.uid, owner.gid);
  if (deviceOf(workDirectory) !== deviceOf(directory)) throw otherDevice(place);
  explaining(`write into ${workDirectory}`, () =>
    accessSync(workDirectory, constants.R_OK | constants.W_OK | constants.X_OK),
  );
}

function assertSameDevice(place: Place, parent: string): void {
  if (deviceOf(place.directory) !== deviceOf(parent)) throw otherDevice(place);
}

function otherDevice({ directory, workDirectory }: Place): DaprMtlsError {
  return new DaprMtlsError('store.work-directory', {
    message: `${workDirectory} is not on the file system of ${directory}, so files cannot be renamed between them`,
    hint: `Keep the certificates in a folder below the mount point (${join(directory, 'certs')}) and point Sentry there.`,
  });
}

function assertWritable({ directory, workDirectory }: Place, parent: string): void {
  const uid = process.getuid?.();
  const owner = ownershipOf(directory);
  if (uid !== undefined && uid !== 0 && owner && owner.uid !== uid) {
    throw new DaprMtlsError('store.permission', {
      message: `${directory} belongs to user ${owner.uid}, and this is user ${uid}`,
      hint: 'Run as that user or as root, so that the files keep their owner.',
    });
  }
  if (owner)
    explaining(`write into ${directory}`, () =>
      accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK),
    );
  if (ownershipOf(workDirectory)) return;
  try {
    accessSync(parent, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new DaprMtlsError('store.work-directory', {
      message: `${workDirectory} cannot be made: ${parent} is not writable`,
      hint: `Make it once as who may: install -d -m 700 -o ${owner?.uid ?? uid ?? ''} ${workDirectory}`,
      cause,
    });
  }
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
  for (const name of explaining(`list ${workDirectory}`, () => readdirSync(workDirectory))) {
    const isDraft = name.startsWith('lock.') || /^\.\d+\.tmp$/.test(name);
    const isOrphan = name.startsWith('pending-') && name !== `pending-${journal?.id}`;
    if (isDraft || isOrphan) remove(join(workDirectory, name));
  }
  const backups = join(workDirectory, 'backups');
  if (!statSync(backups, { throwIfNoEntry: false })) return;
  for (const name of explaining(`list ${backups}`, () => readdirSync(backups))) {
    if (name.startsWith('.')) remove(join(backups, name));
  }
}
