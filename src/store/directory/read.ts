import { type BigIntStats, lstatSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DaprMtlsError, isSystemError } from '../../errors.ts';
import { type BundlePart, bundleParts, type FoundFiles } from '../../pki/reading.ts';
import { digest, digestOrNull } from '../digest.ts';
import type { FileNames } from '../file-names.ts';
import type { BundleReader, StoredBundle, StoreLocation, StoreState } from '../port.ts';
import { explaining, readIfExists } from './durable.ts';
import { type Journal, pendingDirectory, pendingFile, readJournal } from './journal.ts';
import { livenessOfLock } from './lock.ts';
import type { Place } from './place.ts';

/** A trust bundle in a directory, for who only looks. */
export class DirectoryReader implements BundleReader {
  readonly location: StoreLocation;
  protected readonly place: Place;

  constructor(place: Place) {
    this.place = place;
    this.location = { kind: 'directory', name: place.givenPath, names: place.names };
  }

  /** Always a whole bundle, also while it is being changed. Writes nothing. */
  async read(): Promise<StoredBundle> {
    return readStore(this.place);
  }
}

/** Bundles are a few kilobytes. A Kubernetes object ends here too, and much more would only cost time. */
const sizeLimit = 1024 * 1024;
const attempts = 20;

/**
 * The bundle as a reader may believe it: read again until nothing moved meanwhile, and through the
 * journal of an unfinished change, so that never a mixture of two bundles is seen.
 */
export function readStore(place: Place): StoredBundle {
  for (let attempt = 0; ; attempt++) {
    const journal = tryReadJournal(place.workDirectory);
    const before = fingerprintOf(place);
    const files = journal?.found ? readThrough(journal.found, place) : readFiles(place.directory, place.names);
    const after = tryReadJournal(place.workDirectory);
    const isStill = fingerprintOf(place) === before && journal?.found?.id === after?.found?.id;
    if (isStill) return { files, revision: revisionOf(files), state: stateOf(journal, place.workDirectory) };
    if (attempt >= attempts) {
      throw new DaprMtlsError('store.conflict', {
        message: `${place.directory} changes faster than it can be read`,
        hint: 'Find out what is writing there, then try again.',
      });
    }
  }
}

interface FoundJournal {
  readonly found: Journal | undefined;
}

/** Undefined where this user may not look: readers of the directory need no right on the work directory. */
function tryReadJournal(workDirectory: string): FoundJournal | undefined {
  try {
    return { found: readJournal(workDirectory) };
  } catch (error) {
    if (error instanceof DaprMtlsError && error.code === 'store.permission') return undefined;
    throw error;
  }
}

function stateOf(journal: FoundJournal | undefined, workDirectory: string): StoreState {
  if (!journal) return 'unknown';
  if (!journal.found) return 'settled';
  return livenessOfLock(workDirectory) === 'alive' ? 'changing' : 'interrupted';
}

export function readFiles(directory: string, names: FileNames): FoundFiles {
  const read = (part: BundlePart) => {
    const path = join(directory, names[part]);
    const stat = explaining(`open ${path}`, () => statIfExists(path));
    if (stat && (!stat.isFile() || stat.size > sizeLimit)) {
      throw new DaprMtlsError('file.io', {
        message: `${path} is ${stat.isFile() ? `${stat.size} bytes long` : 'not a file'}`,
        hint: 'Name the directory that holds the three small PEM files.',
      });
    }
    return stat && readIfExists(path);
  };
  return { anchors: read('anchors'), issuerChain: read('issuerChain'), issuerKey: read('issuerKey') };
}

function statIfExists(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    if (!isSystemError(cause) || cause.code !== 'ENOTDIR') throw cause;
    throw new DaprMtlsError('store.layout', {
      message: `${dirname(path)} is not a directory`,
      hint: 'Name the directory that holds the three files with --dir.',
      cause,
    });
  }
}

/** What the journal's change leads to: the last step that names a part decides it. */
function readThrough({ id, change, names }: Journal, { directory, workDirectory }: Place): FoundFiles {
  const current = readFiles(directory, names);
  if (change.kind === 'directory') {
    const waiting = readFiles(pendingDirectory(workDirectory, id), names);
    return waiting.anchors ? waiting : current;
  }
  const resolve = (part: BundlePart): Buffer | undefined => {
    const last = change.steps.findLastIndex(({ files }) => files.some((file) => file.part === part));
    if (last < 0) return current[part];
    const step = change.steps[last];
    const waiting = readIfExists(pendingFile(workDirectory, id, last, names[part]));
    const moved =
      step && 'dataFolder' in step ? readIfExists(join(directory, step.dataFolder, names[part])) : undefined;
    return waiting ?? moved ?? current[part];
  };
  return { anchors: resolve('anchors'), issuerChain: resolve('issuerChain'), issuerKey: resolve('issuerKey') };
}

export function revisionOf(files: FoundFiles): string {
  return digest(Buffer.from(JSON.stringify(bundleParts.map((part) => digestOrNull(files[part])))));
}

/** Changes whenever an entry of the directory was written, replaced or swapped. */
function fingerprintOf({ directory, names }: Place): string {
  return bundleParts
    .map((part) => {
      const stat = statIfReachable(join(directory, names[part]));
      return stat ? `${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}` : '-';
    })
    .join('|');
}

/** Why a file cannot be reached is for the one who reads it to say. */
function statIfReachable(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}

/** The instant of the last event that a watcher of the directory may have seen, in ms since 1970. */
export function lastEventIn(directory: string): { at: number; snapshot: string } {
  return explaining(`list ${directory}`, () => {
    const names = ['.', ...readdirSync(directory).sort()];
    const stats = names.map((name) => ({ name, stat: lstatSync(join(directory, name), { throwIfNoEntry: false }) }));
    const at = Math.max(...stats.map(({ stat }) => stat?.ctimeMs ?? 0));
    return { at, snapshot: stats.map(({ name, stat }) => `${name}:${stat?.ino}:${stat?.ctimeMs}`).join('|') };
  });
}
