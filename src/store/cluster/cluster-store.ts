import { DaprMtlsError } from '../../errors.ts';
import { chooseBackup } from '../choose-backup.ts';
import type { Backup, ChangeSession, InterruptedChange, OpenedBackup, PublishingStore, StoredBundle } from '../port.ts';
import { listBackups, openBackup } from './backups.ts';
import { ClusterSession, type ClusterStoreOptions } from './change-session.ts';
import { type Claim, claimOf, encodeClaim } from './claim.ts';
import { readKeeper, writeKeeper } from './keeper.ts';
import { anchorsOf, bundleName, type ClusterPlace, readObjects, type SecretObject } from './objects.ts';
import { assertAllowed, assertChangeable, assertUnited } from './preflight.ts';
import { ClusterReader } from './read.ts';

/** A control plane's Secret and ConfigMap as one bundle. */
export class ClusterStore extends ClusterReader implements PublishingStore {
  readonly #options: ClusterStoreOptions;

  constructor(place: ClusterPlace, options: ClusterStoreOptions) {
    super(place);
    this.#options = options;
  }

  /** @throws DaprMtlsError `store.mismatch` where Secret and ConfigMap are not one bundle */
  async openForChange(purpose: string): Promise<ChangeSession> {
    const session = await this.openForRepair(purpose);
    try {
      assertUnited(await readObjects(this.place), this.place);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /** The same on objects that do not fit each other. */
  async openForRepair(purpose: string): Promise<ClusterSession> {
    const [objects, keeper] = await Promise.all([readObjects(this.place), readKeeper(this.place)]);
    assertChangeable(objects, this.place);
    await assertAllowed(this.place, keeper);
    const left = claimOf(keeper);
    if (left) await this.#waitForOther(left, keeper);
    const { now, newId, holder, process } = this.#options;
    // What a dead run was at stays written until it is mended.
    const change = left?.change ?? null;
    const startedAt = now().toISOString();
    const claim: Claim = { version: 1, id: newId(), purpose, startedAt, holder, process, change };
    const session = new ClusterSession(this.place, this.#options, claim, await this.#take(keeper, claim));
    if (!left) return session;
    try {
      this.#options.onProgress({ kind: 'finishing', purpose: left.purpose, startedAt: left.startedAt });
      await session.finish(left);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  async assertUnited(): Promise<void> {
    assertUnited(await readObjects(this.place), this.place);
  }

  async readBoth(): Promise<{ stored: StoredBundle; published: Buffer | undefined }> {
    const { stored, objects } = await this.readWithObjects();
    return { stored, published: anchorsOf(objects.configMap, this.place.names) };
  }

  /** The ConfigMap may not stay missing: to give up is to go on with what the Secret holds. */
  async abandonInterrupted(purpose: string): Promise<InterruptedChange | undefined> {
    const left = claimOf(await readKeeper(this.place));
    const session = await this.openForChange(purpose);
    await session.close();
    return left && { purpose: left.purpose, startedAt: new Date(left.startedAt) };
  }

  async listBackups(): Promise<Backup[]> {
    return listBackups(await readKeeper(this.place), this.place);
  }

  async openBackup(id: string | undefined, passphrase: string | undefined): Promise<OpenedBackup> {
    const keeper = await readKeeper(this.place);
    const { kind, name: place } = this.location;
    const interrupted = claimOf(keeper)?.purpose;
    const backup = chooseBackup(listBackups(keeper, this.place), { id, interrupted, kind, place });
    return openBackup(keeper, backup, this.place, passphrase);
  }

  /** Returns when the other run has not moved for so long that it counts as dead. @throws DaprMtlsError `store.locked` */
  async #waitForOther(claim: Claim, keeper: SecretObject | undefined): Promise<void> {
    const { takeOverMs, sleep, onProgress, assertRunning, isDead } = this.#options;
    const { purpose, holder } = claim;
    if (isDead(claim.process)) return;
    const stepMs = 1000;
    for (let waitedMs = 0; waitedMs < takeOverMs; waitedMs += stepMs) {
      assertRunning();
      onProgress({ kind: 'other-run', purpose, holder, remainingMs: takeOverMs - waitedMs });
      await sleep(Math.min(stepMs, takeOverMs - waitedMs));
      const again = await readKeeper(this.place);
      if (again?.metadata.resourceVersion !== keeper?.metadata.resourceVersion) throw locked(claim, this.place);
    }
    // A signal ends the last wait early: too early to call the other run dead.
    assertRunning();
  }

  async #take(keeper: SecretObject | undefined, claim: Claim): Promise<SecretObject> {
    try {
      return await writeKeeper(this.place, keeper, encodeClaim(claim));
    } catch (error) {
      if (!(error instanceof DaprMtlsError) || error.code !== 'cluster.conflict') throw error;
      throw locked(claimOf(await readKeeper(this.place)), this.place);
    }
  }
}

function locked(claim: Claim | undefined, { namespace }: ClusterPlace): DaprMtlsError {
  const who = claim ? `"${claim.purpose}" (${claim.holder}, since ${claim.startedAt})` : 'another run';
  return new DaprMtlsError('store.locked', {
    message: `${namespace}/${bundleName} is being changed by ${who}`,
    hint: 'Wait until that run has ended, then run the command again. A run that died is finished by the next one.',
  });
}
