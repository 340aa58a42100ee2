import type { FoundFiles, StoredBundle, StoreLocation } from '../../store/port.ts';
import type { RotationHolder } from '../../store/rotation-port.ts';
import { type CertificateChange, describeChanges } from '../renew/report.ts';
import { type Document, describeStore, document, formatInstant, type StoreReport } from '../report.ts';
import { describeRootKey, type RootKeyReport, type RootKeyWish } from '../root-key.ts';
import type { AdvanceEnd } from './advance.ts';
import { describeGate, describeRestarts, describeWrite, notPromised } from './describe-phase.ts';
import { estimateMs } from './estimate.ts';
import type { Wait } from './gates/gate.ts';
import type { RotationPlan } from './plan.ts';
import type {
  Confirmation,
  Drain,
  PhaseName,
  PhaseStatus,
  Procedure,
  RotationEvent,
  RotationRecord,
  RotationSettings,
  RotationState,
  SkippedWorkload,
} from './record.ts';
import { warnOfUnknownWorkloads } from './unknown-workloads.ts';
import type { World } from './world.ts';

export interface RotationPlanReport extends Document<'RotationPlan'> {
  readonly store: StoreReport;
  readonly procedure: Procedure;
  /** Why calls fail now; null where they work. */
  readonly emergency: string | null;
  readonly reasons: readonly string[];
  readonly warnings: readonly string[];
  readonly drain: Drain;
  readonly phases: readonly PhasePlan[];
  readonly pairs: readonly PairReport[];
  /** Workloads that verify nobody already. */
  readonly cutOff: readonly string[];
  /** When the first certificate ends that somebody needs on the way. */
  readonly deadline: string | null;
  readonly changes: readonly CertificateChange[];
  readonly rootKey: RootKeyReport | null;
  readonly notPromised: readonly string[];
}

export interface PhasePlan {
  readonly name: PhaseName;
  /** What is written; null where nothing is. */
  readonly writes: string | null;
  readonly restarts: readonly string[];
  readonly waitsFor: readonly string[];
  readonly estimatedSeconds: number;
  /** How many pairs were verified for it, and how many of them do not verify. */
  readonly pairs: number;
  readonly broken: number;
}

export interface PairReport {
  readonly phase: PhaseName;
  readonly holder: string;
  readonly workloads: readonly string[];
  readonly shown: string;
  readonly verifies: boolean;
  readonly reason: string;
  readonly until: string | null;
}

export interface PlanContext {
  readonly stored: StoredBundle;
  readonly location: StoreLocation;
  readonly world: Pick<World, 'sidecars' | 'services'>;
  readonly settings: Pick<RotationSettings, 'workloadCertTtlMs' | 'allowedClockSkewMs'>;
  readonly rootKey: RootKeyWish | undefined;
  /** NAMESPACE/NAME, as they were typed. */
  readonly skipped: readonly string[];
  readonly now: Date;
}

export function reportPlan(plan: RotationPlan, context: PlanContext): RotationPlanReport {
  const { stored, location, world, settings, rootKey, skipped, now } = context;
  const { procedure, phases, proof, material } = plan;
  const { after } = material.stages;
  const final: FoundFiles = after?.files ?? stored.files;
  return document('RotationPlan', {
    store: describeStore(location, stored),
    procedure,
    emergency: plan.emergency ?? null,
    reasons: plan.reasons,
    warnings: [...plan.warnings, ...warnOfUnknownWorkloads(skipped, world)],
    drain: plan.drain,
    phases: phases.map((phase, index): PhasePlan => {
      const pairs = proof.pairs.filter((pair) => pair.phase === phase.name);
      // Who was re-created since the switch has no old certificate to wait for.
      const isDrained =
        phase.restarts.includes('applications') ||
        phases.slice(0, index).some(({ name, writes }) => name === 'distribute' && writes === undefined);
      return {
        name: phase.name,
        writes: describeWrite(phase, procedure) ?? null,
        restarts: describeRestarts(phase.restarts, location.kind),
        waitsFor: phase.gates.map(describeGate),
        estimatedSeconds: Math.round(estimateMs(phase, world, settings, isDrained) / 1000),
        pairs: pairs.length,
        broken: pairs.filter(({ verifies }) => !verifies).length,
      };
    }),
    pairs: proof.pairs.map(({ phase, holder, workloads, shown, verifies, reason, until }) => ({
      phase,
      holder,
      workloads,
      shown,
      verifies,
      reason,
      until: until ? formatInstant(until) : null,
    })),
    cutOff: proof.cutOff,
    deadline: proof.deadline ? formatInstant(proof.deadline) : null,
    changes: describeChanges(stored.files, final, location, now),
    rootKey: material.newRootKey ? describeRootKey(rootKey) : null,
    notPromised,
  });
}

