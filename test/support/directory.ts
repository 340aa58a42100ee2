import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made: string[] = [];

/** Removes the folders of a test file, at its end. */
export function removeTemporaryDirectories(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** In memory where there is such a place: the disk confirms at once, whatever else it has to do. */
export const memoryFolder = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** A folder for the tests of one file, open to every user. Its name holds what paths may hold. */
export function temporaryDirectory(name = 'dapr mtls é', place = tmpdir()): string {
  const folder = mkdtempSync(join(place, `${name} `));
  chmodSync(folder, 0o755);
  made.push(folder);
  return folder;
}

/**
 * All that lies below a folder: rights, owner, content and, so that even what was written and taken
 * back is seen, the instant of the last change. Equal snapshots mean that nothing was written.
 */
export function snapshot(folder: string): Record<string, string> {
  return Object.fromEntries(
    [folder, ...listTree(folder)].map((path) => {
      const { mode, uid, gid, ctimeNs } = lstatSync(path, { bigint: true });
      return [path, [mode.toString(8), uid, gid, ctimeNs, contentOf(path)].join(' ')];
    }),
  );
}

/** The same without instants: what a copy of the folder has in common with it. */
export function contents(folder: string): Record<string, string> {
  return Object.fromEntries(listTree(folder).map((path) => [path.slice(folder.length + 1), contentOf(path)]));
}

export function listTree(folder: string): string[] {
  if (!lstatSync(folder).isDirectory()) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => join(folder, name));
}

/** The files below a folder that hold a private key in clear or encrypted. */
export function findPrivateKeys(folder: string): string[] {
  return listTree(folder)
    .filter((path) => lstatSync(path).isFile() && readFileSync(path, 'latin1').includes('PRIVATE KEY'))
    .map((path) => path.slice(folder.length + 1));
}

function contentOf(path: string): string {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return `-> ${readlinkSync(path)}`;
  return stat.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : '';
}
