import { lstatSync } from 'node:fs';
import { resolve } from 'node:path';
import { DaprMtlsError } from '../../errors.ts';
import { privateFile, replaceFile } from '../../store/directory/durable.ts';

/**
 * Writes what is to be committed, whole or not at all; with a key in it, for its owner alone.
 * @returns the absolute path
 * @throws DaprMtlsError `file.exists`, `file.io`, `store.permission`
 */
export function writeForCommit(path: string, text: string, { holdsKey, force }: WriteWishes): string {
  const target = resolve(path);
  const present = lstatSync(target, { throwIfNoEntry: false });
  if (present && (!force || !present.isFile())) {
    throw new DaprMtlsError('file.exists', {
      message: `${path} exists already${present.isFile() ? '' : ', and is no plain file'}`,
      hint: present.isFile() ? 'Name another file, or replace this one with --force.' : 'Name another file.',
    });
  }
  replaceFile(target, Buffer.from(text), { mode: holdsKey ? privateFile : 0o644 });
  return target;
}

interface WriteWishes {
  readonly holdsKey: boolean;
  readonly force: boolean;
}
