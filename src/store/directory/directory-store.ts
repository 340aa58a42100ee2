import { randomBytes } from 'node:crypto';
import { statfsSync } from 'node:fs';
import { DaprMtlsError } from '../../errors.ts';
import { chooseBackup } from '../choose-backup.ts';
import { digestOrNull } from '../digest.ts';
import type {
  Backup,
  BackupOptions,
  ChangePlan,
  ChangeSession,
  InterruptedChange,
  OpenedBackup,
  StoredBundle,
  TrustStore,
} from '../port.ts';
import { abandonJournal, applyJournal } from './apply.ts';
import { createBackup, listBackups, openBackup, pruneBackups } from './backups.ts';
import { explaining, remove } from './durable.ts';
import { digestsAfter, type Journal, pendingFolder, readJournal, writeJournal } from './journal.ts';
import { acquireLock, type Lock } from './lock.ts';
import { detectLayout, type Place } from './place.ts';
import { DirectoryReader, readFiles, revisionOf } from './read.ts';
import { type Clock, waitUntilQuiet } from './settle.ts';
import { stage } from './stage.ts';
import { assertSpace, clearLeftovers, prepareWorkDirectory } from './work-directory.ts';

export interface DirectoryStoreOptions {
  readonly clock: Clock;
  /** How long nothing may have happened in the directory before each step; 0 when no Sentry runs. */
  readonly settleMs: number;
  /** Throws when the run is to stop; asked between steps, never within one. */
  readonly assertRunning: () => void;
  readonly onProgress: (progress: DirectoryProgress) => void;
}

export type DirectoryProgress =
  | { readonly kind: 'waiting'; readonly directory: string; readonly step: string; readonly remainingMs: number }
  | { readonly kind: 'step'; readonly step: string; readonly index: number; readonly count: number }
  | { readonly kind: 'finishing'; readonly purpose: string; readonly startedAt: string };

/** A trust bundle in a directory, safe beside a running Sentry that watches it. */
export class DirectoryStore extends DirectoryReader implements TrustStore {
  readonly #options: DirectoryStoreOptions;

  constructor(place: Place, options: DirectoryStoreOptions) {
    super(place);
    this.#options = options;
  }

