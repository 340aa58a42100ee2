import { DaprMtlsError } from '../../errors.ts';
import type { RotationStoreOptions } from '../rotation-options.ts';
import type { RotationHolder } from '../rotation-port.ts';
import {
  durationMs,
  holderOf,
  type LeaseObject,
  type LeasePlace,
  type LeaseRun,
  readLease,
  takeLease,
} from './lease.ts';

export interface AcquiredLease {
  readonly lease: LeaseObject;
  /** From a holder that has died, or seems to have. */
  readonly isTakenOver: boolean;
}

/** Looks at another's lease so many times while it lasts. */
const looksPerLease = 15;

/**
 * As client-go's leader election has it: a lease is taken over when this run has seen it stand still
 * for as long as it lasts. What is counted is the own time slept, and never compared with a clock:
 * neither another machine's, nor this one's, which somebody may set meanwhile.
 * @param waitMs how long a living holder is waited for
 * @throws DaprMtlsError `store.locked` when the holder is seen to live after that time
 */
export async function acquireLease(
  place: LeasePlace,
  run: LeaseRun,
  waitMs: number,
  { now, sleep, assertRunning, onProgress, wayToStore }: RotationStoreOptions,
): Promise<AcquiredLease> {
  const stepMs = Math.max(1, Math.round(run.leaseMs / looksPerLease));
  let seenVersion: string | undefined;
  let stillMs = 0;
  let isAlive = false;
  let isBeaten = false;
  for (let waitedMs = 0; ; waitedMs += stepMs, stillMs += stepMs) {
    assertRunning();
    const lease = await readLease(place);
    const holder = lease && holderOf(lease);
    const version = lease?.metadata.resourceVersion;
    const hasMoved = isBeaten || (seenVersion !== undefined && version !== seenVersion);
    if (version !== seenVersion) stillMs = 0;
    seenVersion = version;

    const isDead = lease !== undefined && stillMs >= durationMs(lease, run);
    if (!holder || isDead) {
      const taken = await takeLease(place, lease, run, now());
      if (taken) {
        if (holder) onProgress({ kind: 'taken-over', holder });
        return { lease: taken, isTakenOver: holder !== undefined };
      }
      isBeaten = true;
      continue;
    }
    isAlive ||= hasMoved;
    isBeaten = false;
    if (hasMoved && waitedMs >= waitMs) throw lockedBy(holder, place, wayToStore);
    onProgress(
      isAlive
        ? { kind: 'waiting', holder, remainingMs: Math.max(0, waitMs - waitedMs) }
        : { kind: 'other-run', holder, remainingMs: durationMs(lease, run) - stillMs },
    );
    await sleep(stepMs);
  }
}

function lockedBy(
  { name, purpose, since }: RotationHolder,
  { namespace }: LeasePlace,
  wayToStore: string,
): DaprMtlsError {
  return new DaprMtlsError('store.locked', {
    message: `the rotation in ${namespace} is in the hands of "${purpose}" (${name}, since ${instant(since)})`,
    hint: `See how far it is: \`dapr-mtls rotate status${wayToStore}\`; with \`--wait\` this command waits for it.`,
  });
}

function instant(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'a time that is not told' : date.toISOString();
}
