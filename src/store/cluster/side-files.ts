import { dirname } from 'node:path';
import { DaprMtlsError } from '../../errors.ts';
import { readIfExists, remove, syncDirectory, writeNewFile } from '../directory/durable.ts';
import type { SideFile } from '../port.ts';

/**
 * Writes new local files that belong to a change, before it: a key must not be lost when the run
 * dies behind the change.
 * @returns takes them away again, for a change that did not happen
 * @throws DaprMtlsError `file.exists`, `file.io`
 */
export function writeSideFiles(files: readonly SideFile[]): () => void {
  const written: string[] = [];
  const undo = () => written.forEach(remove);
  try {
    for (const { path, content, mode } of files) {
      if (readIfExists(path)) {
        throw new DaprMtlsError('file.exists', {
          message: `${path} exists already`,
          hint: 'Name a new file; what is there is never overwritten: it may be the key of the root in use, or what a run left that changed nothing.',
        });
      }
      writeNewFile(path, content, { mode });
      written.push(path);
      syncDirectory(dirname(path));
    }
  } catch (error) {
    undo();
    throw error;
  }
  return undo;
}
