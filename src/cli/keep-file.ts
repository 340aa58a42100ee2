import { dirname } from 'node:path';
import type { PendingFile } from '../app/rotate/record.ts';
import { DaprMtlsError } from '../errors.ts';
import { privateFile, readIfExists, syncDirectory, writeNewFile } from '../store/directory/durable.ts';

/**
 * Writes a private file that must not be lost, and is content with the same one there already: a run may
 * have died right behind the write.
 * @throws DaprMtlsError `file.exists`, `file.io`
 */
export function keepFile({ path, content }: PendingFile): void {
  const bytes = Buffer.from(content, 'base64');
  const present = readIfExists(path);
  if (present?.equals(bytes)) return;
  if (present) {
    throw new DaprMtlsError('file.exists', {
      message: `${path} exists already, and the key of the new root was to be kept there`,
      hint: 'Move it away and run the command again: nothing of the bundle is changed before that key is safe.',
    });
  }
  writeNewFile(path, bytes, { mode: privateFile });
  syncDirectory(dirname(path));
}
