import { existsSync, linkSync, readlinkSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DaprMtlsError, isSystemError } from '../../errors.ts';
import { digest, digestOrNull } from '../digest.ts';
import {
  explaining,
  makeFolder,
  ownershipOf,
  readIfExists,
  remove,
  rename,
  syncDirectory,
  writeNewFile,
} from './durable.ts';
import {
  type Journal,
  type PendingFile,
  type PendingLinkedChange,
  type PendingSideFile,
  type PendingStep,
  pendingDirectory,
  pendingFile,
  pendingFolder,
  pendingSideFile,
  readJournal,
  removeJournal,
} from './journal.ts';
import { dataLink, type Place } from './place.ts';

export interface ApplyContext {
  readonly place: Place;
  readonly journal: Journal;
  /** Called before each step: waits until Sentry rests, and throws when the run is to stop. */
  readonly beforeStep: (step: StepToCome) => Promise<void>;
}

export interface StepToCome {
  readonly name: string;
  readonly index: number;
  readonly count: number;
  /** A run died within it: Sentry refuses what is there now, so every moment counts. */
  readonly isHalfDone: boolean;
}

/**
 * Does what the journal says, from wherever it stands. Whatever is done already is passed over, so
 * it may be killed anywhere and run again.
 * @throws DaprMtlsError `store.conflict` when somebody else has changed the files meanwhile
 */
export async function applyJournal(context: ApplyContext): Promise<void> {
  const { place, journal } = context;
  for (const [index, file] of journal.sideFiles.entries()) {
    placeSideFile(file, pendingSideFile(place.workDirectory, journal.id, index), journal.id);
  }
  const { change } = journal;
  if (change.kind === 'directory') placeDirectory(context, change.files);
  else {
    for (const [index, step] of change.steps.entries()) {
      const waiting = change.kind === 'files' ? waitingFiles(context, step, index) : step.files;
      const isDone = change.kind === 'files' ? waiting.length === 0 : isLinked(place, change, index);
      if (isDone) continue;
      const isHalfDone = waiting.length < step.files.length;
      await context.beforeStep({ name: step.name, index, count: change.steps.length, isHalfDone });
      if (change.kind === 'files') placeFiles(context, waiting, index);
      else swapLink(context, change, index);
    }
  }
  clearUp(context);
}

/** Gives up what the journal says. What is in its place stays; nothing else of the change does. */
export function abandonJournal(context: Pick<ApplyContext, 'place' | 'journal'>): void {
  for (const file of context.journal.sideFiles) remove(temporaryOf(file, context.journal.id));
  clearUp(context);
}

function clearUp({ place, journal }: Pick<ApplyContext, 'place' | 'journal'>): void {
  if (journal.change.kind === 'linked') clearFormerFolders(place, journal.id, journal.change);
  try {
    removeJournal(place.workDirectory);
  } finally {
    // The keys that waited go with the journal, also where the disk does not confirm that it is gone.
    if (!readJournal(place.workDirectory)) remove(pendingFolder(place.workDirectory, journal.id));
  }
}

/**
 * A file outside the store, perhaps on another disk: copied beside its place, then linked or renamed.
 * The copy may hold a root key, so it goes whatever happens, and also where an earlier run left it.
 */
function placeSideFile(file: PendingSideFile, waiting: string, id: string): void {
  const temporary = temporaryOf(file, id);
  const present = readIfExists(file.path);
  const isPlaced = present !== undefined && digest(present) === file.sha256;
  if (!isPlaced && digestOrNull(present) !== file.replaces) throw conflict(file.path);
  remove(temporary);
  try {
    if (!isPlaced) {
      const ownership = ownershipOf(file.path) ?? { mode: file.mode };
      writeNewFile(temporary, readPending(waiting, file.sha256), ownership);
      if (file.replaces === null) linkExclusively(temporary, file.path);
      else rename(temporary, file.path);
    }
  } finally {
    remove(temporary);
  }
  syncDirectory(dirname(file.path));
}

function temporaryOf({ path }: PendingSideFile, id: string): string {
  return join(dirname(path), `.dapr-mtls-${id}`);
}

function linkExclusively(from: string, to: string): void {
  explaining(`write ${to}`, () => {
    try {
      linkSync(from, to);
    } catch (error) {
      if (isSystemError(error) && error.code === 'EEXIST') throw conflict(to);
      throw error;
    }
  });
}

