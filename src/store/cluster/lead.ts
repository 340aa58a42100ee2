import { DaprMtlsError, type ErrorCode } from '../../errors.ts';
import { isConflict } from './conflict.ts';
import {
  durationMs,
  freeLease,
  holderOf,
  isHeldBy,
  type LeaseObject,
  type LeasePlace,
  type LeaseRun,
  readLease,
  renewLease,
  takeLease,
} from './lease.ts';

export interface LeadOptions {
  readonly now: () => Date;
  /** Milliseconds of a clock that nobody sets. */
  readonly elapsedMs: () => number;
  /** Ends early where the signal is given. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** From 0 up to 1: replicas that were started together must not ask together. */
  readonly random: () => number;
}

export interface Lead {
  /** Held, and renewed so lately that nobody else can have taken it. */
  readonly leads: boolean;
  /** Seeks the lead and keeps it until the signal, then gives it up. */
  run(listener: LeadListener, signal: AbortSignal): Promise<void>;
}

export interface LeadListener {
  changed(leads: boolean): void;
  /** Another one holds it: told at the beginning, and again after a trouble. */
  waits(holder: string): void;
  /** It can be neither taken nor renewed: told once for each code, until the Lease is read or written again. */
  troubled(error: DaprMtlsError): void;
}

/** As client-go's leader election has it: 15 s, renewed within 10 s, tried every 2 s and a bit. */
export const leadLeaseMs = 15_000;
const renewWithinMs = 10_000;
const retryMs = 2_000;
/** Who wants the lease waits longer than who has it. */
const jitter = { holder: 0.2, others: 1.2 };
/** Its requests have time limits of their own, an hour at most. */
const longestAttemptMs = 2 * 3_600_000;
/** For giving it up: who ends is not to be waited for, and a lease that stays is taken over. */
const farewellMs = 700;

/**
 * One of several replicas leads: who holds the Lease. Another one takes it over when it has *seen* it
 * stand still for as long as it lasts; clocks are never compared, and each write is on exactly the
 * state that was read. A leader that could not renew it in time stops leading before anybody else can
 * begin. A server that is away, and a right that is missing, are waited for and told of.
 */
export function openLead(place: LeasePlace, run: LeaseRun, { now, elapsedMs, sleep, random }: LeadOptions): Lead {
  let held: LeaseObject | undefined;
  /** When the last renewal that went well was begun. */
  let renewedAtMs: number | undefined;
  let seen: { readonly version: string | undefined; readonly atMs: number } | undefined;
  let failed: DaprMtlsError | undefined;
  /** Of the Lease as it was read last. */
  let holder: string | undefined;

  const restMs = () => (renewedAtMs === undefined ? 0 : renewedAtMs + renewWithinMs - elapsedMs());

  async function attempt(): Promise<void> {
    const startedMs = elapsedMs();
    try {
      held = await takeOrRenew();
      renewedAtMs = held && startedMs;
      failed = undefined;
    } catch (error) {
      if (!(error instanceof DaprMtlsError)) throw error;
      // Anything else may pass while the lease still lasts.
      if (isConflict(error)) held = renewedAtMs = failed = undefined;
      else failed = error;
    }
  }

  async function takeOrRenew(): Promise<LeaseObject | undefined> {
    if (held) {
      try {
        return await renewLease(place, held, run, now());
      } catch (error) {
        // Somebody else's, or an own renewal whose answer came too late.
        if (!isConflict(error)) throw error;
      }
    }
    const lease = await readLease(place);
    holder = lease && holderOf(lease)?.name;
    if (lease && isHeldBy(lease, run)) return renewLease(place, lease, run, now());
    if (lease && holderOf(lease) && !hasStoodStill(lease)) return undefined;
    return takeLease(place, lease, run, now());
  }

  function hasStoodStill(lease: LeaseObject): boolean {
    const version = lease.metadata.resourceVersion;
    if (!seen || seen.version !== version) seen = { version, atMs: elapsedMs() };
    return elapsedMs() - seen.atMs >= durationMs(lease, run);
  }

  async function giveUp(attempting: Promise<void>): Promise<void> {
    await attempting;
    if (held) await freeLease(place, held, now()).catch(letPass);
  }

  return {
    get leads() {
      return restMs() > 0;
    },
    run: async (listener, signal) => {
      let told = false;
      const tell = () => {
        if (restMs() > 0 === told) return;
        told = !told;
        listener.changed(told);
      };
      const explain = openExplaining(listener);
      let attempting = Promise.resolve();
      while (!signal.aborted) {
        attempting = attempt();
        // An answer that does not come must not keep a leader from learning that it leads no more.
        if (restMs() > 0) await firstOf(attempting, restMs(), sleep, signal);
        tell();
        await firstOf(attempting, longestAttemptMs, sleep, signal);
        tell();
        if (!signal.aborted) explain(told, failed, holder);
        await sleep(retryMs * (1 + random() * (held ? jitter.holder : jitter.others)), signal);
        tell();
      }
      await firstOf(giveUp(attempting), farewellMs, sleep);
      held = renewedAtMs = undefined;
      tell();
    },
  };
}

/** Why a replica does not lead. Who still does, although a renewal has failed, has nothing to explain. */
function openExplaining({ waits, troubled }: LeadListener) {
  const codes = new Set<ErrorCode>();
  let isClear = false;
  return (leads: boolean, failed: DaprMtlsError | undefined, holder: string | undefined): void => {
    if (failed) {
      if (leads || codes.has(failed.code)) return;
      codes.add(failed.code);
      isClear = false;
      troubled(failed);
      return;
    }
    codes.clear();
    if (isClear || (!leads && holder === undefined)) return;
    isClear = true;
    if (!leads && holder !== undefined) waits(holder);
  };
}

/** Waits for work: not longer than told, and not beyond the signal. */
async function firstOf(
  work: Promise<void>,
  longestMs: number,
  sleep: LeadOptions['sleep'],
  signal?: AbortSignal,
): Promise<void> {
  const done = new AbortController();
  const stop = () => done.abort();
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  try {
    await Promise.race([work, sleep(longestMs, done.signal)]);
  } finally {
    signal?.removeEventListener('abort', stop);
    stop();
  }
}

function letPass(error: unknown): void {
  if (!(error instanceof DaprMtlsError)) throw error;
}
