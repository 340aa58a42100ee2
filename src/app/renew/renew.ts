import { readCertificateFile } from '../../pki/reading.ts';
import type {
  BundleReader,
  ChangeSession,
  ChangeStep,
  FoundFiles,
  SideFile,
  StoredBundle,
  StoreLocation,
  TrustStore,
} from '../../store/port.ts';
import { assertBundle } from '../assert-bundle.ts';
import { assignRoles, describeStore, document, formatInstant } from '../report.ts';
import { describeRootKey, planRootKey, type RootKeyWish, rootKeyLost } from '../root-key.ts';
import { readCurrent } from './current.ts';
import { listTrustPairs, remarkOnUnknown } from './effects.ts';
import { makeRenewal } from './make.ts';
import { planSteps } from './plan.ts';
import type { Procedure, Renewal, RenewOptions } from './renewal.ts';
import {
  describeBackup,
  describeChanges,
  describeSteps,
  endOfRoot,
  type RenewalOutcome,
  type RenewalReport,
} from './report.ts';

export interface RenewInput extends RenewOptions {
  /** The command as people know it: a run of the same one that was interrupted is this one's work. */
  readonly purpose: string;
  readonly rootKey: RootKeyWish | undefined;
  readonly backupPassphrase: string | undefined;
  readonly keepBackups: number;
  /** Asked before anything is written; what it throws stops the renewal. */
  readonly onPlanned?: (planned: PlannedRenewal) => Promise<void>;
  /** Called when it is certain that something will be changed. */
  readonly onStart?: () => void;
  /** Only when root or issuer end within this time. */
  readonly ifExpiresWithinMs: number | undefined;
}

/** What a renewal is about to write. */
export interface PlannedRenewal {
  readonly procedure: Procedure;
  /** Whether Sentry refuses the bundle that is replaced. */
  readonly isOldRefused: boolean;
  /** The whole bundle as it will be. */
  readonly files: FoundFiles;
  readonly trust: RenewalReport['trust'];
}

interface Prepared {
  readonly renewal: Renewal;
  readonly planned: PlannedRenewal;
  readonly steps: readonly ChangeStep[];
  readonly body: Pick<RenewalReport, 'procedure' | 'validUntil' | 'steps' | 'changes' | 'trust' | 'remarks'>;
}

/** What a renewal would do: made in memory, judged, described; nothing is written. */
export async function previewRenewal(store: BundleReader, input: RenewInput): Promise<RenewalReport> {
  return (await draftRenewal(store, input)).report;
}

/** The same with what would be written, for who brings it to the store by another way. */
export async function draftRenewal(
  store: BundleReader,
  input: RenewInput,
): Promise<{ readonly report: RenewalReport; readonly draft: RenewalDraft | undefined }> {
  const stored = await store.read();
  if (!isDue(stored, input)) return { report: reportIdle('not-due', stored, store.location), draft: undefined };
  const { body, planned, renewal } = await prepare(stored, store.location, input);
  const sideFiles = planRootKey(renewal.rootKey, input.rootKey);
  const report = document('Renewal', {
    store: describeStore(store.location, stored),
    outcome: 'dry-run' as const,
    ...body,
    remarks: [...interruptedRemarks(stored), ...body.remarks],
    backup: null,
    rootKey: describeRootKey(input.rootKey),
    restarted: false,
  });
  return { report, draft: { ...planned, sideFiles, isKeyLost: isKeyLost(renewal, input) } };
}

export interface RenewalDraft extends PlannedRenewal {
  /** The root's key, where it is to be kept. */
  readonly sideFiles: readonly SideFile[];
  readonly isKeyLost: boolean;
}

/**
 * Renews the bundle: read, make, judge, back up, write in steps, read back.
 * @throws DaprMtlsError of the store, of the keys, and `trust.*` for what cannot be made
 */
