import { createHash } from 'node:crypto';
import { linkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { PendingFile } from '../app/rotate/record.ts';
import { DaprMtlsError, isSystemError } from '../errors.ts';
import {
  explaining,
  privateFile,
  readIfExists,
  remove,
  syncDirectory,
  writeNewFile,
} from '../store/directory/durable.ts';

/**
 * Puts a private file that must not be lost in its place, whole or not at all, and is content with the
 * same one there already: a run may have died right behind it. What such a run left of its draft goes.
 * @throws DaprMtlsError `file.exists`, `file.io`
 */
export function keepFile({ path, content }: PendingFile): void {
  const bytes = Buffer.from(content, 'base64');
  const draft = draftOf(path, bytes);
  remove(draft);
  const present = readIfExists(path);
  if (!present) {
    try {
      writeNewFile(draft, bytes, { mode: privateFile });
      linkExclusively(draft, path);
    } finally {
      remove(draft);
    }
  } else if (!present.equals(bytes)) throw occupied(path);
  // Also for one that was there: who put it there may have died before the disk confirmed it.
  syncDirectory(dirname(path));
}

/** Takes away what a run that died within `keepFile` has left. */
export function dropDraft({ path, content }: PendingFile): void {
  remove(draftOf(path, Buffer.from(content, 'base64')));
}

/** Known to whoever goes on, because the record holds the content. */
function draftOf(path: string, content: Buffer): string {
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 16);
  return join(dirname(path), `.${basename(path)}.${digest}`);
}

function linkExclusively(from: string, to: string): void {
  explaining(`write ${to}`, () => {
    try {
      linkSync(from, to);
    } catch (error) {
      if (isSystemError(error) && error.code === 'EEXIST') throw occupied(to);
      throw error;
    }
  });
}

function occupied(path: string): DaprMtlsError {
  return new DaprMtlsError('file.exists', {
    message: `${path} exists already, and the key of the new root was to be kept there`,
    hint: 'Move it away and run the command again: nothing of the bundle is changed before that key is safe.',
  });
}
