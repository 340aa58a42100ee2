import { DaprMtlsError } from '../../errors.ts';
import type { RotationStoreOptions } from '../rotation-options.ts';
import type { RotationHolder, RotationLock, RotationStore, SavedRotation } from '../rotation-port.ts';
import { acquireLease } from './acquire-lease.ts';
import { isConflict } from './conflict.ts';
import { HeldLease } from './held-lease.ts';
import { holderOf, type LeasePlace, type LeaseRun, readLease } from './lease.ts';
import type { SecretObject } from './objects.ts';
import {
  assertRoom,
  contentOf,
  fenceRecord,
  isSameRecord,
  nameOfRecord,
  readRecord,
  setRecordAside,
  writeRecord,
} from './rotation-record.ts';
import { assertRotationAllowed } from './rotation-rights.ts';
import { mayHaveHappened } from './unknown-outcome.ts';

export interface ClusterRotationOptions extends RotationStoreOptions {
  /** How long a holder may stand still without counting as dead; it renews three times in that. */
  readonly leaseMs: number;
}

/** As client-go's leader election has it by default. */
export const defaultLeaseMs = 15_000;

/** The record in a Secret beside the bundle, the lock in a Lease. */
export class ClusterRotationStore implements RotationStore {
  readonly #place: LeasePlace;
  readonly #options: ClusterRotationOptions;

  constructor(place: LeasePlace, options: ClusterRotationOptions) {
    this.#place = place;
    this.#options = options;
  }

  async read(): Promise<SavedRotation | undefined> {
    return savedIn(await readRecord(this.#place), this.#place, this.#options.wayToStore);
  }

  /** One that has died is told too: that shows only to who looks on for a while. */
  async whoHolds(): Promise<RotationHolder | undefined> {
    const lease = await readLease(this.#place);
    return lease && holderOf(lease);
  }

  async lock(purpose: string, waitMs: number): Promise<RotationLock> {
    await assertRotationAllowed(this.#place);
    const { now, newId, holder, leaseMs } = this.#options;
    const run: LeaseRun = { id: newId(), holder, purpose, leaseMs };
    const { lease, isTakenOver } = await acquireLease(this.#place, run, waitMs, this.#options);
    const held = new HeldLease(this.#place, run, lease, now);
    try {
      const secret = await fenceRecord(this.#place, run.id, isTakenOver);
      return new ClusterRotationLock(this.#place, held, secret, this.#options.wayToStore);
    } catch (error) {
      await held.release();
      throw error;
    }
  }
}

class ClusterRotationLock implements RotationLock {
  readonly #place: LeasePlace;
  readonly #lease: HeldLease;
  readonly #wayToStore: string;
  /** As it was last read or written; undefined where there was none. */
  #secret: SecretObject | undefined;

  constructor(place: LeasePlace, lease: HeldLease, secret: SecretObject | undefined, wayToStore: string) {
    this.#place = place;
    this.#lease = lease;
    this.#secret = secret;
    this.#wayToStore = wayToStore;
  }

  async read(): Promise<SavedRotation | undefined> {
    this.#secret = await readRecord(this.#place);
    return savedIn(this.#secret, this.#place, this.#wayToStore);
  }

  /**
   * The lease is looked at behind the read and before the write: who takes it over moves the
   * resourceVersion, so that a write which comes later than that meets another one.
   */
  async save(content: Buffer): Promise<void> {
    assertRoom(content, this.#secret, this.#place);
    for (let attempt = 1; ; attempt++) {
      await this.#lease.assertHeld();
      try {
        this.#secret = await writeRecord(this.#place, this.#secret, content);
        return;
      } catch (error) {
        if (!isConflict(error) && !mayHaveHappened(error)) throw error;
        const found = await this.#readBack(error);
        if (contentOf(found)?.content.equals(content)) {
          this.#secret = found;
          return;
        }
        await this.#lease.assertHeld();
        if (!isConflict(error) && isSameRecord(found, this.#secret)) throw error;
        if (attempt > 1 || !isSameRecord(found, this.#secret))
          throw changedMeanwhile(this.#place, this.#wayToStore, error);
        // A label or an annotation: the record is the one that this save was made for.
        this.#secret = found;
      }
    }
  }

  async setAside(): Promise<string> {
    if (!this.#secret) throw new Error('only a record that was read is put aside');
    await this.#lease.assertHeld();
    try {
      const { secret, key } = await setRecordAside(this.#place, this.#secret);
      this.#secret = secret;
      return `${nameOfRecord(this.#place)}, ${key}`;
    } catch (error) {
      if (!isConflict(error)) throw error;
      throw changedMeanwhile(this.#place, this.#wayToStore, error);
    }
  }

  assertHeld(): Promise<void> {
    return this.#lease.assertHeld();
  }

  release(): Promise<void> {
    return this.#lease.release();
  }

  /** @throws the failure of the write, which says more, where reading fails too */
  async #readBack(failure: unknown): Promise<SecretObject | undefined> {
    try {
      return await readRecord(this.#place);
    } catch {
      throw failure;
    }
  }
}

function savedIn(secret: SecretObject | undefined, place: LeasePlace, wayToStore: string): SavedRotation | undefined {
  const saved = contentOf(secret);
  return saved && { ...saved, place: { name: `the ${nameOfRecord(place)}`, wayToStore } };
}

function changedMeanwhile(place: LeasePlace, wayToStore: string, cause: unknown): DaprMtlsError {
  return new DaprMtlsError('store.conflict', {
    message: `the record of the rotation, ${nameOfRecord(place)}, was changed by somebody else; nothing was written`,
    hint: `See what it holds now: \`dapr-mtls rotate status${wayToStore}\`; \`dapr-mtls rotate run${wayToStore}\` goes on from there.`,
    cause,
  });
}
