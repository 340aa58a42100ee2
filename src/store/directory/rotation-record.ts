import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SavedRotation } from '../rotation-port.ts';
import { explaining, ownerIn, privateFile, readIfExists, remove, rename, writeNewFile } from './durable.ts';

const recordName = 'rotation.json';
/** Of one run: two must not write into one file. The store's own drafts are cleared by others. */
const draftPattern = /^rotation\.json\.[0-9a-f]+$/;

export function readRecord(workDirectory: string): SavedRotation | undefined {
  const content = readIfExists(join(workDirectory, recordName));
  return content && { content };
}

/**
 * Replaces the record whole. The folder is the caller's to sync.
 * @param assertUnchanged asked when all but the rename is done
 */
export function writeRecord(workDirectory: string, content: Buffer, runId: string, assertUnchanged: () => void): void {
  const path = join(workDirectory, recordName);
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
