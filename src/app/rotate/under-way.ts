import { DaprMtlsError } from '../../errors.ts';
import type { FoundFiles } from '../../store/port.ts';
import type { RotationStore } from '../../store/rotation-port.ts';
import { liveStage } from './live-stage.ts';
import { currentPhase, decodeRecord, type RotationRecord } from './record.ts';
import { isStage, readStages } from './stage-record.ts';

/**
 * Why another command may not change the bundle now: each step of a rotation builds on the one
 * before, and finds the bundle as it left it or stops.
 * @param way the flag, with a space before it, that leads a command to the store
 * @param files what the change leads to: to bring the recorded bundle back mends a rotation that has stopped
 * @returns undefined where no rotation is under way
 * @throws DaprMtlsError `store.damaged` for a record that cannot be read, `cluster.*`
 */
export async function whyRotating(
  store: Pick<RotationStore, 'read'>,
  way: string,
  files?: FoundFiles,
): Promise<DaprMtlsError | undefined> {
  const saved = await store.read();
  const record = saved && decodeRecord(saved.content, saved.place);
  if (record?.state !== 'running' || (files && isRecorded(record, files))) return undefined;
  const phase = currentPhase(record)?.name;
  return new DaprMtlsError('rotation.running', {
    message: `a rotation is under way, begun ${record.startedAt} by ${record.startedBy}${phase ? `, in its phase ${phase}` : ''}; nothing was written`,
    hint: `Go on with it (\`dapr-mtls rotate run${way}\`) or undo it (\`dapr-mtls rotate undo${way}\`), then run this command again.`,
  });
}

/** The bundle that has to stand there, or the one whose write has begun. */
function isRecorded(record: RotationRecord, files: FoundFiles): boolean {
  const phase = currentPhase(record);
  const names = [liveStage(record), phase?.status === 'begun' ? phase.writes : undefined];
  const stages = readStages(record);
  return names.some((name) => {
    const stage = name && stages[name];
    return stage !== undefined && isStage(stage, files);
  });
}
