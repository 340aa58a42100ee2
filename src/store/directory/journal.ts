import { join } from 'node:path';
import { DaprMtlsError } from '../../errors.ts';
import type { BundlePart } from '../../pki/reading.ts';
import type { FileNames } from '../file-names.ts';
import { ownerIn, privateFile, readIfExists, remove, replaceFile, syncDirectory } from './durable.ts';

/**
 * A redo log: once it stands, whole and synced, the change happens, by this run or the next
 * changing one. It holds no key; the new files wait in the folder `pending` beside it, and each
 * leaves that folder by the rename that puts it in its place, so what still waits is what is left.
 */
export interface Journal {
  readonly version: 1;
  readonly id: string;
  readonly purpose: string;
  readonly startedAt: string;
  readonly names: FileNames;
  readonly sideFiles: readonly PendingSideFile[];
  readonly change: PendingChange;
}

export interface PendingSideFile {
  readonly path: string;
  readonly mode: number;
  readonly sha256: string;
  /** The digest that the file must have to be replaced; null: it must not exist. */
  readonly replaces: string | null;
}

export type PendingChange =
  /** The whole directory waits and is renamed into its place at once. */
  | { readonly kind: 'directory'; readonly files: readonly PendingFile[] }
  | { readonly kind: 'files'; readonly steps: readonly PendingStep[] }
  | PendingLinkedChange;

/** Each step is a whole data folder that the link `..data` is swapped to. */
export interface PendingLinkedChange {
  readonly kind: 'linked';
  readonly formerFolder: string;
  readonly steps: readonly PendingLinkedStep[];
}

export interface PendingStep {
  readonly name: string;
  readonly files: readonly PendingFile[];
}

export interface PendingLinkedStep extends PendingStep {
  readonly dataFolder: string;
}

export interface PendingFile {
  readonly part: BundlePart;
  readonly sha256: string;
  /** What stands in the file's place before this step; null: nothing. */
  readonly replaces: string | null;
}

const journalName = 'journal.json';

/** @throws DaprMtlsError `store.damaged` */
export function readJournal(workDirectory: string): Journal | undefined {
  const path = join(workDirectory, journalName);
  const content = readIfExists(path);
  if (!content) return undefined;
  try {
    const journal = JSON.parse(content.toString('utf8')) as Journal;
    if (journal.version === 1 && typeof journal.id === 'string' && journal.change) return journal;
  } catch {
    // Falls through: it was written whole, so something else has damaged it.
  }
  throw new DaprMtlsError('store.damaged', {
    message: `${path} is damaged`,
    hint: `Look at the three files, then move ${workDirectory} away and restore what is missing from its backups.`,
  });
}

export function writeJournal(workDirectory: string, journal: Journal): void {
  const content = Buffer.from(`${JSON.stringify(journal, undefined, 2)}\n`);
  replaceFile(join(workDirectory, journalName), content, { mode: privateFile, ...ownerIn(workDirectory) });
}

export function removeJournal(workDirectory: string): void {
  remove(join(workDirectory, journalName));
  syncDirectory(workDirectory);
}

/** The digest that each part has when the change is through: the last step that names it decides. */
export function digestsAfter(change: PendingChange): ReadonlyMap<BundlePart, string> {
  const files = change.kind === 'directory' ? change.files : change.steps.flatMap((step) => step.files);
  return new Map(files.map(({ part, sha256 }) => [part, sha256]));
}

/** Where the new files of a change wait. */
export function pendingFolder(workDirectory: string, id: string): string {
  return join(workDirectory, `pending-${id}`);
}

export function pendingFile(workDirectory: string, id: string, step: number, name: string): string {
  return join(pendingFolder(workDirectory, id), `step-${step}`, name);
}

export function pendingDirectory(workDirectory: string, id: string): string {
  return join(pendingFolder(workDirectory, id), 'directory');
}

export function pendingSideFile(workDirectory: string, id: string, index: number): string {
  return join(pendingFolder(workDirectory, id), `side-${index}`);
}
