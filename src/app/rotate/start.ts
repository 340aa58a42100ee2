import { encodePrivateKey } from '../../pki/keys.ts';
import type { RotationLock, RotationStore } from '../../store/rotation-port.ts';
import type { RootKeyWish } from '../root-key.ts';
import type { RotationPlan } from './plan.ts';
import { decodeRecord, encodeRecord, type PhaseRecord, type RotationRecord, type RotationSettings } from './record.ts';
import { encodeStage } from './stage-record.ts';

export interface StartInput {
  readonly id: string;
  readonly who: string;
  readonly now: Date;
  readonly settings: Omit<RotationSettings, 'drain'>;
  /** NAMESPACE/NAME. */
  readonly skipped: readonly string[];
  readonly rootKey: RootKeyWish | undefined;
  /** Encrypts the keys in the record. */
  readonly passphrase: string | undefined;
}

/** What the plan was made from, where somebody may have been quicker since. */
export interface PlannedFrom {
  /** Of the rotation that was there, and had ended. */
  readonly formerId: string | undefined;
  /** @throws DaprMtlsError `store.conflict` where the bundle is another one now */
  readonly assertUnmoved: () => Promise<void>;
}

/**
 * Saves a plan as the rotation to be carried out, unless another one has begun since it was made, or has
 * even ended. Nothing of the bundle is changed.
 * @returns the record that counts, and whether it is this plan's
 * @throws DaprMtlsError `store.locked`, `store.conflict`
 */
export async function startRotation(
  rotations: RotationStore,
  plan: RotationPlan,
  input: StartInput,
  lockWaitMs: number,
  from?: PlannedFrom,
): Promise<{ readonly record: RotationRecord; readonly isNew: boolean }> {
  const lock = await rotations.lock('rotate run', lockWaitMs);
  try {
    const present = await readPresent(lock);
    const isBehind = from !== undefined && present?.id !== from.formerId;
    if (present && (present.state === 'running' || isBehind)) return { record: present, isNew: false };
    await from?.assertUnmoved();
    const record = buildRecord(plan, input);
    await lock.save(encodeRecord(record));
    return { record, isNew: true };
  } finally {
    await lock.release();
  }
}

async function readPresent(lock: RotationLock): Promise<RotationRecord | undefined> {
  const saved = await lock.read();
  return saved && decodeRecord(saved.content, saved.place);
}

/** Pure but for the salt of encrypted keys. */
export function buildRecord(plan: RotationPlan, input: StartInput): RotationRecord {
  const { procedure, phases, material, drain } = plan;
  const startedAt = input.now.toISOString();
  const stages = Object.fromEntries(
    Object.entries(material.stages).map(([name, stage]) => [name, encodeStage(stage, input.passphrase)]),
  );
  return {
    version: 1,
    id: input.id,
    state: 'running',
    procedure,
    reasons: plan.reasons,
    startedAt,
    startedBy: input.who,
    phases: phases.map(
      (phase): PhaseRecord => ({
        ...phase,
        status: 'due',
        writtenAt: undefined,
        restartedAt: undefined,
        passedAt: undefined,
        evidence: [],
      }),
    ),
    stages,
    rootKeyFile: describeRootKeyFile(plan, input),
    encrypted: input.passphrase !== undefined,
    settings: { ...input.settings, drain },
    confirmations: [],
    skipped: input.skipped.map((workload) => ({ workload, by: input.who, at: startedAt })),
    history: [{ at: startedAt, by: input.who, what: describePlan(plan, input) }],
  };
}

function describePlan({ procedure, proof, material }: RotationPlan, { rootKey }: StartInput): string {
  const isLost = material.newRootKey !== undefined && rootKey === undefined;
  return `planned ${procedure}: ${proof.pairs.length} pairs verified${isLost ? '; the key of the new root is not kept' : ''}`;
}

function describeRootKeyFile({ material }: RotationPlan, { rootKey }: StartInput): RotationRecord['rootKeyFile'] {
  if (!rootKey || !material.newRootKey) return undefined;
  const pem = encodePrivateKey(material.newRootKey, rootKey.passphrase);
  return { path: rootKey.path, content: Buffer.from(pem).toString('base64') };
}