export async function renew(store: TrustStore, input: RenewInput): Promise<RenewalReport> {
  const { location } = store;
  const before = await store.read();
  assertBundle(before, location);
  if (before.state === 'settled' && !isDue(before, input)) return reportIdle('not-due', before, location);
  const session = await store.openForChange(input.purpose);
  try {
    const stored = await session.read();
    if (session.finished?.purpose === input.purpose) return reportIdle('finished', stored, location);
    // Another run may have renewed while this one waited for the lock.
    if (!isDue(stored, input)) return reportIdle('not-due', stored, location);
    return await renewLocked(session, stored, location, input);
  } finally {
    await session.close();
  }
}

async function renewLocked(
  session: ChangeSession,
  stored: StoredBundle,
  location: StoreLocation,
  input: RenewInput,
): Promise<RenewalReport> {
  const { renewal, planned, steps, body } = await prepare(stored, location, input);
  const sideFiles = planRootKey(renewal.rootKey, input.rootKey);
  if (steps.length === 0 && sideFiles.length === 0) return reportIdle('unchanged', stored, location);
  await input.onPlanned?.(planned);
  input.onStart?.();
  const backup = await session.backUp({ reason: input.purpose, passphrase: input.backupPassphrase });
  await session.apply({ steps, sideFiles }, stored.revision);
  await session.pruneBackups(input.keepBackups);
  return document('Renewal', {
    store: describeStore(location, await session.read()),
    outcome: 'renewed' as const,
    ...body,
    remarks: [...body.remarks, ...(isKeyLost(renewal, input) ? [rootKeyLost] : [])],
    backup: describeBackup(backup),
    rootKey: renewal.rootKey ? describeRootKey(input.rootKey) : null,
    restarted: false,
  });
}

async function prepare(stored: StoredBundle, location: StoreLocation, input: RenewInput): Promise<Prepared> {
  assertBundle(stored, location);
  const current = readCurrent(stored, location, input.now);
  const renewal = await makeRenewal(current, input);
  const steps = planSteps(current, renewal.bundle, input.now, location.kind);
  const after: FoundFiles = Object.assign({ ...stored.files }, ...steps.map(({ files }) => files));
  const trust = listTrustPairs(current, renewal.bundle, input.now, renewal.rootKey !== undefined);
  const unknown = remarkOnUnknown(current, trust, location.names.anchors, input.now);
  return {
    renewal,
    planned: { procedure: renewal.procedure, isOldRefused: current.refusal !== undefined, files: after, trust },
    steps,
    body: {
      procedure: renewal.procedure,
      validUntil: formatInstant(renewal.root.notAfter),
      steps: describeSteps(steps, location),
      changes: describeChanges(stored.files, after, location, input.now),
      trust,
      remarks: [...renewal.remarks, ...(unknown === undefined ? [] : [unknown])],
    },
  };
}

/** A key that came from a file is still there. */
function isKeyLost({ rootKey }: Renewal, { request, rootKey: wish }: RenewInput): boolean {
  return rootKey !== undefined && wish === undefined && request.kind === 'fresh';
}

function interruptedRemarks({ state }: StoredBundle): string[] {
  if (state !== 'interrupted') return [];
  return [
    'A change was interrupted: the real run finishes it first, and if it was the same command it does no more than that.',
  ];
}

/** Everything that is not plainly good for longer is due: also what cannot be read. */
function isDue({ files }: StoredBundle, { ifExpiresWithinMs, now }: RenewInput): boolean {
  if (ifExpiresWithinMs === undefined) return true;
  const { root, issuer } = assignRoles({
    anchors: files.anchors && readCertificateFile('anchors', files.anchors),
    issuerChain: files.issuerChain && readCertificateFile('issuerChain', files.issuerChain),
  });
  if (!root || !issuer) return true;
  const end = Math.min(root.notAfter.getTime(), issuer.notAfter.getTime());
  return end - now.getTime() < ifExpiresWithinMs;
}

function reportIdle(outcome: RenewalOutcome, stored: StoredBundle, location: StoreLocation): RenewalReport {
  return document('Renewal', {
    store: describeStore(location, stored),
    outcome,
    procedure: null,
    validUntil: endOfRoot(stored.files),
    steps: [],
    changes: [],
    trust: [],
    backup: null,
    rootKey: null,
    restarted: false,
    remarks: [],
  });
}
