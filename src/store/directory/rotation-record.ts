import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { explaining, ownerIn, privateFile, readIfExists, remove, rename, writeNewFile } from './durable.ts';

const recordName = 'rotation.json';
/** Of one run: two must not write into one file. The store's own drafts are cleared by others. */
const draftPattern = /^rotation\.json\.[0-9a-f]+$/;
const asidePattern = /^rotation\.unreadable-(\d+)\.json$/;

export function recordPath(workDirectory: string): string {
  return join(workDirectory, recordName);
}

export function readRecord(workDirectory: string): { readonly content: Buffer } | undefined {
  const content = readIfExists(recordPath(workDirectory));
  return content && { content };
}

/** The folder is the caller's to sync. @returns the path under which nobody reads it any more */
export function setRecordAside(workDirectory: string): string {
  const names = explaining(`list ${workDirectory}`, () => readdirSync(workDirectory));
  const numbers = names.map((name) => Number(asidePattern.exec(name)?.[1] ?? 0));
  const path = join(workDirectory, `rotation.unreadable-${Math.max(0, ...numbers) + 1}.json`);
  rename(recordPath(workDirectory), path);
  return path;
}

/**
 * Replaces the record whole. The folder is the caller's to sync.
 * @param assertUnchanged asked when all but the rename is done
 */
export function writeRecord(workDirectory: string, content: Buffer, runId: string, assertUnchanged: () => void): void {
  const path = recordPath(workDirectory);
  const draft = `${path}.${runId}`;
  remove(draft);
  try {
    writeNewFile(draft, content, { mode: privateFile, ...ownerIn(workDirectory) });
    assertUnchanged();
    rename(draft, path);
  } catch (error) {
    remove(draft);
    throw error;
  }
}

/** Removes what runs that died at a write have left: keys are in it. Only for who holds the lock. */
export function clearRecordDrafts(workDirectory: string): void {
  for (const name of explaining(`list ${workDirectory}`, () => readdirSync(workDirectory))) {
    if (draftPattern.test(name)) remove(join(workDirectory, name));
  }
}
