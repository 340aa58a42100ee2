import { DaprMtlsError } from '../../errors.ts';
import type { StoreLocation } from '../../store/port.ts';
import type { RotationStore } from '../../store/rotation-port.ts';
import { wayToStore } from '../way-to-store.ts';
import { currentPhase, decodeRecord } from './record.ts';

/**
 * Why another command may not change the bundle now: each step of a rotation builds on the one
 * before, and finds the bundle as it left it or stops.
 * @returns undefined where no rotation is under way
 * @throws DaprMtlsError `store.damaged` for a record that cannot be read, `cluster.*`
 */
export async function whyRotating(
  store: Pick<RotationStore, 'read'>,
  { kind }: Pick<StoreLocation, 'kind'>,
): Promise<DaprMtlsError | undefined> {
  const saved = await store.read();
  const record = saved && decodeRecord(saved.content);
  if (record?.state !== 'running') return undefined;
  const phase = currentPhase(record)?.name;
  const way = wayToStore({ kind });
  return new DaprMtlsError('rotation.running', {
    message: `a rotation is under way, begun ${record.startedAt} by ${record.startedBy}${phase ? `, in its phase ${phase}` : ''}; nothing was written`,
    hint: `Go on with it (\`dapr-mtls rotate run${way}\`) or undo it (\`dapr-mtls rotate undo${way}\`), then run this command again.`,
  });
}
