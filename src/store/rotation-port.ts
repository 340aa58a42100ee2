/**
 * Where the record of a rotation lives: beside the bundle, so that anybody who may change the bundle
 * can go on with the rotation, from any machine. What stands in it is none of a store's business.
 */
export interface RotationStore {
  /** Undefined where none was ever begun. Takes no lock. */
  read(): Promise<SavedRotation | undefined>;
  /** Who is at work on it this moment, as far as that can be told; undefined where nobody is. */
  whoHolds(): Promise<RotationHolder | undefined>;
  /**
   * One run at a time. A holder that died is taken over from.
   * @param purpose the command that asks, as people type it
   * @param waitMs how long to wait for a living holder; 0 for not at all
   * @throws DaprMtlsError `store.locked`
   */
  lock(purpose: string, waitMs: number): Promise<RotationLock>;
}

export interface SavedRotation {
  /** JSON. It holds private keys until the rotation has ended. */
  readonly content: Buffer;
  readonly place: RecordPlace;
}

/** Where a record lies, for who has to look at it. */
export interface RecordPlace {
  /** A path; a Secret with its namespace. */
  readonly name: string;
  /** ` -k` or ` --dir DIR`: what leads another command there. */
  readonly wayToStore: string;
}

export interface RotationHolder {
  /** Person, host and process. */
  readonly name: string;
  readonly purpose: string;
  readonly since: Date;
  /** Its last sign of life, by its own clock; undefined where the system tells whether it lives. */
  readonly seenAt: Date | undefined;
}

export interface RotationLock {
  /** As it stands; what `save` writes next is conditional on it. */
  read(): Promise<SavedRotation | undefined>;
  /**
   * Replaces the record whole, or not at all; it is safe on the disk, or in etcd, when this returns.
   * @throws DaprMtlsError `store.conflict` when somebody else has written it since, `store.locked` when the lock is lost
   */
  save(content: Buffer): Promise<void>;
  /**
   * Puts the record that was read away under a number, where no command reads it; then there is none.
   * @returns where it lies now, as people call it
   * @throws DaprMtlsError as `save` does
   */
  setAside(): Promise<string>;
  /** @throws DaprMtlsError `store.locked` when the lock is not this run's any more */
  assertHeld(): Promise<void>;
  release(): Promise<void>;
}
