import { DaprMtlsError } from '../../errors.ts';
import type { RecordPlace } from '../../store/rotation-port.ts';

/**
 * same-root: a new issuer under the root whose key was given. same-key: that root anew on its key.
 * bridge: a new root, cross-signed by the old issuer. staged: a new root that everybody trusts before
 * anybody shows it. retire: no new certificate; what an earlier renewal left beside the root goes.
 * replace: everything at once, where calls fail already.
 */
export const procedures = ['same-root', 'same-key', 'bridge', 'staged', 'retire', 'replace'] as const;
export type Procedure = (typeof procedures)[number];

/**
 * distribute: everybody holds the new anchor. switch: Sentry signs with the new issuer. drain: no
 * certificate of the other issuer lives. retire: the old anchor goes. The phases of an undoing bear the
 * same names with `undo-` before them.
 */
export const phaseNames = [
  'distribute',
  'switch',
  'drain',
  'retire',
  'replace',
  'undo-switch',
  'undo-drain',
  'undo-distribute',
] as const;
export type PhaseName = (typeof phaseNames)[number];

/** A bundle as it stands at one moment of the rotation. */
export type StageName = 'before' | 'both-anchors' | 'switched' | 'after';

/**
 * verifiers-updated: whoever verifies holds what is needed. issuer-switched: every Sentry signs with the
 * issuer of the stage. old-leaves-gone: nobody shows a certificate of another issuer any more.
 * anchors-published: the control plane and whoever starts next hold the anchors of the stage.
 */
export type GateName = 'verifiers-updated' | 'issuer-switched' | 'old-leaves-gone' | 'anchors-published';

/**
 * Who is restarted in a phase, in this order. services: the control plane without Sentry. Sentry stands
 * for itself, because who restarts while an old one may still sign gets a certificate of the old issuer.
 */
export type RestartScope = 'sentry' | 'services' | 'applications';

export interface Phase {
  readonly name: PhaseName;
  /** The bundle that stands there from this phase on; undefined where nothing is written. */
  readonly writes: StageName | undefined;
  readonly restarts: readonly RestartScope[];
  readonly gates: readonly GateName[];
}

/**
 * due: not begun. begun: about to be written, perhaps written. written: what had to be written stands
 * there, the gate is open. passed: proved. abandoned: given up in the middle by an undoing.
 */
const phaseStatuses = ['due', 'begun', 'written', 'passed', 'abandoned'] as const;
export type PhaseStatus = (typeof phaseStatuses)[number];

export interface PhaseRecord extends Phase {
  readonly status: PhaseStatus;
  /** Somebody else was asked to write it: who keeps the objects. */
  readonly handedOut?: true;
  /** RFC 3339. The moment from which what starts finds the new bundle; never before the write was done. */
  readonly writtenAt: string | undefined;
  /** When everybody whom this program restarts in this phase had come back. */
  readonly restartedAt: string | undefined;
  readonly passedAt: string | undefined;
  /** What was seen when its gate closed. */
  readonly evidence: readonly string[];
}

/** In base64, as the files stand in the store. */
export interface StageRecord {
  readonly anchors: string;
  readonly issuerChain: string;
  /** PEM, encrypted where the rotation has a passphrase; undefined once the rotation has ended. */
  readonly issuerKey: string | undefined;
}

export interface RotationEvent {
  readonly at: string;
  /** Person, host and process. */
  readonly by: string;
  readonly what: string;
}

/** What a human vouches for, because no evidence can be had of it. */
export const confirmable = ['external-clients', 'restarted', 'issuer-switched'] as const;
export type Confirmable = (typeof confirmable)[number];

export interface Confirmation {
  readonly what: Confirmable;
  /** The phase in which it was said; it counts for that one alone. */
  readonly phase: PhaseName;
  readonly by: string;
  readonly at: string;
}

export interface SkippedWorkload {
  /** NAMESPACE/NAME. */
  readonly workload: string;
  readonly by: string;
  readonly at: string;
}

/** How old leaves go: by waiting until they have ended, or by a second restart. */
export type Drain = 'wait' | 'restart';

/** How long certificates were to live until somebody said otherwise. */
export interface FormerLife {
  readonly workloadCertTtlMs: number;
  readonly allowedClockSkewMs: number;
  /** RFC 3339. When it was seen to be another. */
  readonly until: string;
}

