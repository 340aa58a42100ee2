import { DaprMtlsError } from '../../errors.ts';
import type { RotationStore } from '../../store/rotation-port.ts';
import { parseRecord } from './record.ts';

/**
 * Puts a record that this version cannot read out of everybody's way, under a number beside it: it may be a newer
 * version's, and keys are in it, so nothing of it is thrown away. The bundle is left alone.
 * @returns where it lies now
 * @throws DaprMtlsError `store.conflict` where it has come to be read, or gone, meanwhile; `store.locked`
 */
export async function setRecordAside(rotations: RotationStore, purpose: string, lockWaitMs: number): Promise<string> {
  const lock = await rotations.lock(purpose, lockWaitMs);
  try {
    const saved = await lock.read();
    if (!saved || parseRecord(saved.content)) throw changedMeanwhile();
    return await lock.setAside();
  } finally {
    await lock.release();
  }
}

function changedMeanwhile(): DaprMtlsError {
  return new DaprMtlsError('store.conflict', {
    message: 'the record of the rotation was changed by somebody else since you were asked; nothing was written',
    hint: 'Run the command again: it looks at what stands there now.',
  });
}
