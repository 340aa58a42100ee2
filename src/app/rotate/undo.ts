import { DaprMtlsError } from '../../errors.ts';
import { verifyLeafOf, whyNotSigned } from '../../pki/chain.ts';
import type { FoundFiles } from '../../store/port.ts';
import { describeHandOut } from './describe-phase.ts';
import { diverged } from './divergence.ts';
import { liveStage } from './live-stage.ts';
import { phasesBack } from './phases.ts';
import { currentPhase, isWayBack, type PhaseRecord, type RotationRecord, type StageName } from './record.ts';
import { isStage, readStages, withoutKeys } from './stage-record.ts';
import type { Stage } from './stages.ts';
import { wayOut } from './way-out.ts';

/**
 * Turns a rotation round, by the act that is right for its phase. Pure: what follows is carried out as
 * any other phase is, proofs and gates included.
 * @param files the bundle as it stands, which tells whether a write that was begun has happened
 * @throws DaprMtlsError `rotation.missing`, `rotation.unsafe`, `rotation.diverged`
 */
export function undoRotation(
  record: RotationRecord,
  files: FoundFiles,
  { who, now, wayToStore = '' }: { readonly who: string; readonly now: Date; readonly wayToStore?: string },
): RotationRecord {
  if (record.state !== 'running') throw nothingToUndo(record, wayToStore);
  if (isUndoing(record)) return record;
  const phases = settleBegun(record, files, wayToStore);
  const live = liveStage({ phases });
  if (live === 'after' && record.procedure !== 'same-root') throw tooLate(wayToStore);
  if (record.procedure === 'replace' && live !== 'before') throw tooLate(wayToStore);
  const kept = phases.filter(({ status }) => status !== 'due');
  if (live !== 'before' && isLapsed(readStages(record).before, now)) throw lapsed(hasSwitched(live), wayToStore);
  const back = live === 'before' ? [] : phasesBack(record.procedure, hasSwitched(live), record.settings.drain);
  const event = {
    at: now.toISOString(),
    by: who,
    what: [
      `undoes the rotation: ${back.length > 0 ? back.map(({ name }) => name).join(', ') : 'nothing had been written'}`,
      ...tellToWithdraw(record, files),
    ].join('. '),
  };
  const next: RotationRecord = {
    ...record,
    phases: [...kept.map(giveUp), ...back.map(toRecord)],
    history: [...record.history, event],
  };
  if (back.length > 0) return next;
  return { ...next, state: 'undone', rootKeyFile: undefined, stages: withoutKeys(record) };
}

/** Whether Sentry would exit on the old bundle, its key aside: then nothing leads back to it. */
function isLapsed(before: Stage | undefined, at: Date): boolean {
  if (!before) return false;
  const { anchors, issuerChain } = before;
  const isForeign = anchors.some((anchor) => whyNotSigned(anchor, anchor) !== undefined);
  return isForeign || !verifyLeafOf(issuerChain, { anchors, at, usage: 'serverAuth' }).ok;
}

function isUndoing({ phases }: Pick<RotationRecord, 'phases'>): boolean {
  return phases.some(isWayBack);
}

/**
 * Gives a rotation up and keeps the bundle that stands there, whoever wrote it: the way out where somebody
 * has put another one there that is to stay. Nothing is proved, and nothing but the record changes. Pure.
 * @throws DaprMtlsError `rotation.missing`
 */
export function abandonRotation(
  record: RotationRecord,
  { who, now, wayToStore = '' }: { readonly who: string; readonly now: Date; readonly wayToStore?: string },
): RotationRecord {
  if (record.state !== 'running') throw nothingToUndo(record, wayToStore);
  const phase = currentPhase(record)?.name;
  const what = `gave the rotation up${phase ? ` in ${phase}` : ''}; the bundle that stands there was kept`;
  return {
    ...record,
    state: 'abandoned',
    phases: record.phases.map(giveUp),
    rootKeyFile: undefined,
    stages: withoutKeys(record),
    history: [...record.history, { at: now.toISOString(), by: who, what }],
  };
}