export interface RotationSettings {
  readonly workloadCertTtlMs: number;
  readonly allowedClockSkewMs: number;
  /** Those before, the oldest first, where somebody has changed them since it began. */
  readonly formerLives?: readonly FormerLife[];
  /** Clients that joined with tokens of their own are in no audit (`tokenValidators`). */
  readonly hasExternalClients: boolean;
  /** The phase in which that came to be, where it was not so from the beginning. */
  readonly externalClientsSince?: PhaseName;
  readonly drain: Drain;
  /** Dapr up to 1.11: a sidecar shows Sentry the issuer's certificate that it was born with. */
  readonly keepsIssuers?: boolean;
  /** Where a directory's Sentry listens: host:port. */
  readonly sentryAddress: string | undefined;
}

/** abandoned: given up by people, who keep the bundle that stands there, whoever wrote it. */
const rotationStates = ['running', 'done', 'undone', 'abandoned'] as const;
export type RotationState = (typeof rotationStates)[number];

/** A file outside the store that is written before anything else: the key of the new root. */
export interface PendingFile {
  /** Absolute, on the machine of whoever goes on. */
  readonly path: string;
  /** In base64. */
  readonly content: string;
}

/** Everything that whoever goes on has to know. It is written before the next thing is begun. */
export interface RotationRecord {
  readonly version: 1;
  readonly id: string;
  readonly state: RotationState;
  readonly procedure: Procedure;
  readonly reasons: readonly string[];
  readonly startedAt: string;
  readonly startedBy: string;
  readonly phases: readonly PhaseRecord[];
  readonly stages: Readonly<Partial<Record<StageName, StageRecord>>>;
  /** Undefined once it is written, or where it is not to be kept. */
  readonly rootKeyFile: PendingFile | undefined;
  /** Whether the keys of the stages are encrypted. */
  readonly encrypted: boolean;
  readonly settings: RotationSettings;
  readonly confirmations: readonly Confirmation[];
  readonly skipped: readonly SkippedWorkload[];
  readonly history: readonly RotationEvent[];
}

/**
 * @param place for the words of the error
 * @throws DaprMtlsError `store.damaged`
 */
export function decodeRecord(content: Buffer, place?: RecordPlace): RotationRecord {
  const record = parseRecord(content);
  if (record) return record;
  const { name, wayToStore } = place ?? { name: undefined, wayToStore: '' };
  throw new DaprMtlsError('store.damaged', {
    message: `the record of the rotation${name ? `, ${name},` : ''} cannot be read, or a newer version of this program wrote it`,
    hint: `Use the newest version, which may go on with it. Or end the rotation: \`dapr-mtls rotate undo${wayToStore} --abandon\` puts the record aside, where nothing of it is lost, and keeps the bundle that stands there; \`dapr-mtls check${wayToStore}\` tells whether that one is well.`,
  });
}

/** Undefined where it is none, or none that this version knows. */
export function parseRecord(content: Buffer): RotationRecord | undefined {
  try {
    const record = JSON.parse(content.toString('utf8')) as Partial<RotationRecord> | null;
    return record && isWhole(record) ? (record as RotationRecord) : undefined;
  } catch {
    // The same mend as for a record of another program.
    return undefined;
  }
}

/** What anybody who may write there could have put there; a state that is not known must not count as the end. */
function isWhole(record: Partial<RotationRecord>): boolean {
  const { version, state, phases, stages, history, settings, confirmations, skipped } = record;
  const isKnown = state !== undefined && rotationStates.includes(state);
  const areLists = [phases, history, confirmations, skipped].every(Array.isArray);
  return (
    version === 1 &&
    isKnown &&
    areLists &&
    isObject(stages) &&
    Object.values(stages).every(isWholeStage) &&
    isObject(settings) &&
    phases?.every(isWholePhase) === true
  );
}

function isWholePhase(phase: Partial<PhaseRecord> | null): boolean {
  const { name, status, gates, restarts, evidence } = phase ?? {};
  const isKnown =
    name !== undefined && phaseNames.includes(name) && status !== undefined && phaseStatuses.includes(status);
  return isKnown && [gates, restarts, evidence].every(Array.isArray);
}

function isWholeStage(stage: Partial<StageRecord> | null): boolean {
  return typeof stage?.anchors === 'string' && typeof stage.issuerChain === 'string';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

export function encodeRecord(record: RotationRecord): Buffer {
  return Buffer.from(`${JSON.stringify(record, undefined, 2)}\n`);
}

/** The phase that is under way or next; undefined when all have passed. */
export function currentPhase({ phases }: Pick<RotationRecord, 'phases'>): PhaseRecord | undefined {
  return phases.find(({ status }) => status !== 'passed' && status !== 'abandoned');
}

/** Whether it belongs to an undoing. */
export function isWayBack({ name }: Pick<Phase, 'name'>): boolean {
  return name.startsWith('undo-');
}
