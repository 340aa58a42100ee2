import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { explaining } from './durable.ts';
import type { Place } from './place.ts';

export interface OtherFile {
  readonly name: string;
  readonly content: Buffer;
}

const sizeLimit = 256 * 1024;

/** Small files beside the three, for those who want to know whether they should be there. */
export function listOtherFiles({ directory, names }: Place): OtherFile[] {
  const ours = new Set<string>(Object.values(names));
  return explaining(`list ${directory}`, () => readdirSync(directory))
    .filter((name) => !ours.has(name) && !name.startsWith('..'))
    .flatMap((name) => {
      const content = tryRead(join(directory, name));
      return content ? { name, content } : [];
    });
}

function tryRead(path: string): Buffer | undefined {
  try {
    const stat = statSync(path);
    return stat.isFile() && stat.size <= sizeLimit ? readFileSync(path) : undefined;
  } catch {
    return undefined;
  }
}

/** The rights that others than the owner have on the key; undefined where there are none. */
export function looseModeOf({ directory, names }: Place): string | undefined {
  if (process.platform === 'win32') return undefined;
  const stat = statSync(join(directory, names.issuerKey), { throwIfNoEntry: false });
  const mode = stat ? stat.mode & 0o777 : 0;
  return mode & 0o077 ? `0${mode.toString(8)}` : undefined;
}
