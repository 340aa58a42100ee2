import { DaprMtlsError } from '../../errors.ts';
import { isConflict } from './conflict.ts';
import {
  freeLease,
  holderOf,
  isHeldBy,
  type LeaseObject,
  type LeasePlace,
  type LeaseRun,
  leaseName,
  readLease,
  renewLease,
} from './lease.ts';

/** A renewal may fail twice before the lease could be taken over. */
const renewalsPerLease = 3;
const attempts = 3;

/** A lease that is this run's, and kept alive in the background until it is released or lost. */
export class HeldLease {
  readonly #place: LeasePlace;
  readonly #run: LeaseRun;
  readonly #now: () => Date;
  readonly #timer: NodeJS.Timeout;
  #lease: LeaseObject;
  #ended: DaprMtlsError | undefined;
  /** One write at a time: two of this run's would beat each other. */
  #turn: Promise<void> = Promise.resolve();
  #isRenewing = false;

  constructor(place: LeasePlace, run: LeaseRun, lease: LeaseObject, now: () => Date) {
    this.#place = place;
    this.#run = run;
    this.#lease = lease;
    this.#now = now;
    this.#timer = setInterval(() => this.#keepAlive(), run.leaseMs / renewalsPerLease);
    // A run that ends without release is taken over like one that died.
    this.#timer.unref();
  }

  /**
   * Renews it: held now, and for the whole of its time from now on.
   * @throws DaprMtlsError `store.locked` when it is this run's no more, `cluster.*` when that cannot be told
   */
  assertHeld(): Promise<void> {
    return this.#inTurn(() => this.#write((lease) => renewLease(this.#place, lease, this.#run, this.#now())));
  }

  /** Once; what cannot be released is taken over from a run that moves no more. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#inTurn(async () => {
      try {
        await this.#write((lease) => freeLease(this.#place, lease, this.#now()));
      } catch (error) {
        if (!(error instanceof DaprMtlsError)) throw error;
      }
      this.#ended ??= released(this.#place);
    });
  }

  /** A failure here is no news: the next one who asks is told. */
  #keepAlive(): void {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    this.assertHeld()
      .catch(() => undefined)
      .finally(() => {
        this.#isRenewing = false;
      });
  }

  #inTurn(write: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(write);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #write(write: (lease: LeaseObject) => Promise<LeaseObject>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      if (this.#ended) throw this.#ended;
      try {
        this.#lease = await write(this.#lease);
        return;
      } catch (error) {
        if (!isConflict(error)) throw error;
        const found = await readLease(this.#place);
        if (!found || !isHeldBy(found, this.#run)) throw this.#lose(found, error);
        // A label of somebody else's, or an own renewal whose answer came too late.
        if (attempt >= attempts) throw error;
        this.#lease = found;
      }
    }
  }

  #lose(found: LeaseObject | undefined, cause: unknown): DaprMtlsError {
    clearInterval(this.#timer);
    this.#ended = lost(this.#place, found, cause);
    return this.#ended;
  }
}

function lost({ namespace }: LeasePlace, found: LeaseObject | undefined, cause: unknown): DaprMtlsError {
  const holder = found && holderOf(found);
  const how = holder
    ? `"${holder.purpose}" (${holder.name}) has taken this run for dead and taken over`
    : `somebody has taken the lock, Lease ${namespace}/${leaseName}, away from this run`;
  return new DaprMtlsError('store.locked', {
    message: `${how}; this one stops`,
    hint: 'See who is at work and how far: `dapr-mtls rotate status -k`; `dapr-mtls rotate run -k` goes on.',
    cause,
  });
}

function released({ namespace }: LeasePlace): DaprMtlsError {
  return new DaprMtlsError('store.locked', {
    message: `the lock, Lease ${namespace}/${leaseName}, has been released by this run`,
    hint: 'Run the command again: `dapr-mtls rotate run -k` goes on.',
  });
}