  async openForChange(purpose: string): Promise<ChangeSession> {
    const { session, journal } = this.#lock(purpose);
    if (!journal) return session;
    try {
      this.#options.onProgress({ kind: 'finishing', purpose: journal.purpose, startedAt: journal.startedAt });
      await session.finish(journal);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  async abandonInterrupted(purpose: string): Promise<InterruptedChange | undefined> {
    const { session, journal } = this.#lock(purpose);
    try {
      if (!journal) return undefined;
      abandonJournal({ place: { ...this.place, names: journal.names }, journal });
      return { purpose: journal.purpose, startedAt: new Date(journal.startedAt) };
    } finally {
      await session.close();
    }
  }

  async listBackups(): Promise<Backup[]> {
    return listBackups(this.place.workDirectory);
  }

  async openBackup(id: string | undefined, passphrase: string | undefined): Promise<OpenedBackup> {
    const { workDirectory } = this.place;
    const interrupted = readJournal(workDirectory)?.purpose;
    const wish = { id, interrupted, kind: this.location.kind, place: workDirectory };
    const backup = chooseBackup(listBackups(workDirectory), wish);
    return { backup, files: openBackup(backup, passphrase) };
  }

  #lock(purpose: string): { session: DirectorySession; journal: Journal | undefined } {
    detectLayout(this.place);
    prepareWorkDirectory(this.place);
    const { workDirectory } = this.place;
    const lock = acquireLock(workDirectory, purpose, this.#options.clock.now());
    try {
      clearLeftovers(workDirectory);
      return {
        session: new DirectorySession(this.place, this.#options, lock, purpose),
        journal: readJournal(workDirectory),
      };
    } catch (error) {
      lock.release();
      throw error;
    }
  }
}

class DirectorySession implements ChangeSession {
  finished: ChangeSession['finished'];
  readonly #place: Place;
  readonly #options: DirectoryStoreOptions;
  readonly #lock: Lock;
  readonly #purpose: string;

  constructor(place: Place, options: DirectoryStoreOptions, lock: Lock, purpose: string) {
    this.#place = place;
    this.#options = options;
    this.#lock = lock;
    this.#purpose = purpose;
  }

  async read(): Promise<StoredBundle> {
    return this.#read();
  }

  #read(): StoredBundle {
    const files = readFiles(this.#place.directory, this.#place.names);
    return { files, revision: revisionOf(files), state: 'settled' };
  }

  async backUp(options: BackupOptions): Promise<Backup | undefined> {
    this.#assertSpace();
    return createBackup(this.#place.workDirectory, this.#read().files, { ...options, now: this.#options.clock.now() });
  }

  async apply(plan: ChangePlan, expectedRevision: string): Promise<void> {
    const { clock } = this.#options;
    const { workDirectory } = this.#place;
    const current = this.#read();
    if (current.revision !== expectedRevision) throw changedMeanwhile(this.#place.directory);
    this.#assertSpace();
    const id = randomBytes(6).toString('hex');
    let journal: Journal;
    try {
      const layout = detectLayout(this.#place);
      journal = stage({
        place: this.#place,
        layout,
        plan,
        current: current.files,
        id,
        purpose: this.#purpose,
        now: clock.now(),
      });
      this.#lock.assertHeld();
      writeJournal(workDirectory, journal);
    } catch (error) {
      // A journal that stands needs its files, even if the disk did not confirm it.
      if (readJournal(workDirectory)?.id !== id) remove(pendingFolder(workDirectory, id));
      throw error;
    }
    await this.#applyJournal(journal);
  }

  /** Carries out what an earlier run has left in its journal. */
  async finish(journal: Journal): Promise<void> {
    await this.#applyJournal(journal);
    this.finished = { purpose: journal.purpose, startedAt: new Date(journal.startedAt) };
  }

  async pruneBackups(keep: number): Promise<Backup[]> {
    return pruneBackups(this.#place.workDirectory, keep);
  }

  async close(): Promise<void> {
    this.#lock.release();
  }

  #assertSpace(): void {
    const { workDirectory } = this.#place;
    const { blocks, bavail, bsize } = explaining(`look at ${workDirectory}`, () => statfsSync(workDirectory));
    // Some file systems do not tell.
    if (blocks > 0) assertSpace(workDirectory, bavail * bsize);
  }

  async #applyJournal(journal: Journal): Promise<void> {
    const { clock, settleMs, assertRunning, onProgress } = this.#options;
    const place = { ...this.#place, names: journal.names };
    await applyJournal({
      place,
      journal,
      beforeStep: async ({ name, index, count, isHalfDone }) => {
        await waitUntilQuiet(place.directory, isHalfDone ? 0 : settleMs, clock, (remainingMs) => {
          assertRunning();
          onProgress({ kind: 'waiting', directory: place.directory, step: name, remainingMs });
        });
        assertRunning();
        this.#lock.assertHeld();
        onProgress({ kind: 'step', step: name, index, count });
      },
    });
    this.#readBack(place, journal);
  }

  #readBack({ directory, names }: Place, { change }: Journal): void {
    const files = readFiles(directory, names);
    const isAsWritten = [...digestsAfter(change)].every(([part, sha256]) => digestOrNull(files[part]) === sha256);
    if (!isAsWritten) throw changedMeanwhile(directory);
  }
}

function changedMeanwhile(directory: string): DaprMtlsError {
  return new DaprMtlsError('store.conflict', {
    message: `${directory} was changed by somebody else meanwhile`,
    hint: 'Look at it with `dapr-mtls check`, then run the command again.',
  });
}
