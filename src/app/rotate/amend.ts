import { DaprMtlsError } from '../../errors.ts';
import type { RotationStore } from '../../store/rotation-port.ts';
import { whoDrains } from './phases.ts';
import {
  type Confirmable,
  currentPhase,
  type Drain,
  decodeRecord,
  encodeRecord,
  type RotationRecord,
} from './record.ts';

/** Who says something, and when. */
export interface Voice {
  readonly who: string;
  readonly now: Date;
  /** ` -k` or ` --dir DIR`, for the mend of an error. */
  readonly wayToStore?: string;
}

/**
 * Changes the record of a rotation that is under way, as it is at that moment.
 * @param change gives the same record back where nothing is to be changed
 * @throws DaprMtlsError `rotation.missing`, `store.locked`, `store.conflict`
 */
export async function amendRotation(
  rotations: RotationStore,
  purpose: string,
  change: (record: RotationRecord) => RotationRecord | Promise<RotationRecord>,
  lockWaitMs: number,
  wayToStore = '',
): Promise<RotationRecord> {
  const lock = await rotations.lock(purpose, lockWaitMs);
  try {
    const saved = await lock.read();
    if (!saved) throw noRotation(wayToStore);
    const record = decodeRecord(saved.content, saved.place);
    const next = await change(record);
    if (next !== record) await lock.save(encodeRecord(next));
    return next;
  } finally {
    await lock.release();
  }
}

/** A human vouches for what no evidence can be had of; it counts for the phase under way alone. */
export function confirm(
  record: RotationRecord,
  what: Confirmable,
  { who, now, wayToStore = '' }: Voice,
): RotationRecord {
  const phase = currentPhase(record);
  if (record.state !== 'running' || !phase) throw noRotation(wayToStore);
  if (phase.status !== 'written' && !isAskedBefore(what, record)) throw tooEarly(what, phase.name, wayToStore);
  const at = now.toISOString();
  return {
    ...record,
    confirmations: [...record.confirmations, { what, phase: phase.name, by: who, at }],
    history: [...record.history, { at, by: who, what: `confirmed ${what} in ${phase.name}` }],
  };
}

/** Clients that came in the middle are asked for before the next phase is begun, unless its own gate does. */
function isAskedBefore(what: Confirmable, record: RotationRecord): boolean {
  const isLate = what === 'external-clients' && record.settings.externalClientsSince !== undefined;
  return isLate && currentPhase(record)?.gates.includes('verifiers-updated') === false;
}

/** @param workloads NAMESPACE/NAME; those that are skipped already change nothing */
export function skipWorkloads(
  record: RotationRecord,
  workloads: readonly string[],
  { who, now }: Voice,
): RotationRecord {
  const added = workloads.filter((workload) => !record.skipped.some((entry) => entry.workload === workload));
  if (added.length === 0 || record.state !== 'running') return record;
  const at = now.toISOString();
  return {
    ...record,
    skipped: [...record.skipped, ...added.map((workload) => ({ workload, by: who, at }))],
    history: [...record.history, { at, by: who, what: `answers for ${added.join(', ')}` }],
  };
}

/**
 * How the certificates of the other issuer go, said anew: while they are waited for everybody verifies
 * both, so that a restart harms nobody, and neither does patience.
 */
export function changeDrain(record: RotationRecord, drain: Drain, { who, now }: Voice): RotationRecord {
  if (record.state !== 'running' || record.settings.drain === drain) return record;
  const at = now.toISOString();
  return {
    ...record,
    settings: { ...record.settings, drain },
    phases: record.phases.map((phase) => {
      const isOver = phase.status === 'passed' || phase.status === 'abandoned';
      return isOver || !phase.gates.includes('old-leaves-gone') ? phase : { ...phase, restarts: whoDrains(drain) };
    }),
    history: [...record.history, { at, by: who, what: `chose to drain by ${drain}` }],
  };
}

function noRotation(wayToStore: string): DaprMtlsError {
  return new DaprMtlsError('rotation.missing', {
    message: 'no rotation is under way',
    hint: `See what there was: \`dapr-mtls rotate status${wayToStore}\`. Begin one: \`dapr-mtls rotate plan${wayToStore}\`, then \`dapr-mtls rotate run${wayToStore}\`.`,
  });
}

/** What was confirmed before its phase began would be said of another bundle. */
function tooEarly(what: Confirmable, phase: string, wayToStore: string): DaprMtlsError {
  return new DaprMtlsError('rotation.missing', {
    message: `the phase ${phase} waits for nothing yet, so ${what} cannot be confirmed`,
    hint: `Go on first: \`dapr-mtls rotate run${wayToStore}\`; it says what it waits for.`,
  });
}