/**
 * What was handed out to who keeps the objects and does not stand there may still be applied, long after the
 * rotation has gone another way. Pure.
 * @returns a sentence, or nothing
 */
export function tellToWithdraw(record: RotationRecord, files: FoundFiles): string[] {
  const phase = currentPhase(record);
  if (record.state !== 'running' || phase?.status !== 'begun' || !phase.handedOut) return [];
  const target = phase.writes && readStages(record)[phase.writes];
  if (target && isStage(target, files)) return [];
  const words = describeHandOut(phase.name, '');
  const where = record.history.findLast(({ what }) => what.startsWith(words))?.what.slice(words.length);
  return [
    `The bundle of ${phase.name} that was handed out${where ? ` in ${where}` : ''} must not be applied any more: withdraw that file, and revert its commit`,
  ];
}

/** A run may have died between its write and the record of it. */
function settleBegun(record: RotationRecord, files: FoundFiles, wayToStore: string): PhaseRecord[] {
  const stages = readStages(record);
  const phase = currentPhase(record);
  const stands = (name: StageName | undefined) => {
    const stage = name && stages[name];
    return stage !== undefined && isStage(stage, files);
  };
  // The old bundle of an emergency may be none that could be compared.
  const isUnwritten = stands(liveStage(record)) || stages[liveStage(record)] === undefined;
  if (phase?.status !== 'begun') {
    if (!isUnwritten) throw diverged(stages, files, liveStage(record), wayToStore);
    return [...record.phases];
  }
  const isWritten = stands(phase.writes);
  if (!isWritten && !isUnwritten) throw diverged(stages, files, liveStage(record), wayToStore);
  return record.phases.map((other) => {
    if (other.name !== phase.name) return other;
    return isWritten ? { ...other, status: 'written', writtenAt: record.startedAt } : { ...other, status: 'due' };
  });
}

function hasSwitched(live: StageName): boolean {
  return live === 'switched' || live === 'after';
}

function giveUp(phase: PhaseRecord): PhaseRecord {
  return phase.status === 'passed' ? phase : { ...phase, status: 'abandoned' };
}

function toRecord(phase: ReturnType<typeof phasesBack>[number]): PhaseRecord {
  return { ...phase, status: 'due', writtenAt: undefined, restartedAt: undefined, passedAt: undefined, evidence: [] };
}

function nothingToUndo({ state, procedure }: RotationRecord, wayToStore: string): DaprMtlsError {
  return new DaprMtlsError('rotation.missing', {
    message:
      state === 'undone'
        ? 'the rotation is undone already'
        : `the rotation has ${state === 'abandoned' ? 'been given up' : 'ended'}`,
    hint:
      state === 'undone' || state === 'abandoned'
        ? `See its history: \`dapr-mtls rotate status${wayToStore}\`.`
        : `The old ${procedure === 'same-root' ? 'issuer' : 'anchor'} has gone, and pods may hold the new one alone: only a new rotation leads back, \`dapr-mtls rotate plan${wayToStore}\`.`,
  });
}

function tooLate(wayToStore: string): DaprMtlsError {
  return new DaprMtlsError('rotation.unsafe', {
    message: 'the old anchors have gone already: going back would cut off who has started since',
    hint: `Go on to the end with \`dapr-mtls rotate run${wayToStore}\`. Only a new rotation leads back to another root.`,
  });
}

function lapsed(isSwitched: boolean, wayToStore: string): DaprMtlsError {
  return new DaprMtlsError('rotation.unsafe', {
    message: 'Sentry would not run on the old bundle any more, so that going back would lose every call',
    hint: isSwitched ? `Go on to the end with \`dapr-mtls rotate run${wayToStore}\`.` : wayOut(wayToStore),
  });
}
