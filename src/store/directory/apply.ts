import { existsSync, linkSync, readlinkSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DaprMtlsError, isSystemError } from '../../errors.ts';
import { explaining, readIfExists, remove, rename, syncDirectory, writeNewFile } from './durable.ts';
import {
  digest,
  digestOrNull,
  type Journal,
  type PendingFile,
  type PendingLinkedStep,
  type PendingSideFile,
  type PendingStep,
  pendingDirectory,
  pendingFile,
  pendingFolder,
  pendingSideFile,
  removeJournal,
} from './journal.ts';
import { dataLink, type Place } from './place.ts';

export interface ApplyContext {
  readonly place: Place;
  readonly journal: Journal;
  /** Called before each step: waits until Sentry rests, and throws when the run is to stop. */
  readonly beforeStep: (step: { name: string; index: number; count: number }) => Promise<void>;
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
      const isDone = change.kind === 'files' ? isPlaced(context, step, index) : isLinked(context, change.steps, index);
      if (isDone) continue;
      await context.beforeStep({ name: step.name, index, count: change.steps.length });
      if (change.kind === 'files') placeFiles(context, step, index);
      else swapLink(context, step as PendingLinkedStep, index);
    }
  }
  if (change.kind === 'linked')
    clearFormerFolders(context, [change.formerFolder, ...change.steps.map(({ dataFolder }) => dataFolder)]);
  removeJournal(place.workDirectory);
  remove(pendingFolder(place.workDirectory, journal.id));
}

/** A file outside the store, perhaps on another disk: copied beside its place, then linked or renamed. */
function placeSideFile(file: PendingSideFile, waiting: string, id: string): void {
  const present = readIfExists(file.path);
  if (present && digest(present) === file.sha256) return;
  if (digestOrNull(present) !== file.replaces) throw conflict(file.path);
  const content = readPending(waiting, file.sha256);
  const temporary = join(dirname(file.path), `.${basename(file.path)}.${id}`);
  remove(temporary);
  writeNewFile(temporary, content, { mode: file.mode });
  if (file.replaces === null) {
    linkExclusively(temporary, file.path);
    remove(temporary);
  } else rename(temporary, file.path);
  syncDirectory(dirname(file.path));
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
  explaining(`put ${place.directory} into its place`, () => {
    try {
      rename(waiting, place.directory);
    } catch (error) {
      const code = error instanceof DaprMtlsError && isSystemError(error.cause) ? error.cause.code : undefined;
      if (code === 'ENOTEMPTY' || code === 'EEXIST') throw conflict(place.directory);
      throw error;
    }
  });
  syncDirectory(dirname(place.directory));
}

function isPlaced({ place, journal }: ApplyContext, { files }: PendingStep, index: number): boolean {
  return files.every(
    ({ part }) => !existsSync(pendingFile(place.workDirectory, journal.id, index, journal.names[part])),
  );
}

/** Renames back to back: a Sentry that reads between them would see halves. */
function placeFiles({ place, journal }: ApplyContext, { files }: PendingStep, index: number): void {
  const moves = files.flatMap((file) => {
    const from = pendingFile(place.workDirectory, journal.id, index, journal.names[file.part]);
    if (!existsSync(from)) return [];
    const to = join(place.directory, journal.names[file.part]);
    readPending(from, file.sha256);
    if (digestOrNull(readIfExists(to)) !== file.replaces) throw conflict(to);
    return [{ from, to }];
  });
  for (const { from, to } of moves) rename(from, to);
  syncDirectory(place.directory);
}

function isLinked({ place }: ApplyContext, steps: readonly PendingStep[], index: number): boolean {
  const current = readlinkSync(join(place.directory, dataLink));
  return steps.slice(index).some((step) => (step as PendingLinkedStep).dataFolder === current);
}

/** As kubelet's AtomicWriter does it: the new folder comes in, then a link is renamed over the old. */
function swapLink({ place, journal }: ApplyContext, { dataFolder, files }: PendingLinkedStep, index: number): void {
  const { directory, workDirectory } = place;
  for (const { part, replaces } of files) {
    const path = join(directory, journal.names[part]);
    if (digestOrNull(readIfExists(path)) !== replaces) throw conflict(path);
  }
  const waiting = join(pendingFolder(workDirectory, journal.id), `step-${index}`);
  if (existsSync(waiting)) rename(waiting, join(directory, dataFolder));
  const temporary = join(directory, `..${journal.id}-link`);
  remove(temporary);
  explaining(`link ${temporary}`, () => symlinkSync(dataFolder, temporary));
  rename(temporary, join(directory, dataLink));
  syncDirectory(directory);
}

/** Data folders that no link leads to any more hold old keys: they leave with the change. */
function clearFormerFolders({ place, journal }: ApplyContext, folders: readonly string[]): void {
  const current = readlinkSync(join(place.directory, dataLink));
  for (const folder of folders) {
    const path = join(place.directory, folder);
    if (folder === current || !existsSync(path)) continue;
    rename(path, join(pendingFolder(place.workDirectory, journal.id), `former-${folder}`));
  }
  syncDirectory(place.directory);
}

function readPending(path: string, sha256: string): Buffer {
  const content = readIfExists(path);
  if (content && digest(content) === sha256) return content;
  throw new DaprMtlsError('store.damaged', {
    message: `${path}, which an unfinished change needs, is ${content ? 'damaged' : 'missing'}`,
    hint: 'Give the change up with `mtls repair --abandon`, then restore a backup if Sentry would refuse what is there.',
  });
}

function conflict(path: string): DaprMtlsError {
  return new DaprMtlsError('store.conflict', {
    message: `${path} was changed by somebody else while a change was under way`,
    hint: 'Look at it with `mtls check`. `mtls repair --abandon` gives the unfinished change up and keeps what is there.',
  });
}
