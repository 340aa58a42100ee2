import { DaprMtlsError } from '../../errors.ts';
import type { RotationLock } from '../../store/rotation-port.ts';
import type { Wait } from './gates/gate.ts';
import type { RotationPorts } from './ports.ts';
import { decodeRecord, type RotationRecord } from './record.ts';
import { Turn, type TurnOptions, type TurnOutcome } from './turn.ts';

export interface AdvanceOptions extends TurnOptions {
  /** Whether to stay until every gate has closed. */
  readonly wait: boolean;
  /** How long to wait for another run that is at work. */
  readonly lockWaitMs: number;
  readonly pollMs: number;
}

/**
 * ended: done or undone. until: the phase asked for has passed. waiting: at a gate. closed: outside of the
 * window.
 */
export type AdvanceEnd = 'ended' | 'until' | 'waiting' | 'closed';

export interface Advanced {
  readonly end: AdvanceEnd;
  readonly record: RotationRecord;
  readonly waits: readonly Wait[];
  /** When its window opens, where that is closed. */
  readonly opensAt?: Date;
}

/**
 * Goes on with the rotation that the record tells of, as far as it gets: each transition is saved before
 * the next thing is begun, so that it may stop anywhere and go on from anywhere. The lock is held while
 * something is done, and let go while a gate is waited for: a human may confirm or undo meanwhile.
 * @throws DaprMtlsError `rotation.missing`, `rotation.diverged`, `rotation.unsafe`, `store.*`, `rollout.failed`
 */
export async function advanceRotation(given: RotationPorts, options: AdvanceOptions): Promise<Advanced> {
  const ports = { ...given, onProgress: remarkOnce(given.onProgress) };
  let id: string | undefined;
  for (;;) {
    ports.assertRunning();
    const { outcome, record } = await takeTurn(ports, options, id);
    id = record.id;
    if (outcome.kind === 'stopped') return { end: outcome.end, record, waits: [] };
    if (outcome.kind === 'closed') {
      ports.onProgress({ kind: 'closed', until: outcome.until });
      if (!options.wait) return { end: 'closed', record, waits: [], opensAt: outcome.until };
    } else {
      ports.onProgress({ kind: 'waiting', phase: outcome.phase, waits: outcome.waits });
      if (!options.wait) return { end: 'waiting', record, waits: outcome.waits };
    }
    await ports.clock.sleep(untilNextLook(outcome, ports.clock.now(), options));
  }
}

/** Gates are looked at every few seconds, and find the same again. */
function remarkOnce(onProgress: RotationPorts['onProgress']): RotationPorts['onProgress'] {
  const told = new Set<string>();
  return (progress) => {
    if (progress.kind === 'remark') {
      if (told.has(progress.text)) return;
      told.add(progress.text);
    }
    onProgress(progress);
  };
}

/** In milliseconds: a wait that ends by itself is not slept over. */
function untilNextLook(
  outcome: Exclude<TurnOutcome, { kind: 'stopped' }>,
  now: Date,
  { pollMs }: Pick<AdvanceOptions, 'pollMs'>,
): number {
  const ends = outcome.kind === 'closed' ? [outcome.until] : outcome.waits.flatMap(({ until }) => until ?? []);
  // One that has passed by this clock and not by the API server's must not make this loop spin.
  const left = ends.map((end) => end.getTime() - now.getTime()).filter((ms) => ms > 0);
  return Math.min(pollMs, ...left);
}

/** All that can be done without waiting, under the lock. */
async function takeTurn(
  ports: RotationPorts,
  options: AdvanceOptions,
  id: string | undefined,
): Promise<{ readonly outcome: TurnOutcome; readonly record: RotationRecord }> {
  const lock = await ports.rotations.lock('rotate run', options.lockWaitMs);
  try {
    const turn = new Turn(ports, lock, await readRunning(lock, id, ports.wayToStore));
    const outcome = await turn.run(options);
    return { outcome, record: turn.record };
  } finally {
    await lock.release();
  }
}

/** @throws DaprMtlsError `rotation.missing`, also where another rotation has taken the place of this one */
async function readRunning(lock: RotationLock, id: string | undefined, wayToStore: string): Promise<RotationRecord> {
  const saved = await lock.read();
  const record = saved && decodeRecord(saved.content, saved.place);
  if (record && (id === undefined || record.id === id)) return record;
  throw new DaprMtlsError('rotation.missing', {
    message: record ? 'another rotation has begun meanwhile' : 'there is no rotation to go on with',
    hint: `See what there is: \`dapr-mtls rotate status${wayToStore}\`. Begin one: \`dapr-mtls rotate plan${wayToStore}\`, then \`dapr-mtls rotate run${wayToStore}\`.`,
  });
}
