import { DaprMtlsError } from '../../errors.ts';
import { type BundlePart, bundleParts, type FoundFiles } from '../../pki/reading.ts';
import { digest } from '../digest.ts';
import type { ProcessIdentity } from '../directory/process-identity.ts';
import type { Backup, BackupOptions, ChangePlan, ChangeSession, RepairSession, StoredBundle } from '../port.ts';
import { keptConfigMapOf, listBackups, planBackup, removals } from './backups.ts';
import {
  createSecret,
  type ReplacedConfigMap,
  rehearse,
  rehearseSecret,
  removeConfigMap,
  type SecretChange,
  writeAnchors,
  writeSecret,
} from './bundle-write.ts';
import { type Claim, type ClaimedChange, claimKey, encodeClaim, keepConfigMap } from './claim.ts';
import { closeGap, fence, type Pause } from './close-gap.ts';
import { readKeeper, writeKeeper } from './keeper.ts';
import {
  bundleName,
  type ClusterPlace,
  type ConfigMapObject,
  filesOf,
  readObjects,
  type SecretObject,
} from './objects.ts';
import { readBack } from './read-back.ts';
import { revisionOf } from './revision.ts';
import { writeSideFiles } from './side-files.ts';
import { mayHaveHappened } from './unknown-outcome.ts';

export interface ClusterStoreOptions {
  readonly now: () => Date;
  /** Wakes early where the run is to stop. */
  readonly sleep: (ms: number) => Promise<void>;
  /** To the end, whatever signal comes: nothing is hurried while the ConfigMap is missing. */
  readonly sleepThrough: (ms: number) => Promise<void>;
  /** Between the Secret's write and the ConfigMap's: a Sentry may have read the old Secret. */
  readonly pauseMs: number;
  /** How long the objects are looked at after a write. */
  readonly watchMs: number;
  /** How long a claim must stand still until its run counts as dead, where that is not known. */
  readonly takeOverMs: number;
  /** Host and process: whom to ask for this run. */
  readonly holder: string;
  readonly process: ProcessIdentity;
  /** Whether the process of another run is known to be gone. */
  readonly isDead: (process: ProcessIdentity | undefined) => boolean;
  readonly newId: () => string;
  /** Throws when the run is to stop; never asked while the ConfigMap is missing. */
  readonly assertRunning: () => void;
  /** Carries to its end what goes on while the ConfigMap is missing, whoever wants the run to stop. */
  readonly uninterrupted: <T>(work: () => Promise<T>) => Promise<T>;
  readonly onProgress: (progress: ClusterProgress) => void;
}

export type ClusterProgress =
  | { readonly kind: 'other-run'; readonly purpose: string; readonly holder: string; readonly remainingMs: number }
  | { readonly kind: 'finishing'; readonly purpose: string; readonly startedAt: string }
  | { readonly kind: 'writing'; readonly what: 'secret' | 'both' }
  | { readonly kind: 'watching'; readonly remainingMs: number };

/** The writes of one run, under its claim. */
export class ClusterSession implements RepairSession {
  finished: ChangeSession['finished'];
  readonly #place: ClusterPlace;
  readonly #options: ClusterStoreOptions;
  #claim: Claim;
  /** As it was last written: the claim is lost when somebody else writes it. */
  #keeper: SecretObject;

  constructor(place: ClusterPlace, options: ClusterStoreOptions, claim: Claim, keeper: SecretObject) {
    this.#place = place;
    this.#options = options;
    this.#claim = claim;
    this.#keeper = keeper;
  }

