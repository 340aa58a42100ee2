import type { BundlePart, FoundFiles } from '../pki/reading.ts';

export type { FoundFiles };

/** Where a trust bundle lives, for who only looks. */
export interface BundleReader {
  readonly location: StoreLocation;
  /** The bundle as readers see it: always a whole one, also while it is being changed. Writes nothing. */
  read(): Promise<StoredBundle>;
}

/** A directory is one such place, a cluster's Secret and ConfigMap another. */
export interface TrustStore extends BundleReader {
  /**
   * Takes the lock and finishes a change that was interrupted.
   * @param purpose the command that asks, as people type it
   */
  openForChange(purpose: string): Promise<ChangeSession>;
  /** Gives an interrupted change up and keeps what stands in the store; undefined where there is none. */
  abandonInterrupted(purpose: string): Promise<InterruptedChange | undefined>;
  /** Newest first. */
  listBackups(): Promise<readonly Backup[]>;
  /**
   * The copy with that id, its key in clear; which one without an id: choose-backup.ts.
   * @throws DaprMtlsError `file.missing`, `key.passphrase`, `store.damaged`
   */
  openBackup(id: string | undefined, passphrase: string | undefined): Promise<OpenedBackup>;
}

/** A store that publishes its anchors beside the bundle; the two may come to differ. */
export interface PublishingStore extends TrustStore {
  /** The bundle, and the anchors as everybody but Sentry reads them. */
  readBoth(): Promise<{ readonly stored: StoredBundle; readonly published: Buffer | undefined }>;
  /** @throws DaprMtlsError `store.mismatch` where the two differ */
  assertUnited(): Promise<void>;
  /** As `openForChange`, on a bundle that is not whole. */
  openForRepair(purpose: string): Promise<RepairSession>;
}

export interface RepairSession extends ChangeSession {
  /** Makes both sides one, whatever either holds now. @param files the whole bundle, judged already */
  unite(files: FoundFiles): Promise<void>;
}

export interface InterruptedChange {
  /** The command that had begun it, as people type it. */
  readonly purpose: string;
  readonly startedAt: Date;
}

export interface OpenedBackup {
  readonly backup: Backup;
  readonly files: FoundFiles;
}

export interface StoreLocation {
  readonly kind: 'directory' | 'cluster';
  /** As people call it: a path; a namespace and its cluster. */
  readonly name: string;
  readonly names: Readonly<Record<BundlePart, string>>;
}

export interface StoredBundle {
  readonly files: FoundFiles;
  /** Makes a write conditional: equal revisions mean equal bytes. */
  readonly revision: string;
  readonly state: StoreState;
  /** Of a cluster. public: from the ConfigMap and from what Sentry shows, the Secret was not read. */
  readonly source?: 'secret' | 'public';
  /** Parts that were not read although they may be there. */
  readonly unread?: UnreadParts;
}

export type UnreadParts = Readonly<Partial<Record<BundlePart, Unread>>>;

export interface Unread {
  readonly reason: string;
  /** What brings it within reach. */
  readonly hint: string;
}

/**
 * settled: nothing under way. changing: a living run is at work. interrupted: a run died in the
 * middle; what is read is what its change leads to. unknown: that may not be read, or was not.
 */
export type StoreState = 'settled' | 'changing' | 'interrupted' | 'unknown';

/** A change in the order it has to happen; each step is a bundle that Sentry accepts. */
export interface ChangePlan {
  readonly steps: readonly ChangeStep[];
  /** Written before the first step, so that no key is lost: the root key, the Configuration. */
  readonly sideFiles: readonly SideFile[];
}

export interface ChangeStep {
  readonly name: string;
  readonly files: Partial<Readonly<Record<BundlePart, Buffer>>>;
}

export interface SideFile {
  /** An absolute path outside the store. */
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
  /** What the file must hold now; undefined: it must not exist. */
  readonly replaces: Buffer | undefined;
}

export interface BackupOptions {
  readonly reason: string;
  /** Encrypts the issuer key in the copy. */
  readonly passphrase: string | undefined;
}

export interface Backup {
  readonly id: string;
  readonly path: string;
  readonly createdAt: Date;
  readonly reason: string;
  readonly encrypted: boolean;
  readonly rootFingerprint: string | undefined;
  readonly rootNotAfter: Date | undefined;
}

export interface ChangeSession {
  /** The change of an earlier run that this one has finished, by the command that had begun it. */
  readonly finished: InterruptedChange | undefined;
  read(): Promise<StoredBundle>;
  backUp(options: BackupOptions): Promise<Backup | undefined>;
  /** @throws DaprMtlsError `store.conflict` when the store is not at the revision any more */
  apply(plan: ChangePlan, expectedRevision: string): Promise<void>;
  pruneBackups(keep: number): Promise<readonly Backup[]>;
  close(): Promise<void>;
}
