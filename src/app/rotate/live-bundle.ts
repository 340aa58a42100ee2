import { DaprMtlsError } from '../../errors.ts';
import type { BundleFiles } from '../../pki/bundle.ts';
import type { FoundFiles } from '../../store/port.ts';
import type { RotationLock } from '../../store/rotation-port.ts';
import { diverged } from './divergence.ts';
import { readAnchors } from './held-anchors.ts';
import { liveStage } from './live-stage.ts';
import type { OpenedStages } from './opened-stages.ts';
import type { RotationPorts } from './ports.ts';
import { isWayBack, type PhaseRecord, type RotationRecord, type StageName } from './record.ts';
import { isPublishing, isUnited } from './sides.ts';
import { isStage } from './stage-record.ts';
import { stepsToward } from './steps.ts';

/** A rotation before the store of its bundle. */
export interface LiveBundle {
  readonly ports: Pick<RotationPorts, 'store' | 'passphrase' | 'wayToStore'>;
  readonly record: Pick<RotationRecord, 'phases'>;
  readonly stages: OpenedStages;
}

/**
 * The record and the store must tell the same: whatever else stands there, somebody else has put there.
 * @throws DaprMtlsError `rotation.diverged`, `store.mismatch`
 */
export async function assertLive(live: LiveBundle): Promise<void> {
  const { store } = live.ports;
  assertIsLive(live, (await store.read()).files);
  // Where the two sides differ the next Sentry to start makes a root of its own.
  if (isPublishing(store)) await store.assertUnited();
}

function assertIsLive({ ports, record, stages: { sealed } }: LiveBundle, files: FoundFiles): void {
  const name = liveStage(record);
  const stage = sealed[name];
  // Without an old bundle that could be read there is nothing to compare with.
  if (!stage || isStage(stage, files)) return;
  throw diverged(sealed, files, name, ports.wayToStore);
}

/** Whether the bundle of a stage stands there, on both sides where there are two. */
export async function stands({ ports: { store }, stages }: LiveBundle, name: StageName): Promise<boolean> {
  const stage = stages.sealed[name];
  return stage !== undefined && isStage(stage, (await store.read()).files) && (await isUnited(store));
}

/**
 * Whether the former bundle or already that of a stage stands there. Who applies Secret and ConfigMap does
 * so one after the other: half of it is no divergence yet.
 * @throws DaprMtlsError `rotation.diverged`
 */
export async function assertLiveOr(live: LiveBundle, name: StageName): Promise<void> {
  const { files } = await live.ports.store.read();
  const target = live.stages.sealed[name];
  if (!target || !isStage(target, files)) assertIsLive(live, files);
}

export interface Written {
  /** Where the former bundle was copied to. */
  readonly backup?: string | undefined;
  /** Whether somebody else had replaced it right after the write, so that it was put back. */
  readonly isRepaired?: boolean;
}

/**
 * Writes the bundle of a phase, or finds it there. Also finishes what a dead run left in the store.
 * @throws DaprMtlsError `rotation.diverged`, `store.*`
 */
export async function writeStage(
  live: LiveBundle,
  lock: Pick<RotationLock, 'assertHeld'>,
  phase: PhaseRecord,
  name: StageName,
): Promise<Written> {
  const { backup, replaced } = await apply(live, lock, phase, name);
  if (replaced) await repair(live, live.stages.files(name), replaced);
  return { backup, isRepaired: replaced !== undefined };
}

/** @returns what was thrown, too, where the new bundle did not stay */
async function apply(
  live: LiveBundle,
  lock: Pick<RotationLock, 'assertHeld'>,
  phase: PhaseRecord,
  name: StageName,
): Promise<{ readonly backup?: string | undefined; readonly replaced?: DaprMtlsError }> {
  const { store, passphrase } = live.ports;
  const purpose = `rotate ${isWayBack(phase) ? 'undo' : 'run'} (${phase.name})`;
  const session = await store.openForChange(purpose);
  try {
    const stored = await session.read();
    const target = live.stages.sealed[name];
    if (target && isStage(target, stored.files)) return {};
    assertIsLive(live, stored.files);
    const copy = await session.backUp({ reason: purpose, passphrase });
    await lock.assertHeld();
    const steps = stepsToward(stored.files, live.stages.files(name), store.location.kind);
    try {
      await session.apply({ steps, sideFiles: [] }, stored.revision);
    } catch (error) {
      if (!(error instanceof DaprMtlsError) || !isReplacement(error)) throw error;
      return { backup: copy?.path, replaced: error };
    }
    return { backup: copy?.path };
  } finally {
    await session.close();
  }
}

/**
 * A Sentry that had read one object before the write and the other after it has made a root of its own,
 * within the time that the store looks on. Nobody but who started in these seconds knows it.
 */
async function repair(live: LiveBundle, files: BundleFiles, error: DaprMtlsError): Promise<void> {
  const { store } = live.ports;
  if (!isPublishing(store) || !(await isForeign(live))) throw error;
  const session = await store.openForRepair('rotate run (repair)');
  try {
    await session.unite(files);
  } finally {
    await session.close();
  }
}

/** Whether not one of the anchors that stand there is known to the rotation. */
async function isForeign({ ports: { store }, stages }: LiveBundle): Promise<boolean> {
  const { anchors } = (await store.read()).files;
  if (!anchors) return true;
  const known = Object.values(stages.sealed).flatMap((stage) => stage.anchors);
  return !readAnchors(anchors).some(({ fingerprint }) => known.some((anchor) => anchor.fingerprint === fingerprint));
}

/** What only the look behind a write throws. */
function isReplacement({ code }: DaprMtlsError): boolean {
  return code === 'store.replaced' || code === 'store.mismatch';
}
