import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DaprMtlsError } from '../../errors.ts';
import { digestOrNull } from '../digest.ts';
import type { RotationStoreOptions } from '../rotation-options.ts';
import type { RotationHolder, RotationLock, RotationStore, SavedRotation } from '../rotation-port.ts';
import { syncDirectory } from './durable.ts';
import {
  acquireLock,
  clearDeadDrafts,
  type Lock,
  type LockKind,
  type LockOwner,
  livenessOfLock,
  readLock,
} from './lock.ts';
import type { Place } from './place.ts';
import { clearRecordDrafts, readRecord, recordPath, setRecordAside, writeRecord } from './rotation-record.ts';
import { prepareWorkDirectory } from './work-directory.ts';

/** Held for a whole run of a rotation, which takes and gives back the store's own at each change. */
const rotationLockOf = (wayToStore: string): LockKind => ({
  fileName: 'rotation.lock',
  says: 'the rotation is in the hands of',
  mend: `See how far it is: \`dapr-mtls rotate status${wayToStore}\`; with \`--wait\` this command waits for it.`,
});

const stepMs = 500;

/** The record and the lock as files of the work directory, beside the bundle's own. */
export class DirectoryRotationStore implements RotationStore {
  readonly #place: Place;
  readonly #options: RotationStoreOptions;
  readonly #lockKind: LockKind;

  constructor(place: Place, options: RotationStoreOptions) {
    this.#place = place;
    this.#options = options;
    this.#lockKind = rotationLockOf(options.wayToStore);
  }

  async read(): Promise<SavedRotation | undefined> {
    return readSaved(this.#place.workDirectory, this.#options.wayToStore);
  }

  async whoHolds(): Promise<RotationHolder | undefined> {
    const { workDirectory } = this.#place;
    const liveness = livenessOfLock(workDirectory, this.#lockKind);
    if (liveness === undefined || liveness === 'dead') return undefined;
    const owner = readLock(workDirectory, this.#lockKind);
    return owner ? toHolder(owner) : unreadableHolder(join(workDirectory, this.#lockKind.fileName));
  }

  /** @throws DaprMtlsError `store.work-directory`, `store.permission` too */
  async lock(purpose: string, waitMs: number): Promise<RotationLock> {
    prepareWorkDirectory(this.#place);
    const { workDirectory } = this.#place;
    const lock = await this.#acquire(purpose, waitMs);
    try {
      clearDeadDrafts(workDirectory, this.#lockKind);
      clearRecordDrafts(workDirectory);
      return new DirectoryRotationLock(workDirectory, lock, this.#options);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Whether an owner lives is known here at once; one of another machine is respected, and not waited for. */
  async #acquire(purpose: string, waitMs: number): Promise<Lock> {
    const { now, sleep, holder, assertRunning, onProgress } = this.#options;
    const { workDirectory } = this.#place;
    for (let waitedMs = 0; ; ) {
      assertRunning();
      const liveness = livenessOfLock(workDirectory, this.#lockKind);
      const owner = readLock(workDirectory, this.#lockKind);
      try {
        const lock = acquireLock(workDirectory, purpose, now(), { kind: this.#lockKind, holder });
        if (owner && liveness === 'dead') onProgress({ kind: 'taken-over', holder: toHolder(owner) });
        return lock;
      } catch (error) {
        if (!(error instanceof DaprMtlsError) || error.code !== 'store.locked') throw error;
        const isAlive = livenessOfLock(workDirectory, this.#lockKind) === 'alive';
        if (!isAlive || waitedMs >= waitMs) throw error;
        if (owner) onProgress({ kind: 'waiting', holder: toHolder(owner), remainingMs: waitMs - waitedMs });
        const pauseMs = Math.min(stepMs, waitMs - waitedMs);
        await sleep(pauseMs);
        waitedMs += pauseMs;
      }
    }
  }
}

class DirectoryRotationLock implements RotationLock {
  readonly #workDirectory: string;
  readonly #lock: Lock;
  readonly #runId: string;
  readonly #wayToStore: string;
  /** Of the record as it was last read or written; null where there was none. */
  #digest: string | null;

  constructor(workDirectory: string, lock: Lock, { newId, wayToStore }: RotationStoreOptions) {
    this.#workDirectory = workDirectory;
    this.#lock = lock;
    this.#runId = newId();
    this.#wayToStore = wayToStore;
    this.#digest = this.#look().digest;
  }

  async read(): Promise<SavedRotation | undefined> {
    const { saved, digest } = this.#look();
    this.#digest = digest;
    return saved;
  }

  async save(content: Buffer): Promise<void> {
    writeRecord(this.#workDirectory, content, this.#runId, () => this.#assertUnchanged());
    // Also where the disk does not confirm it: a second try must not take it for somebody else's.
    this.#digest = digestOrNull(content);
    syncDirectory(this.#workDirectory);
  }

  async setAside(): Promise<string> {
    this.#assertUnchanged();
    const path = setRecordAside(this.#workDirectory);
    this.#digest = digestOrNull(undefined);
    syncDirectory(this.#workDirectory);
    return path;
  }

  async assertHeld(): Promise<void> {
    this.#lock.assertHeld();
  }

  #assertUnchanged(): void {
    this.#lock.assertHeld();
    if (this.#look().digest !== this.#digest) throw changedMeanwhile(this.#workDirectory, this.#wayToStore);
  }

  async release(): Promise<void> {
    this.#lock.release();
  }

  #look(): { saved: SavedRotation | undefined; digest: string | null } {
    const saved = readSaved(this.#workDirectory, this.#wayToStore);
    return { saved, digest: digestOrNull(saved?.content) };
  }
}

function readSaved(workDirectory: string, wayToStore: string): SavedRotation | undefined {
  const saved = readRecord(workDirectory);
  return saved && { ...saved, place: { name: recordPath(workDirectory), wayToStore } };
}

function toHolder({ holder, host, pid, purpose, since }: LockOwner): RotationHolder {
  return { name: holder ?? `${host}, process ${pid}`, purpose, since: new Date(since), seenAt: undefined };
}

function unreadableHolder(path: string): RotationHolder {
  const since = statSync(path, { throwIfNoEntry: false })?.mtime ?? new Date(Number.NaN);
  return { name: `somebody whose lock cannot be read (${path})`, purpose: 'unknown', since, seenAt: undefined };
}

function changedMeanwhile(workDirectory: string, wayToStore: string): DaprMtlsError {
  return new DaprMtlsError('store.conflict', {
    message: `the record of the rotation in ${workDirectory} was changed by somebody else; nothing was written`,
    hint: `See what it holds now: \`dapr-mtls rotate status${wayToStore}\`; \`dapr-mtls rotate run${wayToStore}\` goes on from there.`,
  });
}
