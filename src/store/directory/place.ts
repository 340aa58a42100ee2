import { lstatSync, readdirSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { DaprMtlsError, isSystemError } from '../../errors.ts';
import { defaultNames, type FileNames } from '../file-names.ts';
import { explaining } from './durable.ts';

/**
 * plain: three files. linked: kubelet's layout, the names are links through `..data` to a folder
 * that is swapped whole. absent: nothing there yet. empty: a folder without any entry.
 */
export type Layout = 'plain' | 'linked' | 'absent' | 'empty';

export interface Place {
  /** As the user wrote it, made absolute. */
  readonly givenPath: string;
  /** Where the files really are; a lock must not depend on the link one came through. */
  readonly directory: string;
  /** Beside the directory, on the same file system, because any event inside it makes Sentry reload. */
  readonly workDirectory: string;
  readonly names: FileNames;
}

export const dataLink = '..data';

/** @throws DaprMtlsError `store.layout`, `store.permission`, `usage.invalid` */
export function locate(path: string, names: FileNames = defaultNames): Place {
  const givenPath = resolve(path);
  assertNames(names);
  const directory = realPath(givenPath);
  if (directory === dirname(directory)) {
    throw new DaprMtlsError('store.layout', {
      message: `${givenPath} is the root of the file system`,
      hint: 'Name a folder of its own for the certificates.',
    });
  }
  return { givenPath, directory, workDirectory: join(dirname(directory), `${basename(directory)}.mtls`), names };
}

/** The real path also where the last part does not exist yet. */
function realPath(path: string): string {
  if (statIfReachable(path)) return explaining(`open ${path}`, () => realpathSync(path));
  if (isLink(path)) {
    throw new DaprMtlsError('store.layout', {
      message: `${path} is a link to ${readlinkSync(path)}, which does not exist`,
      hint: 'Make the folder that the link names, or remove the link.',
    });
  }
  const parent = dirname(path);
  return parent === path ? path : join(realPath(parent), basename(path));
}

/** Undefined where nothing stands, which only who gets as far as there can tell. */
function statIfReachable(path: string): Stats | undefined {
  return explaining(`open ${path}`, () => {
    try {
      return statSync(path, { throwIfNoEntry: false });
    } catch (cause) {
      const obstacle = isSystemError(cause) ? obstacles[cause.code ?? ''] : undefined;
      if (obstacle === undefined) throw cause;
      throw new DaprMtlsError('store.layout', {
        message: `${path} ${obstacle}`,
        hint: 'Name the directory that holds the three files, or where it is to be made.',
        cause,
      });
    }
  });
}

/** Why no directory can ever stand under a name, whoever asks. */
const obstacles: Readonly<Record<string, string>> = {
  ENOTDIR: 'leads through a file as if that were a directory',
  ELOOP: 'leads through links that lead to one another',
  ENAMETOOLONG: 'is longer than a name may be here',
};

function isLink(path: string): boolean {
  return explaining(`open ${path}`, () => lstatSync(path, { throwIfNoEntry: false }))?.isSymbolicLink() ?? false;
}

function assertNames(names: FileNames): void {
  const values = Object.values(names);
  const bad = values.find(
    (name) => name === '' || name !== basename(name) || isAbsolute(name) || name.startsWith('..'),
  );
  if (bad === undefined && new Set(values).size === values.length) return;
  throw new DaprMtlsError('usage.invalid', {
    message: bad === undefined ? 'two of the file names are the same' : `"${bad}" is not a plain file name`,
    hint: 'Give three different names without folders, as in the flags of Sentry.',
  });
}

/** @throws DaprMtlsError `store.layout` where the layout cannot be changed safely, `store.permission` */
export function detectLayout({ directory, names }: Place): Layout {
  const stat = statIfReachable(directory);
  if (!stat) return 'absent';
  if (!stat.isDirectory()) {
    throw new DaprMtlsError('store.layout', {
      message: `${directory} is not a directory`,
      hint: 'Name the directory that holds the three files with --dir.',
    });
  }
  const entries = explaining(`list ${directory}`, () => readdirSync(directory));
  if (entries.length === 0) return 'empty';
  const links = Object.values(names).filter((name) => isLink(join(directory, name)));
  if (links.length === 0) return 'plain';
  const isLinked = links.every((name) => readlinkSync(join(directory, name)) === join(dataLink, name));
  if (isLinked && links.length === 3 && isLink(join(directory, dataLink))) return 'linked';
  throw new DaprMtlsError('store.layout', {
    message: `${links[0]} in ${directory} is a link to ${readlinkSync(join(directory, links[0] ?? ''))}`,
    hint: 'A rename would cut the link. Work on the directory where the files really are, or put the files here.',
  });
}
