import { mkdirSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type InitInput, initialize } from '../../src/app/init.ts';
import { type RenewInput, renew } from '../../src/app/renew/renew.ts';
import type { RenewalReport } from '../../src/app/renew/report.ts';
import { randomness } from '../../src/cli/key-files.ts';
import { DirectoryStore, type DirectoryStoreOptions } from '../../src/store/directory/directory-store.ts';
import { locate, type Place } from '../../src/store/directory/place.ts';
import { readFiles, readStore } from '../../src/store/directory/read.ts';
import type { FileNames } from '../../src/store/file-names.ts';
import type { FoundFiles, StoredBundle } from '../../src/store/port.ts';
import { temporaryDirectory } from './directory.ts';

/** plain: three files. linked: kubelet's `..data`. none: the folder is not there yet. */
export type TrustLayout = 'plain' | 'linked' | 'none';

/** A directory with a bundle of ours in it, in a folder of its own. */
export interface TrustDirectory {
  readonly parent: string;
  readonly directory: string;
  readonly workDirectory: string;
  readonly place: Place;
  /** No wait and the real clock, unless said otherwise. */
  store(options?: Partial<DirectoryStoreOptions>): DirectoryStore;
  /** What a reader sees. */
  read(): StoredBundle;
  /** What stands in the directory. */
  files(): FoundFiles;
  renew(input?: Partial<RenewInput>, options?: Partial<DirectoryStoreOptions>): Promise<RenewalReport>;
}

const yearMs = 365 * 86_400_000;

const certificates = {
  trustDomain: 'cluster.local',
  rootValidMs: yearMs,
  issuerValidMs: yearMs,
  allowedClockSkewMs: 15 * 60_000,
  keyType: 'p256',
  issuerPathLength: undefined,
  backupPassphrase: undefined,
  keepBackups: 5,
  ...randomness,
} as const;

export function initInput(input: Partial<InitInput> = {}): InitInput {
  return {
    ...certificates,
    own: undefined,
    rootKey: undefined,
    saveRootKey: undefined,
    now: new Date(),
    configuration: undefined,
    configurationPath: '',
    force: false,
    purpose: 'init',
    ...input,
  };
}

export function renewInput(input: Partial<RenewInput> = {}): RenewInput {
  return {
    ...certificates,
    request: { kind: 'fresh', procedure: undefined },
    purpose: 'renew-certificate',
    rootKey: undefined,
    ifExpiresWithinMs: undefined,
    daprVersion: undefined,
    now: new Date(),
    ...input,
  };
}

export interface TrustOptions {
  readonly names?: FileNames;
  readonly input?: Partial<InitInput>;
  /** The folder to make it in; one of its own where none is given. */
  readonly parent?: string;
}

export async function makeTrustDirectory(
  layout: TrustLayout = 'plain',
  { names, input, parent = temporaryDirectory() }: TrustOptions = {},
): Promise<TrustDirectory> {
  const trust = openTrustDirectory(join(parent, 'certs'), names);
  if (layout !== 'none') await initialize(trust.store(), initInput(input));
  if (layout === 'linked') linkAsKubelet(trust.directory);
  return trust;
}

export function openTrustDirectory(path: string, names?: FileNames): TrustDirectory {
  const place = locate(path, names);
  const store = (options: Partial<DirectoryStoreOptions> = {}) =>
    new DirectoryStore(place, {
      clock: { now: () => new Date(), sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) },
      settleMs: 0,
      assertRunning: () => undefined,
      onProgress: () => undefined,
      ...options,
    });
  return {
    parent: join(place.directory, '..'),
    directory: place.directory,
    workDirectory: place.workDirectory,
    place,
    store,
    read: () => readStore(place),
    files: () => readFiles(place.directory, place.names),
    renew: (input, options) => renew(store(options), renewInput(input)),
  };
}

/**
 * A clock by which sleeping takes the time, and nobody waits. It is a day late: the time stamps of
 * files lie in its future, so what counts is what was seen to happen.
 */
export function sleeplessClock(onSleep: () => void = () => undefined): DirectoryStoreOptions['clock'] {
  let now = Date.now() - 86_400_000;
  return {
    now: () => new Date(now),
    sleep: async (ms) => {
      now += ms;
      onSleep();
    },
  };
}

/** Moves the files into a data folder and links to them, as kubelet's AtomicWriter lays them out. */
export function linkAsKubelet(directory: string): void {
  const dataFolder = '..2026_11_22_00_00_00.123456789';
  const names = readdirSync(directory);
  mkdirSync(join(directory, dataFolder), { mode: 0o755 });
  for (const name of names) renameSync(join(directory, name), join(directory, dataFolder, name));
  symlinkSync(dataFolder, join(directory, '..data'));
  for (const name of names) symlinkSync(join('..data', name), join(directory, name));
}
