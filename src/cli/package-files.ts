import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { getAsset, isSea } from 'node:sea';

/** A file that is shipped with the program: beside it, or inside it where it is a single executable. */
export function readPackageFile(home: string, name: string): string {
  return isSea() ? getAsset(name, 'utf8') : readFileSync(join(home, name), 'utf8');
}

/** The real path of this program's own `dapr`: on the PATH it is not the official one. */
export function ownDapr(home: string): string {
  return realpathSync(isSea() ? process.execPath : join(home, 'bin', 'dapr.js'));
}
