import { DaprMtlsError } from '../errors.ts';
import { bundleParts } from '../pki/reading.ts';
import { whySentryRefuses } from '../pki/sentry.ts';
import type { FoundFiles, PublishingStore, StoredBundle } from '../store/port.ts';
import { type CertificateChange, describeBackup, describeChanges, endOfRoot } from './renew/report.ts';
import type { RepairReport } from './repair.ts';
import { document } from './report.ts';

/** Which side is right. */
export type UnionSource = 'secret' | 'configmap' | 'backup';

export interface UnionInput {
  readonly from: UnionSource;
  /** The bundle of the backup, where it is the source. */
  readonly saved: FoundFiles | undefined;
  readonly isDryRun: boolean;
  readonly passphrase: string | undefined;
  readonly now: Date;
  /** Shown what will change, in a rehearsal too; what it throws stops the repair. */
  readonly onPlanned: (planned: PlannedUnion) => Promise<void>;
}

export interface PlannedUnion {
  /** What both sides will hold. */
  readonly files: FoundFiles;
  readonly changes: readonly CertificateChange[];
}

/**
 * Makes Secret and ConfigMap one bundle again, after the side that is right: what
 * `kubectl edit secret` leaves behind, before a Sentry starts on it and makes a new root.
 * @throws DaprMtlsError `trust.refused` where Sentry would refuse what that side leads to
 */
export async function uniteSides(store: PublishingStore, input: UnionInput): Promise<RepairReport> {
  const { stored, published } = await store.readBoth();
  const files = chooseFiles(stored, published, input);
  const changes = listChanges(stored, published, files, store, input.now);
  const report = (outcome: 'united' | 'dry-run', backup: RepairReport['backup']): RepairReport =>
    document('Repair', {
      store: { kind: store.location.kind, name: store.location.name },
      outcome,
      purpose: null,
      startedAt: null,
      validUntil: endOfRoot(files),
      changes,
      backup,
    });
  await input.onPlanned({ files, changes });
  if (input.isDryRun) return report('dry-run', null);
  const purpose = `repair --from ${input.from}`;
  const session = await store.openForRepair(purpose);
  try {
    await assertUnmoved(store, stored, published, input.from);
    const backup = await session.backUp({ reason: purpose, passphrase: input.passphrase });
    await session.unite(files);
    return report('united', describeBackup(backup));
  } finally {
    await session.close();
  }
}

/** @throws DaprMtlsError `trust.refused` */
function chooseFiles(
  { files }: StoredBundle,
  published: Buffer | undefined,
  { from, saved, now }: UnionInput,
): FoundFiles {
  const chosen = {
    secret: files,
    configmap: { ...files, anchors: published },
    backup: saved ?? files,
  }[from];
  const { anchors, issuerChain, issuerKey } = chosen;
  const refusal =
    anchors && issuerChain && issuerKey
      ? whySentryRefuses({ anchors, issuerChain, issuerKey }, now)
      : 'a part of it is missing';
  if (refusal === undefined) return chosen;
  const others = (['secret', 'configmap', 'backup'] as const).filter((other) => other !== from);
  throw new DaprMtlsError('trust.refused', {
    message: `Sentry would refuse what --from ${from} leads to: ${refusal}; nothing was written`,
    hint: `Try another side: --from ${others.join(' or --from ')}. \`dapr-mtls backup list -k\` shows what there is.`,
  });
}

function listChanges(
  { files }: StoredBundle,
  published: Buffer | undefined,
  after: FoundFiles,
  { location }: PublishingStore,
  at: Date,
): CertificateChange[] {
  const ofConfigMap = { ...location, names: { ...location.names, anchors: `ConfigMap ${location.names.anchors}` } };
  const onlyAnchors = (anchors: Buffer | undefined): FoundFiles => ({
    anchors,
    issuerChain: undefined,
    issuerKey: undefined,
  });
  return [
    ...describeChanges(files, after, location, at),
    ...describeChanges(onlyAnchors(published), onlyAnchors(after.anchors), ofConfigMap, at),
  ];
}

/**
 * What was judged, and shown to somebody who took his time to answer, has to be what is written. A
 * ConfigMap that was put back meanwhile is no news where it is not the source.
 * @throws DaprMtlsError `store.conflict`
 */
async function assertUnmoved(
  store: PublishingStore,
  { files }: StoredBundle,
  published: Buffer | undefined,
  from: UnionSource,
): Promise<void> {
  const now = await store.readBoth();
  const isSame = (a: Buffer | undefined, b: Buffer | undefined) => (a && b ? a.equals(b) : a === b);
  const isSecretSame = bundleParts.every((part) => isSame(files[part], now.stored.files[part]));
  if (isSecretSame && (from !== 'configmap' || isSame(published, now.published))) return;
  throw new DaprMtlsError('store.conflict', {
    message: `${store.location.name} was changed by somebody else meanwhile; nothing was written`,
    hint: 'Look at it with `dapr-mtls check -k`, then run the command again.',
  });
}
