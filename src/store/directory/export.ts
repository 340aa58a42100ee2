import { mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DaprMtlsError } from '../../errors.ts';
import { type BundlePart, bundleParts, type FoundFiles } from '../../pki/reading.ts';
import type { FileNames } from '../file-names.ts';
import {
  explaining,
  privateDirectory,
  privateFile,
  readIfExists,
  remove,
  rename,
  syncDirectory,
  writeNewFile,
} from './durable.ts';

export interface Exported {
  readonly directory: string;
  readonly files: readonly string[];
  readonly replaced: string | null;
}

/**
 * Writes the three files into a folder for people, beside whatever else lies there. Never a mixture
 * of two bundles under one set of names: another bundle that is there is first moved away, whole,
 * and a file appears only when all three are written.
 * @throws DaprMtlsError `store.missing`, `file.io`, `store.permission`
 */
export function exportBundle(files: FoundFiles, names: FileNames, target: string, stamp: string): Exported {
  const directory = resolve(target);
  const contents = bundleParts.map((part) => ({ name: names[part], content: contentOf(files, part, names) }));
  explaining(`make ${directory}`, () => mkdirSync(directory, { recursive: true, mode: 0o755 }));
  const present = contents.map(({ name }) => readIfExists(join(directory, name)));
  const done = { directory, files: contents.map(({ name }) => name) };
  if (contents.every(({ content }, index) => present[index]?.equals(content))) {
    return { ...done, replaced: null };
  }
  const draft = join(directory, `.export-${stamp}`);
  explaining(`make ${draft}`, () => mkdirSync(draft, { mode: privateDirectory }));
  try {
    for (const { name, content } of contents) writeNewFile(join(draft, name), content, { mode: privateFile });
    const replaced = present.some(Boolean) ? moveAway(directory, done.files, stamp) : null;
    // The key comes last: a folder without it is plainly unfinished.
    for (const { name } of contents) rename(join(draft, name), join(directory, name));
    explaining(`remove ${draft}`, () => rmdirSync(draft));
    syncDirectory(directory);
    return { ...done, replaced };
  } catch (error) {
    remove(draft);
    throw error;
  }
}

function contentOf(files: FoundFiles, part: BundlePart, names: FileNames): Buffer {
  const content = files[part];
  if (content && content.length > 0) return content;
  throw new DaprMtlsError('store.missing', {
    message: `${names[part]} is ${content ? 'empty' : 'missing'}, so there is no whole bundle to export`,
    hint: 'See what is wrong: `dapr-mtls check`.',
  });
}

/** All that bears one of the names goes into one folder, so that old certificate and old key stay together. */
function moveAway(directory: string, names: readonly string[], stamp: string): string {
  const folder = join(directory, `${basename(directory)}-${stamp}.bak`);
  explaining(`make ${folder}`, () => mkdirSync(folder, { mode: privateDirectory }));
  const entries = new Set(explaining(`list ${directory}`, () => readdirSync(directory)));
  for (const name of names.filter((name) => entries.has(name))) {
    if (!statSync(join(directory, name)).isFile()) {
      throw new DaprMtlsError('file.exists', {
        message: `${join(directory, name)} is not a file`,
        hint: 'Choose another folder with --out.',
      });
    }
    rename(join(directory, name), join(folder, name));
  }
  syncDirectory(dirname(folder));
  return folder;
}
