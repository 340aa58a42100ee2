import type { Certificate } from '../../../pki/certificate.ts';
import type { PhaseRecord, RotationRecord } from '../record.ts';
import type { Stage } from '../stages.ts';
import type { Sidecar, World } from '../world.ts';

/** What a gate waits for, and what people can do about it. */
export interface Wait {
  readonly what: string;
  readonly mend: string;
  /** When it ends by itself; undefined where it does not. */
  readonly until: Date | undefined;
}

export interface GateVerdict {
  readonly evidence: readonly string[];
  /** Empty: the gate closes. */
  readonly waits: readonly Wait[];
}

export interface GateContext {
  readonly record: Pick<RotationRecord, 'phases' | 'settings' | 'confirmations' | 'skipped'>;
  readonly phase: PhaseRecord;
  /** The bundle that stands in the store. */
  readonly live: Stage;
  /** SHA-256 of the anchors that every verifier has to hold. */
  readonly needed: readonly string[];
  readonly world: World;
  /** ` -k`, or nothing. */
  readonly wayToStore: string;
}

/**
 * From when on whoever starts is of the new world: for a phase that writes, since the write; for one
 * that does not, since every Sentry signed with the issuer of today.
 */
export function sinceOf(phase: PhaseRecord, phases: readonly PhaseRecord[]): Date {
  const switched = phase.writes ? undefined : lastSwitch(phase, phases);
  const instant = switched?.passedAt ?? phase.writtenAt;
  if (instant === undefined) throw new Error('a phase that was not begun has no beginning');
  return new Date(instant);
}

/** The phase by whose end no Sentry signed with another issuer any more. */
export function lastSwitch(phase: PhaseRecord, phases: readonly PhaseRecord[]): PhaseRecord | undefined {
  const index = phases.findIndex(({ name }) => name === phase.name);
  return phases
    .slice(0, index)
    .findLast(({ gates, status }) => gates.includes('issuer-switched') && status === 'passed');
}

export function isSkipped({ namespace, workload }: Sidecar, skipped: RotationRecord['skipped']): boolean {
  return skipped.some((entry) => entry.workload === `${namespace}/${workload.name}`);
}

export function fingerprintOf({ fingerprint }: Certificate): string {
  return fingerprint;
}

export function join(verdicts: readonly GateVerdict[]): GateVerdict {
  return {
    evidence: verdicts.flatMap(({ evidence }) => evidence),
    waits: verdicts.flatMap(({ waits }) => waits),
  };
}
