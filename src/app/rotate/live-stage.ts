import type { RotationRecord, StageName } from './record.ts';
import { readStages } from './stage-record.ts';
import type { Stages } from './stages.ts';

/** The bundle that stands in the store, as far as the record knows: that of the last phase that wrote. */
export function liveStage({ phases }: Pick<RotationRecord, 'phases'>): StageName {
  const written = phases.findLast(
    ({ writes, status, writtenAt }) => writes !== undefined && writtenAt !== undefined && status !== 'due',
  );
  return written?.writes ?? 'before';
}

/** SHA-256 of the anchors without which a verifier is lost when the rotation goes on. */
export function neededAnchors(
  record: Pick<RotationRecord, 'procedure' | 'stages'>,
  stages: Stages = readStages(record),
): string[] {
  if (record.procedure === 'same-root') return [];
  return (stages.after?.anchors ?? []).map(({ fingerprint }) => fingerprint);
}
