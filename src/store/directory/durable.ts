import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DaprMtlsError, isSystemError } from '../../errors.ts';

/** Everything here is synchronous: between two renames no other code of ours may run. */

export interface Ownership {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

export const privateFile = 0o600;
export const privateDirectory = 0o700;

/** The file modes and owners of POSIX; Windows keeps rights on the folder instead. */
const hasOwners = process.platform !== 'win32';

/**
 * Writes a new file and has the disk confirm it, or leaves none. The directory entry is the caller's
 * to sync.
 * @param named what an error names: whoever asked for another file does not know this one
 */
export function writeNewFile(
  path: string,
  content: Uint8Array,
  { mode, uid, gid }: Partial<Ownership> & { mode: number },
  named = path,
): void {
  explaining(`write ${named}`, () => {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
    const file = openSync(path, flags, privateFile);
    try {
      for (let written = 0; written < content.length; ) written += writeSync(file, content, written);
      if (hasOwners) {
        if (uid !== undefined && gid !== undefined) giveTo(file, uid, gid);
        fchmodSync(file, mode);
      }
      fsyncSync(file);
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    } finally {
      closeSync(file);
    }
  });
}

/** Makes one folder; its rights are those given, whatever the umask says. */
export function makeFolder(path: string, ownership: Partial<Ownership> = ownerIn(dirname(path))): void {
  const { mode = privateDirectory, uid, gid } = ownership;
  explaining(`make ${path}`, () => {
    mkdirSync(path, { mode: privateDirectory });
    if (!hasOwners) return;
    const stat = lstatSync(path);
    if (uid !== undefined && gid !== undefined && (stat.uid !== uid || stat.gid !== gid)) chownSync(path, uid, gid);
    if (mode !== privateDirectory) chmodSync(path, mode);
  });
}

/**
 * Root gives what it makes for a folder to whom the folder belongs, who may be the one to go on with
 * it; another user can only make what is his own.
 */
export function ownerIn(folder: string): Partial<Ownership> {
  const owner = process.getuid?.() === 0 ? ownershipOf(folder) : undefined;
  return owner ? { uid: owner.uid, gid: owner.gid } : {};
}

/** Only asks for a change of owner where there is one: an ordinary user may not even ask. */
function giveTo(file: number, uid: number, gid: number): void {
  const stat = fstatSync(file);
  if (stat.uid !== uid || stat.gid !== gid) fchownSync(file, uid, gid);
}

/** Makes the entries of a directory survive a power cut (a rename is not durable before that). */
export function syncDirectory(path: string): void {
  if (!hasOwners) return;
  explaining(`sync ${path}`, () => {
    const directory = openSync(path, constants.O_RDONLY);
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  });
}

export function rename(from: string, to: string): void {
  explaining(`rename ${from} to ${to}`, () => renameSync(from, to));
}

/** Replaces a small file whole: temporary file beside it, sync, rename, sync of the directory. */
export function replaceFile(path: string, content: Uint8Array, ownership: Partial<Ownership> & { mode: number }): void {
  const temporary = join(dirname(path), `.${process.pid}.tmp`);
  remove(temporary);
  try {
    writeNewFile(temporary, content, ownership, path);
    rename(temporary, path);
  } catch (error) {
    remove(temporary);
    throw error;
  }
  syncDirectory(dirname(path));
}

export function remove(path: string): void {
  explaining(`remove ${path}`, () => rmSync(path, { recursive: true, force: true }));
}

export function readIfExists(path: string): Buffer | undefined {
  return explaining(`read ${path}`, () => {
    try {
      return readFileSync(path);
    } catch (error) {
      if (isSystemError(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
      throw error;
    }
  });
}

export function ownershipOf(path: string): Ownership | undefined {
  try {
    const { uid, gid, mode } = lstatSync(path);
    return { uid, gid, mode: mode & 0o7777 };
  } catch {
    return undefined;
  }
}

/** Turns what the operating system says into an error with a mend. */
export function explaining<T>(action: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof DaprMtlsError || !isSystemError(cause)) throw cause;
    throw explain(action, cause);
  }
}

function explain(action: string, cause: NodeJS.ErrnoException): DaprMtlsError {
  const message = `cannot ${action}: ${cause.message.replace(/^(E[A-Z0-9]+): ([^,]*),.*$/, '$2 ($1)')}`;
  switch (cause.code) {
    case 'EACCES':
    case 'EPERM':
      return new DaprMtlsError('store.permission', {
        message,
        cause,
        hint: 'Run as the user who owns the directory, or have its rights changed.',
      });
    case 'EROFS':
      return new DaprMtlsError('store.permission', {
        message,
        cause,
        hint: 'The file system is mounted read-only. Change the bundle where it is writable.',
      });
    case 'ENOSPC':
    case 'EDQUOT':
      return new DaprMtlsError('store.full', {
        message,
        cause,
        hint: 'Free some space; nothing that Sentry reads was left half-written.',
      });
    default:
      return new DaprMtlsError('file.io', {
        message,
        cause,
        hint: 'Check the path and the disk, then run the command again.',
      });
  }
}
