import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DaprMtlsError } from '../../errors.ts';
import { bundleParts, type FoundFiles } from '../../pki/reading.ts';
import { type BackupRecord, describeRecord, protectKey, recordBackup, revealKey } from '../backup-content.ts';
import { digest } from '../digest.ts';
import { defaultNames } from '../file-names.ts';
import type { Backup, BackupOptions } from '../port.ts';
import {
  explaining,
  makeFolder,
  ownerIn,
  ownershipOf,
  privateFile,
  readIfExists,
  remove,
  rename,
  syncDirectory,
  writeNewFile,
} from './durable.ts';

/** A backup bears Sentry's own names whatever the directory calls its files: `openssl` opens it. */
const names = defaultNames;
const recordName = 'backup.json';

interface DirectoryRecord extends BackupRecord {
  readonly sha256: Partial<Record<string, string>>;
}

function backupsFolder(workDirectory: string): string {
  return join(workDirectory, 'backups');
}

/**
 * Copies the bundle; undefined where there is nothing to copy.
 * @throws DaprMtlsError `key.unreadable` when the key should be encrypted and cannot even be read
 */
export function createBackup(
  workDirectory: string,
  files: FoundFiles,
  options: BackupOptions & { now: Date },
): Backup | undefined {
  const { anchors, issuerChain, issuerKey } = files;
  if (!anchors && !issuerChain && !issuerKey) return undefined;
  const folder = backupsFolder(workDirectory);
  if (!ownershipOf(folder)) makeFolder(folder);
  const contents = {
    anchors,
    issuerChain,
    issuerKey: issuerKey && protectKey(issuerKey, names.issuerKey, options.passphrase),
  };
  const id = freeId(folder, options.now);
  const record: DirectoryRecord = {
    ...recordBackup(files, options, options.now),
    sha256: Object.fromEntries(
      bundleParts.flatMap((part) => (contents[part] ? [[names[part], digest(contents[part])]] : [])),
    ),
  };
  const draft = join(folder, `.${id}`);
  makeFolder(draft);
  try {
    const ownership = { mode: privateFile, ...ownerIn(draft) };
    for (const part of bundleParts) {
      const content = contents[part];
      if (content) writeNewFile(join(draft, names[part]), content, ownership);
    }
    writeNewFile(join(draft, recordName), Buffer.from(`${JSON.stringify(record, undefined, 2)}\n`), ownership);
    syncDirectory(draft);
    rename(draft, join(folder, id));
  } catch (error) {
    remove(draft);
    throw error;
  }
  syncDirectory(folder);
  return toBackup(folder, id, record);
}

/** 20261122T030405Z, then -2, -3 within the same second. The newest is never pruned, so no name comes twice. */
function freeId(folder: string, now: Date): string {
  const base = now.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '');
  const ids = listFolder(folder).filter((id) => id.startsWith(base) && /^(-\d+)?$/.test(id.slice(base.length)));
  return ids.length === 0 ? base : `${base}-${Math.max(...ids.map(sequenceOf)) + 1}`;
}

/** Newest first. A folder that is no backup is left alone. */
export function listBackups(workDirectory: string): Backup[] {
  const folder = backupsFolder(workDirectory);
  return listFolder(folder)
    .filter((name) => !name.startsWith('.'))
    .flatMap((id) => {
      const record = readRecord(folder, id);
      return record ? toBackup(folder, id, record) : [];
    })
    .sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || sequenceOf(b.id) - sequenceOf(a.id));
}

/** What a run that died while it made or removed a backup has left. */
export function isBackupDraft(name: string): boolean {
  return /^\.\d{8}T\d{6}Z(-\d+)?$/.test(name);
}

function sequenceOf(id: string): number {
  return Number(id.split('-')[1] ?? 1);
}

function listFolder(folder: string): string[] {
  return explaining(`list ${folder}`, () => {
    try {
      return readdirSync(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  });
}

function readRecord(folder: string, id: string): DirectoryRecord | undefined {
  const content = readIfExists(join(folder, id, recordName));
  if (!content) return undefined;
  try {
    const record = JSON.parse(content.toString('utf8')) as DirectoryRecord;
    return record.version === 1 ? record : undefined;
  } catch {
    return undefined;
  }
}

function toBackup(folder: string, id: string, record: BackupRecord): Backup {
  return {
    id,
    path: join(folder, id),
    ...describeRecord(record),
  };
}

/**
 * The three files of a backup, the key in clear.
 * @throws DaprMtlsError `store.damaged`, `key.passphrase`
 */
export function openBackup(backup: Backup, passphrase: string | undefined): FoundFiles {
  const record = readRecord(join(backup.path, '..'), backup.id);
  const read = (name: string): Buffer | undefined => {
    const content = readIfExists(join(backup.path, name));
    const expected = record?.sha256[name];
    if ((content && digest(content)) === expected) return content;
    throw new DaprMtlsError('store.damaged', {
      message: `${join(backup.path, name)} is ${content ? 'not what was saved' : 'missing'}`,
      hint: 'Choose another backup: `dapr-mtls backup list`.',
    });
  };
  const issuerKey = read(names.issuerKey);
  return {
    anchors: read(names.anchors),
    issuerChain: read(names.issuerChain),
    issuerKey:
      issuerKey && backup.encrypted ? revealKey(issuerKey, join(backup.path, names.issuerKey), passphrase) : issuerKey,
  };
}

/** Removes the oldest until `keep` are left, and returns what was removed. */
export function pruneBackups(workDirectory: string, keep: number): Backup[] {
  const folder = backupsFolder(workDirectory);
  const surplus = listBackups(workDirectory).slice(keep);
  for (const { id, path } of surplus) {
    // Renamed first: a half-removed backup must not look like one.
    const doomed = join(folder, `.${id}`);
    rename(path, doomed);
    remove(doomed);
  }
  if (surplus.length > 0) syncDirectory(folder);
  return surplus;
}
