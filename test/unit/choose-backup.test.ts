import { describe, expect, test } from 'vitest';
import { type BackupWish, chooseBackup } from '../../src/store/choose-backup.ts';
import type { Backup } from '../../src/store/port.ts';

/** Newest first, numbered as a cluster's. */
const made = (...reasons: string[]): Backup[] =>
  reasons.map((reason, index) => ({
    id: `000${reasons.length - index}`,
    path: '',
    createdAt: new Date(0),
    reason,
    encrypted: false,
    rootFingerprint: undefined,
    rootNotAfter: undefined,
  }));

const wish: BackupWish = { id: undefined, interrupted: undefined, kind: 'cluster', place: 'dapr-system' };
const choose = (backups: readonly Backup[], words: Partial<BackupWish> = {}) =>
  chooseBackup(backups, { ...wish, ...words }).id;

describe('without an id', () => {
  test.each<[string, readonly Backup[], string]>([
    ['the newest', made('backup create', 'renew-certificate'), '0002'],
    ['not what a restore replaced', made('backup restore 0001', 'renew-certificate'), '0001'],
    ['not what a repair replaced', made('repair --from backup', 'repair --from configmap', 'init'), '0001'],
    ['the Secret that a repair took for right', made('repair --from secret', 'init'), '0002'],
    [
      'the newest of those, however often it was brought back',
      made('backup restore 0003', 'backup restore 0001', 'backup create', 'init', 'renew-certificate'),
      '0003',
    ],
  ])('%s', (_, backups, id) => {
    expect(choose(backups)).toBe(id);
  });

  test('that with which an interrupted restore began', () => {
    const backups = made('backup restore 0001', 'renew-certificate', 'renew-certificate');
    expect(choose(backups, { interrupted: 'backup restore 0001' })).toBe('0001');
    expect(choose(backups, { interrupted: 'renew-certificate' })).toBe('0002');
  });

  test('is refused with a list where every copy was made so', () => {
    expect(() => choose(made('repair --from backup', 'backup restore 0007'))).toThrow(
      expect.objectContaining({
        code: 'file.missing',
        message: expect.stringContaining('has replaced: 0002, 0001'),
        hint: expect.stringContaining('`dapr-mtls backup restore ID -k`'),
      }),
    );
  });
});

test('with an id any copy', () => {
  const backups = made('backup restore 0001', 'renew-certificate');
  expect(choose(backups, { id: '0002', interrupted: 'backup restore 0001' })).toBe('0002');
});

test.each<[Partial<BackupWish>, string, string]>([
  [{}, 'there are no backups in dapr-system', '`dapr-mtls backup list -k`'],
  [{ id: '0009' }, 'there is no backup 0009 in dapr-system', '`dapr-mtls backup list -k`'],
  [
    { id: '2026', kind: 'directory', place: 'certs.mtls' },
    'there is no backup 2026 in certs.mtls',
    '`dapr-mtls backup list`',
  ],
])('what is not there: %j', (words, message, hint) => {
  expect(() => choose([], words)).toThrow(
    expect.objectContaining({ code: 'file.missing', message, hint: expect.stringContaining(hint) }),
  );
});