export interface RotationReport extends Document<'Rotation'> {
  readonly store: Omit<StoreReport, 'state'>;
  /** none: no rotation was ever begun here. */
  readonly state: RotationState | 'none';
  /** How this run ended; null for one that only looked. */
  readonly end: AdvanceEnd | null;
  /** When the window opens outside of which this run ended; else null. */
  readonly opensAt: string | null;
  readonly procedure: Procedure | null;
  readonly reasons: readonly string[];
  readonly startedAt: string | null;
  readonly startedBy: string | null;
  readonly encrypted: boolean;
  readonly phases: readonly PhaseReport[];
  readonly waits: readonly WaitReport[];
  /** Who is at work on it this moment; null where nobody is, or that is not known. */
  readonly holder: HolderReport | null;
  readonly confirmations: readonly Confirmation[];
  readonly skipped: readonly SkippedWorkload[];
  readonly history: readonly RotationEvent[];
  readonly remarks: readonly string[];
}

export interface HolderReport {
  readonly name: string;
  readonly purpose: string;
  readonly since: string;
  /** Its last sign of life, by its own clock; null where it gives none. One that has died is named, too. */
  readonly seenAt: string | null;
}

export interface PhaseReport {
  readonly name: PhaseName;
  readonly status: PhaseStatus;
  /** Who keeps the objects was asked to write it. */
  readonly handedOut: boolean;
  readonly writtenAt: string | null;
  readonly restartedAt: string | null;
  readonly passedAt: string | null;
  readonly waitsFor: readonly string[];
  readonly evidence: readonly string[];
}

export interface WaitReport {
  readonly what: string;
  readonly mend: string;
  readonly until: string | null;
}

/** What of a run is told beside the record. */
export interface RunFacts {
  readonly end: AdvanceEnd | undefined;
  readonly opensAt?: Date | undefined;
  readonly waits: readonly Wait[];
  readonly holder: RotationHolder | undefined;
  readonly remarks: readonly string[];
}

/** Never a key: of the stages nothing is told but what stands in the history. */
export function reportRotation(
  { kind, name }: StoreLocation,
  record: RotationRecord | undefined,
  { end, opensAt, waits, holder, remarks }: RunFacts,
): RotationReport {
  return document('Rotation', {
    store: { kind, name },
    state: record?.state ?? ('none' as const),
    end: end ?? null,
    opensAt: opensAt ? formatInstant(opensAt) : null,
    procedure: record?.procedure ?? null,
    reasons: record?.reasons ?? [],
    startedAt: toInstant(record?.startedAt),
    startedBy: record?.startedBy ?? null,
    encrypted: record?.encrypted ?? false,
    phases: (record?.phases ?? []).map((phase) => ({
      name: phase.name,
      status: phase.status,
      handedOut: phase.handedOut ?? false,
      writtenAt: toInstant(phase.writtenAt),
      restartedAt: toInstant(phase.restartedAt),
      passedAt: toInstant(phase.passedAt),
      waitsFor: phase.gates.map(describeGate),
      evidence: phase.evidence,
    })),
    waits: waits.map(({ what, mend, until }) => ({ what, mend, until: until ? formatInstant(until) : null })),
    holder: holder ? describeHolder(holder) : null,
    confirmations: (record?.confirmations ?? []).map(inWholeSeconds),
    skipped: (record?.skipped ?? []).map(inWholeSeconds),
    history: (record?.history ?? []).map(inWholeSeconds),
    remarks,
  });
}

function toInstant(recorded: string | undefined): string | null {
  return recorded === undefined ? null : formatInstant(new Date(recorded));
}

/** Documents tell instants in whole seconds. */
function inWholeSeconds<Entry extends { readonly at: string }>(entry: Entry): Entry {
  return { ...entry, at: formatInstant(new Date(entry.at)) };
}

function describeHolder({ name, purpose, since, seenAt }: RotationHolder): HolderReport {
  return { name, purpose, since: formatInstant(since), seenAt: seenAt ? formatInstant(seenAt) : null };
}

/** 8 while a gate is waited for, or the window is closed: the rotation is not at its end. */
export function exitCodeOfRotation({ end }: Pick<RotationReport, 'end'>): number {
  return end === 'waiting' || end === 'closed' ? 8 : 0;
}
