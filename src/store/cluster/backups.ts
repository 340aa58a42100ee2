import { DaprMtlsError } from '../../errors.ts';
import { type BackupRecord, describeRecord, protectKey, recordBackup, revealKey } from '../backup-content.ts';
import type { Backup, BackupOptions, OpenedBackup } from '../port.ts';
import { type KeptConfigMap, keepConfigMap } from './claim.ts';
import { encodeEntry, keeperName, readEntry } from './keeper.ts';
import { type BundleObjects, type ClusterPlace, filesOf, type SecretObject } from './objects.ts';

/** Both objects with everything in them, under one numbered key. */
interface ClusterRecord extends BackupRecord {
  readonly secret: {
    readonly type: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    /** In base64, the issuer key encrypted where the record says so. */
    readonly data: Readonly<Record<string, string>>;
  };
  readonly configMap: KeptConfigMap | null;
}

/** Below the 1 MiB that a Secret may have, with room for the claim. */
const sizeLimit = 900 * 1024;

const keyPattern = /^backup-(\d+)\.json$/;
const keyOf = (id: string) => `backup-${id}.json`;

/** The entry to write for a backup, and those that must go for it to fit; undefined where nothing is there to copy. */
export function planBackup(
  keeper: SecretObject | undefined,
  { secret, configMap }: BundleObjects,
  { names }: Pick<ClusterPlace, 'names'>,
  options: BackupOptions & { now: Date },
): { id: string; entries: Record<string, string | null> } | undefined {
  if (!secret?.data) return undefined;
  const files = filesOf(secret, names);
  const key = files.issuerKey && protectKey(files.issuerKey, names.issuerKey, options.passphrase);
  const record: ClusterRecord = {
    ...recordBackup(files, options, options.now),
    secret: {
      type: secret.type ?? 'Opaque',
      labels: secret.metadata.labels ?? {},
      annotations: secret.metadata.annotations ?? {},
      data: { ...secret.data, ...(key ? { [names.issuerKey]: key.toString('base64') } : {}) },
    },
    configMap: configMap ? keepConfigMap(configMap) : null,
  };
  const ids = idsOf(keeper);
  const id = String(Number(ids[0] ?? 0) + 1).padStart(4, '0');
  const entry = encodeEntry(record);
  return { id, entries: { [keyOf(id)]: entry, ...removals(oldestBeyond(keeper, ids, entry.length)) } };
}

/** What must go so that a new entry fits; the newest that is there stays. */
function oldestBeyond(keeper: SecretObject | undefined, ids: readonly string[], newSize: number): string[] {
  const sizeOf = (id: string) => keeper?.data?.[keyOf(id)]?.length ?? 0;
  let total = newSize;
  return ids.filter((id, index) => {
    total += sizeOf(id);
    return index > 0 && total > sizeLimit;
  });
}

/** Newest first. */
function idsOf(keeper: SecretObject | undefined): string[] {
  return Object.keys(keeper?.data ?? {})
    .flatMap((key) => keyPattern.exec(key)?.[1] ?? [])
    .sort((a, b) => Number(b) - Number(a));
}

export function removals(ids: readonly string[]): Record<string, null> {
  return Object.fromEntries(ids.map((id) => [keyOf(id), null]));
}

/** Newest first. */
export function listBackups(
  keeper: SecretObject | undefined,
  { namespace }: Pick<ClusterPlace, 'namespace'>,
): Backup[] {
  return idsOf(keeper).flatMap((id) => {
    const record = readEntry<ClusterRecord>(keeper, keyOf(id));
    return record?.version === 1 ? [toBackup(id, record, namespace)] : [];
  });
}

function toBackup(id: string, record: BackupRecord, namespace: string): Backup {
  return {
    id,
    path: `Secret ${namespace}/${keeperName}, ${keyOf(id)}`,
    ...describeRecord(record),
  };
}

/** @throws DaprMtlsError `key.passphrase`, `store.damaged` */
export function openBackup(
  keeper: SecretObject | undefined,
  backup: Backup,
  { names }: Pick<ClusterPlace, 'names'>,
  passphrase: string | undefined,
): OpenedBackup {
  const record = readEntry<ClusterRecord>(keeper, keyOf(backup.id));
  if (!record) {
    throw new DaprMtlsError('store.damaged', {
      message: `${backup.path} cannot be read`,
      hint: 'Choose another backup: `dapr-mtls backup list -k`.',
    });
  }
  const files = filesOf({ metadata: { name: keeperName }, data: record.secret.data }, names);
  const issuerKey =
    files.issuerKey && record.encrypted
      ? revealKey(files.issuerKey, `${backup.path}, ${names.issuerKey}`, passphrase)
      : files.issuerKey;
  return { backup, files: { ...files, issuerKey } };
}

/** The ConfigMap as the newest backup that has one kept it: its labels and annotations tell Helm that it is its own. */
export function keptConfigMapOf(keeper: SecretObject | undefined): KeptConfigMap | undefined {
  for (const id of idsOf(keeper)) {
    const kept = readEntry<ClusterRecord>(keeper, keyOf(id))?.configMap;
    if (kept) return kept;
  }
  return undefined;
}
