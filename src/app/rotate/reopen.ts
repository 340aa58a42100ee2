import { liveStage } from './live-stage.ts';
import { currentPhase, type PhaseName, type PhaseRecord, type RotationRecord, type StageName } from './record.ts';

/** What of a record has to be proved anew when its bundle is put back. */
export interface Reopened {
  /** The bundle to be put back. */
  readonly stage: StageName;
  /** Whose gates count no more. */
  readonly phases: readonly PhaseName[];
  /** In which the phase that wrote it has begun again. Until that is written, the record tells of the one before. */
  readonly record: RotationRecord;
}

/**
 * Whoever has started under a bundle of somebody else's holds, shows and signs what nobody has proved. So the
 * phase that wrote the bundle begins again, and what came behind it is due again: evidence, confirmations and
 * moments of before count no more. A phase whose write had begun goes on to its own bundle. Pure.
 */
export function reopenPhases(record: RotationRecord): Reopened {
  const { phases } = record;
  const first = findWriter(phases);
  const stage = phases[first]?.writes ?? 'before';
  const isReopened = ({ status }: PhaseRecord, index: number) =>
    index >= first && status !== 'due' && status !== 'abandoned';
  const reopened = phases.filter(isReopened).map(({ name }) => name);
  return {
    stage,
    phases: reopened,
    record: {
      ...record,
      phases: phases.map((phase, index) =>
        isReopened(phase, index) ? anew(phase, index === first ? 'begun' : 'due') : phase,
      ),
      confirmations: record.confirmations.filter(({ phase }) => !reopened.includes(phase)),
    },
  };
}

/** The index of the phase whose bundle it is; -1 where that is the one of before. */
function findWriter(phases: readonly PhaseRecord[]): number {
  const current = currentPhase({ phases });
  // What was handed out may still be applied, or never: the bundle of before is what was proved.
  if (current?.status === 'begun' && !current.handedOut) return phases.indexOf(current);
  const live = liveStage({ phases });
  return phases.findLastIndex(({ writes, writtenAt }) => writes === live && writtenAt !== undefined);
}

function anew({ handedOut: _, ...phase }: PhaseRecord, status: 'begun' | 'due'): PhaseRecord {
  return {
    ...phase,
    status,
    writtenAt: undefined,
    restartedAt: undefined,
    passedAt: undefined,
    evidence: [],
  };
}
