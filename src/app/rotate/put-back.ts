import { DaprMtlsError } from '../../errors.ts';
import type { BundleFiles } from '../../pki/bundle.ts';
import { verifyLeafOf } from '../../pki/chain.ts';
import { bundleParts } from '../../pki/reading.ts';
import { whySentryRefuses } from '../../pki/sentry.ts';
import type { Backup, ChangeSession, FoundFiles } from '../../store/port.ts';
import type { RotationLock } from '../../store/rotation-port.ts';
import { describeFiles, describeStage } from './divergence.ts';
import { readAnchors } from './held-anchors.ts';
import type { RotationPorts } from './ports.ts';
import { decodeRecord, encodeRecord, type PhaseName, type RotationRecord, type StageName } from './record.ts';
import { type Reopened, reopenPhases } from './reopen.ts';
import { isPublishing, isUnited } from './sides.ts';
import { isStage, openStage, readStages } from './stage-record.ts';
import type { Stage } from './stages.ts';
import { stepsToward } from './steps.ts';
import { wayOut } from './way-out.ts';

type PutBackPorts = Pick<
  RotationPorts,
  'store' | 'rotations' | 'site' | 'clock' | 'who' | 'passphrase' | 'assertRunning' | 'wayToStore'
>;

/** What is overwritten, and by what. */
export interface PutBackPlan {
  /** Of the rotation. */
  readonly id: string;
  readonly stage: StageName;
  readonly files: BundleFiles;
  /** As it stands there. */
  readonly present: FoundFiles;
  /** Whose gates are proved again. */
  readonly phases: readonly PhaseName[];
  /** NAMESPACE/NAME of the workloads that verify nothing of the recorded bundle, and do not until they are restarted. */
  readonly cutOff: readonly string[];
}

const purpose = 'rotate run --put-back';

/**
 * What it would take to put the bundle that the record tells of back over the one of somebody else. Nothing is
 * written.
 * @returns undefined where it stands there
 * @throws DaprMtlsError `rotation.missing`, `store.damaged`, `key.passphrase`; `trust.refused` where Sentry would
 *   not run on it any more
 */
export async function planPutBack(record: RotationRecord, ports: PutBackPorts): Promise<PutBackPlan | undefined> {
  const { store, site, clock, wayToStore } = ports;
  if (record.state !== 'running') throw nothingToPutBack(record, wayToStore);
  const reopened = reopenPhases(record);
  const recorded = readRecorded(record, reopened, wayToStore);
  const { files: present } = await store.read();
  if (isStage(recorded, present) && (await isUnited(store))) return undefined;
  const files = openStage(record, reopened.stage, ports.passphrase, wayToStore);
  const refusal = whySentryRefuses(files, clock.now());
  if (refusal !== undefined) throw refused(reopened.stage, refusal, wayToStore);
  const { sidecars = [], at } = await site.gather();
  const verifies = (pem: string) => verifyLeafOf(recorded.issuerChain, { anchors: readAnchors(pem), at }).ok;
  const strangers = sidecars.filter(({ anchors }) => anchors !== undefined && !verifies(anchors));
  const cutOff = strangers.map(({ namespace, workload }) => `${namespace}/${workload.name}`);
  const { stage, phases } = reopened;
  return { id: record.id, stage, files, present, phases, cutOff: [...new Set(cutOff)].sort() };
}

/**
 * Puts it back, and records before that that its gates have to be proved anew, so that it may be killed anywhere
 * and gone on with by the same command.
 * @returns the copy of what was overwritten
 * @throws DaprMtlsError `store.conflict` where it is not what was planned on any more; those of the store
 */
export async function putBack(plan: PutBackPlan, ports: PutBackPorts, lockWaitMs: number): Promise<Backup | undefined> {
  const { rotations, clock, who, wayToStore } = ports;
  const lock = await rotations.lock(purpose, lockWaitMs);
  try {
    const saved = await lock.read();
    const present = saved && decodeRecord(saved.content, saved.place);
    const reopened = present && reopenPhases(present);
    if (present?.id !== plan.id || present.state !== 'running' || reopened?.stage !== plan.stage)
      throw moved(wayToStore);
    const note = (record: RotationRecord, what: string): RotationRecord => ({
      ...record,
      history: [...record.history, { at: clock.now().toISOString(), by: who, what }],
    });
    const again = plan.phases.length > 0 ? `, and proves anew: ${plan.phases.join(', ')}` : '';
    const begun = note(
      reopened.record,
      `puts the bundle of the stage ${plan.stage} back over ${describeFiles(plan.present)}${again}`,
    );
    await lock.save(encodeRecord(begun));
    const backup = await overwrite(plan, ports, lock);
    const recorded = describeStage(readStages(present)[plan.stage]);
    const copy = backup ? `; what stood there is in ${backup.path}` : '';
    await lock.save(encodeRecord(note(begun, `put the recorded bundle back, ${recorded}${copy}`)));
    return backup;
  } finally {
    await lock.release();
  }
}

async function overwrite(
  { files, present }: PutBackPlan,
  { store, passphrase, wayToStore }: PutBackPorts,
  lock: RotationLock,
): Promise<Backup | undefined> {
  const keep = async (session: ChangeSession) => {
    const stored = await session.read();
    if (!isSame(stored.files, present)) throw moved(wayToStore);
    const backup = await session.backUp({ reason: purpose, passphrase });
    await lock.assertHeld();
    return { stored, backup };
  };
  if (isPublishing(store)) {
    const session = await store.openForRepair(purpose);
    try {
      const { backup } = await keep(session);
      await session.unite(files);
      return backup;
    } finally {
      await session.close();
    }
  }
  const session = await store.openForChange(purpose);
  try {
    const { stored, backup } = await keep(session);
    const steps = stepsToward(stored.files, files, store.location.kind);
    await session.apply({ steps, sideFiles: [] }, stored.revision);
    return backup;
  } finally {
    await session.close();
  }
}

function isSame(one: FoundFiles, other: FoundFiles): boolean {
  return bundleParts.every((part) => {
    const [a, b] = [one[part], other[part]];
    return a && b ? a.equals(b) : a === b;
  });
}

/** @throws DaprMtlsError `store.damaged` */
function readRecorded(record: RotationRecord, { stage }: Reopened, wayToStore: string): Stage {
  const recorded = readStages(record)[stage];
  if (recorded) return recorded;
  throw new DaprMtlsError('store.damaged', {
    message: `the rotation has not recorded the bundle of the stage ${stage}: it was none that could be read; nothing was written`,
    hint: wayOut(wayToStore),
  });
}

function refused(stage: StageName, reason: string, wayToStore: string): DaprMtlsError {
  return new DaprMtlsError('trust.refused', {
    message: `Sentry would not run on the recorded bundle (${stage}) any more: ${reason}; nothing was written`,
    hint: wayOut(wayToStore),
  });
}

function nothingToPutBack({ state }: RotationRecord, wayToStore: string): DaprMtlsError {
  return new DaprMtlsError('rotation.missing', {
    message: `no rotation is under way (the last one is ${state}), so there is no bundle that it would need back`,
    hint: `What stood there before is among the copies: \`dapr-mtls backup list${wayToStore}\`.`,
  });
}

function moved(wayToStore: string): DaprMtlsError {
  return new DaprMtlsError('store.conflict', {
    message: 'the bundle or the rotation was changed by somebody else since you were asked; nothing was put back',
    hint: `See what stands there now, \`dapr-mtls rotate status${wayToStore}\`, and run the command again.`,
  });
}