  async read(): Promise<StoredBundle> {
    const objects = await readObjects(this.#place);
    return {
      files: filesOf(objects.secret, this.#place.names),
      revision: revisionOf(objects, this.#place),
      state: 'settled',
    };
  }

  async backUp(options: BackupOptions): Promise<Backup | undefined> {
    const objects = await readObjects(this.#place);
    const plan = planBackup(this.#keeper, objects, this.#place, { ...options, now: this.#options.now() });
    if (!plan) return undefined;
    await this.#writeKeeper(plan.entries);
    return listBackups(this.#keeper, this.#place).find(({ id }) => id === plan.id);
  }

  async apply(plan: ChangePlan, expectedRevision: string): Promise<void> {
    const files: FoundFiles = Object.assign({}, ...plan.steps.map((step) => step.files));
    const prepared = await this.#prepare(files, expectedRevision);
    const undoSideFiles = writeSideFiles(plan.sideFiles);
    if (!prepared) return;
    try {
      await this.#write(prepared);
    } catch (error) {
      if (!mayHaveHappened(error) && (await this.#isOld(expectedRevision))) undoSideFiles();
      throw error;
    }
    await readBack(this.#place, prepared.change.data);
    await this.#watch(prepared.change);
  }

  /**
   * Makes Secret and ConfigMap one bundle again, whatever either holds now. The ConfigMap goes first:
   * from then on no Sentry starts on the difference.
   * @param files the whole bundle as it shall be, judged already
   */
  async unite(files: FoundFiles): Promise<void> {
    const { secret, configMap } = await readObjects(this.#place);
    const { anchors } = files;
    if (!anchors) throw new Error('a bundle without anchors was not judged');
    if (!secret) return this.#makeSecret(files, configMap);
    const change: SecretChange = { secret, data: changedData(files, secret, this.#place) };
    this.#options.assertRunning();
    // One that Dapr up to 1.11 does not know would go stale, and arm the accident at an upgrade.
    if (!this.#place.hasConfigMap) return this.#writeSecretAlone(change);
    if (configMap) await rehearse(this.#place, change, configMap);
    else await rehearseSecret(this.#place, change);
    this.#options.onProgress({ kind: 'writing', what: 'both' });
    const kept = configMap
      ? keepConfigMap(configMap)
      : (keptConfigMapOf(this.#keeper) ?? keepConfigMap({ metadata: secret.metadata }));
    await this.#writeBoth(change, anchors, { configMap, kept });
    await readBack(this.#place, change.data);
    await this.#watch(change);
  }

  async #writeSecretAlone(change: SecretChange): Promise<void> {
    this.#options.onProgress({ kind: 'writing', what: 'secret' });
    if (Object.keys(change.data).length > 0) await writeSecret(this.#place, change);
    await readBack(this.#place, change.data);
    await this.#watch(change);
  }

  /** While there is no Secret every Sentry exits; the ConfigMap goes before there is one that may differ. */
  async #makeSecret(files: FoundFiles, configMap: ConfigMapObject | undefined): Promise<void> {
    const kept = configMap
      ? keepConfigMap(configMap)
      : (this.#claim.change?.configMap ?? keptConfigMapOf(this.#keeper));
    const bearing = kept ?? keepConfigMap({ metadata: { name: bundleName } });
    await createSecret(this.#place, files, bearing, { dryRun: true });
    this.#options.assertRunning();
    await this.#options.uninterrupted(async () => {
      await this.#claimChange({ configMap: bearing, anchorsSha256: digest(files.anchors ?? Buffer.alloc(0)) });
      if (configMap) await removeConfigMap(this.#place, configMap);
      await createSecret(this.#place, files, bearing);
      if (this.#place.hasConfigMap) await closeGap(this.#place, bearing, this.#pause);
      await this.#claimChange(null);
    });
  }

  /** Carries on where a dead run stopped: the ConfigMap is made anew from what the Secret holds. */
  async finish({ purpose, startedAt, change }: Claim): Promise<void> {
    const { secret, configMap } = await readObjects(this.#place);
    // A Secret that is gone is made anew by a repair, which is this one or the next; no Sentry starts before.
    if (!filesOf(secret, this.#place.names).anchors) return;
    const isMissing = this.#place.hasConfigMap && change !== null && configMap === undefined;
    const anchors = isMissing
      ? await this.#options.uninterrupted(() => closeGap(this.#place, change.configMap, this.#pause))
      : await fence(this.#place);
    if (change && digest(anchors) === change.anchorsSha256) {
      this.finished = { purpose, startedAt: new Date(startedAt) };
    }
    await this.#claimChange(null);
  }

  async pruneBackups(keep: number): Promise<Backup[]> {
    const surplus = listBackups(this.#keeper, this.#place).slice(keep);
    if (surplus.length > 0) await this.#writeKeeper(removals(surplus.map(({ id }) => id)));
    return surplus;
  }

  async close(): Promise<void> {
    // With a change in it the claim is what the next run mends the bundle by.
    if (this.#claim.change) return;
    try {
      await writeKeeper(this.#place, this.#keeper, { [claimKey]: null });
    } catch (error) {
      // Who took the claim over has it now, and an error before this one says more.
      if (!(error instanceof DaprMtlsError)) throw error;
    }
  }

  get #pause(): Pause {
    return {
      pauseMs: this.#options.pauseMs,
      sleep: this.#options.sleepThrough,
      assertClaimed: () => this.#assertClaimed(),
    };
  }

  /**
   * What is to be written, rehearsed; undefined where that is nothing. Labels, or a key of Sentry's
   * own, may be written between the read and the rehearsal: the same bundle is planned on once more.
   */
  async #prepare(files: FoundFiles, expectedRevision: string): Promise<PreparedChange | undefined> {
    for (let attempt = 1; ; attempt++) {
      const { secret, configMap } = await readObjects(this.#place);
      if (!secret || revisionOf({ secret, configMap }, this.#place) !== expectedRevision)
        throw changedMeanwhile(this.#place);
      const change: SecretChange = { secret, data: changedData(files, secret, this.#place) };
      if (Object.keys(change.data).length === 0) return undefined;
      const isOfAnchors = this.#place.hasConfigMap && change.data[this.#place.names.anchors] !== undefined;
      if (isOfAnchors && !configMap) throw changedMeanwhile(this.#place);
      this.#options.assertRunning();
      try {
        if (!isOfAnchors || !configMap) {
          await rehearseSecret(this.#place, change);
          return { change, configMap: undefined };
        }
        await rehearse(this.#place, change, configMap);
        return { change, configMap };
      } catch (error) {
        const isBeaten = error instanceof DaprMtlsError && error.code === 'cluster.conflict';
        if (!isBeaten || attempt > 1) throw error;
      }
    }
  }

  async #write({ change, configMap }: PreparedChange): Promise<void> {
    this.#options.assertRunning();
    this.#options.onProgress({ kind: 'writing', what: configMap ? 'both' : 'secret' });
    if (!configMap) return writeSecret(this.#place, change);
    const anchors = Buffer.from(change.data[this.#place.names.anchors] ?? '', 'base64');
    await this.#writeBoth(change, anchors, { configMap, kept: keepConfigMap(configMap) });
  }

  async #writeBoth(change: SecretChange, anchors: Buffer, replaced: ReplacedConfigMap): Promise<void> {
    await this.#options.uninterrupted(async () => {
      await this.#claimChange({ configMap: replaced.kept, anchorsSha256: digest(anchors) });
      try {
        await writeAnchors(this.#place, change, anchors, replaced, this.#pause);
      } catch (error) {
        if (await this.#isClosed()) await this.#claimChange(null);
        throw error;
      }
      await this.#claimChange(null);
    });
  }

  /** Whether the ConfigMap is there, so that nothing is left to mend. */
  async #isClosed(): Promise<boolean> {
    try {
      return (await readObjects(this.#place)).configMap !== undefined;
    } catch {
      return false;
    }
  }

  /** Where that cannot be told, the files stay: one of them may be the key of the root in use. */
  async #isOld(revision: string): Promise<boolean> {
    try {
      const objects = await readObjects(this.#place);
      return revisionOf(objects, this.#place) === revision;
    } catch {
      return false;
    }
  }

  /**
   * Looks on for a while: a Sentry that had read one object before and the other after the write
   * would replace both.
   */
  async #watch({ data }: SecretChange): Promise<void> {
    const { watchMs, sleep, onProgress, assertRunning } = this.#options;
    const stepMs = 1000;
    for (let watchedMs = 0; watchedMs < watchMs; watchedMs += stepMs) {
      onProgress({ kind: 'watching', remainingMs: watchMs - watchedMs });
      assertRunning();
      await sleep(Math.min(stepMs, watchMs - watchedMs));
      await readBack(this.#place, data);
    }
  }

  async #assertClaimed(): Promise<void> {
    const keeper = await readKeeper(this.#place);
    if (keeper?.metadata.resourceVersion !== this.#keeper.metadata.resourceVersion) throw takenOver(undefined);
  }

  async #claimChange(change: ClaimedChange | null): Promise<void> {
    const claim = { ...this.#claim, change };
    await this.#writeKeeper(encodeClaim(claim));
    this.#claim = claim;
  }

  async #writeKeeper(entries: Readonly<Record<string, string | null>>): Promise<void> {
    try {
      this.#keeper = await writeKeeper(this.#place, this.#keeper, entries);
    } catch (error) {
      if (!(error instanceof DaprMtlsError) || error.code !== 'cluster.conflict') throw error;
      throw takenOver(error);
    }
  }
}

interface PreparedChange {
  readonly change: SecretChange;
  /** Undefined where it stays as it is. */
  readonly configMap: ConfigMapObject | undefined;
}

/** Only what differs is written, in base64. */
function changedData(files: FoundFiles, secret: SecretObject, { names }: ClusterPlace): Record<string, string> {
  const present = filesOf(secret, names);
  const isChanged = (part: BundlePart) => files[part] !== undefined && !present[part]?.equals(files[part]);
  return Object.fromEntries(
    bundleParts.filter(isChanged).map((part) => [names[part], files[part]?.toString('base64') ?? '']),
  );
}

function takenOver(cause: unknown): DaprMtlsError {
  return new DaprMtlsError('store.locked', {
    message: 'another run has taken this one for dead and taken over; this one stops',
    hint: 'Look at the bundle with `dapr-mtls check -k`, then run the command again.',
    cause,
  });
}

function changedMeanwhile({ namespace }: ClusterPlace): DaprMtlsError {
  return new DaprMtlsError('store.conflict', {
    message: `${namespace}/${bundleName} was changed by somebody else meanwhile; nothing was written`,
    hint: 'Look at it with `dapr-mtls check -k`, then run the command again.',
  });
}