function placeDirectory({ place, journal }: ApplyContext, files: readonly PendingFile[]): void {
  const waiting = pendingDirectory(place.workDirectory, journal.id);
  if (!existsSync(waiting)) return;
  for (const { part, sha256 } of files) readPending(join(waiting, journal.names[part]), sha256);
  try {
    rename(waiting, place.directory);
  } catch (error) {
    const code = error instanceof DaprMtlsError && isSystemError(error.cause) ? error.cause.code : undefined;
    // A folder takes the place of an empty one, and of nothing else.
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR') throw conflict(place.directory);
    throw error;
  }
  syncDirectory(dirname(place.directory));
}

function waitingFiles({ place, journal }: ApplyContext, { files }: PendingStep, index: number): PendingFile[] {
  return files.filter(({ part }) =>
    existsSync(pendingFile(place.workDirectory, journal.id, index, journal.names[part])),
  );
}

/** Renames back to back: a Sentry that reads between them would see halves. */
function placeFiles({ place, journal }: ApplyContext, files: readonly PendingFile[], index: number): void {
  const moves = files.map((file) => {
    const from = pendingFile(place.workDirectory, journal.id, index, journal.names[file.part]);
    const to = join(place.directory, journal.names[file.part]);
    readPending(from, file.sha256);
    if (digestOrNull(readIfExists(to)) !== file.replaces) throw conflict(to);
    return { from, to };
  });
  for (const { from, to } of moves) rename(from, to);
  syncDirectory(place.directory);
}

/** @throws DaprMtlsError `store.conflict` where the link is gone */
function isLinked(place: Place, { steps }: PendingLinkedChange, index: number): boolean {
  const current = currentDataFolder(place);
  if (current === undefined) throw conflict(join(place.directory, dataLink));
  return steps.slice(index).some(({ dataFolder }) => dataFolder === current);
}

/**
 * As kubelet's AtomicWriter does it: the new folder comes in, a link to it is renamed over the old
 * one, the old folder goes. The link is made elsewhere, because each name in the directory that
 * something happens to makes Sentry reload once more.
 */
function swapLink({ place, journal }: ApplyContext, change: PendingLinkedChange, index: number): void {
  const { directory, workDirectory } = place;
  const { dataFolder = '', files = [] } = change.steps[index] ?? {};
  for (const { part, replaces } of files) {
    const path = join(directory, journal.names[part]);
    if (digestOrNull(readIfExists(path)) !== replaces) throw conflict(path);
  }
  const waiting = join(pendingFolder(workDirectory, journal.id), `step-${index}`);
  if (existsSync(waiting)) rename(waiting, join(directory, dataFolder));
  syncDirectory(directory);
  const link = join(pendingFolder(workDirectory, journal.id), `link-${index}`);
  remove(link);
  explaining(`link ${link}`, () => symlinkSync(dataFolder, link));
  rename(link, join(directory, dataLink));
  syncDirectory(directory);
  clearFormerFolders(place, journal.id, change);
}

function currentDataFolder({ directory }: Place): string | undefined {
  try {
    return readlinkSync(join(directory, dataLink));
  } catch {
    return undefined;
  }
}

/**
 * Data folders that no link leads to any more hold old keys: they leave with the change. Where there
 * is no link at all somebody has laid the directory out anew, and only what is the change's goes.
 */
function clearFormerFolders(place: Place, id: string, { formerFolder, steps }: PendingLinkedChange): void {
  const current = currentDataFolder(place);
  const pending = pendingFolder(place.workDirectory, id);
  if (!existsSync(pending)) makeFolder(pending);
  const ofSteps = steps.map(({ dataFolder }) => dataFolder);
  for (const folder of current === undefined ? ofSteps : [formerFolder, ...ofSteps]) {
    const path = join(place.directory, folder);
    if (folder === current || !existsSync(path)) continue;
    rename(path, join(pending, `former-${folder}`));
  }
  if (existsSync(place.directory)) syncDirectory(place.directory);
}

function readPending(path: string, sha256: string): Buffer {
  const content = readIfExists(path);
  if (content && digest(content) === sha256) return content;
  throw new DaprMtlsError('store.damaged', {
    message: `${path}, which an unfinished change needs, is ${content ? 'damaged' : 'missing'}`,
    hint: 'Give the change up with `dapr-mtls repair --abandon`, then restore a backup if Sentry would refuse what is there.',
  });
}

function conflict(path: string): DaprMtlsError {
  return new DaprMtlsError('store.conflict', {
    message: `${path} was changed by somebody else while a change was under way`,
    hint: 'Look at it with `dapr-mtls check`. `dapr-mtls repair --abandon` gives the unfinished change up and keeps what is there.',
  });
}
