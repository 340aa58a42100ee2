import { spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { initialize } from '../../src/app/init.ts';
import { listBackups, openBackup } from '../../src/store/directory/backups.ts';
import type { Backup, FoundFiles } from '../../src/store/port.ts';
import { findPrivateKeys, snapshot } from '../support/directory.ts';
import { announceSkipped } from '../support/privilege.ts';
import { copyProgram, type Program } from '../support/program.ts';
import { initInput, makeTrustDirectory, type TrustDirectory } from '../support/trust-directory.ts';

let program: Program;

beforeAll(() => {
  program = copyProgram();
});

const noOpenssl = spawnSync('openssl', ['version']).error ? 'openssl is not installed' : undefined;
announceSkipped('encrypted backups are not opened by another program', noOpenssl);

describe('a backup', () => {
  const changes: { name: string; change: (trust: TrustDirectory) => Promise<unknown>; reason: string }[] = [
    { name: 'renew-certificate', change: (trust) => trust.renew(), reason: 'renew-certificate' },
    { name: 'init --force', change: (trust) => initialize(trust.store(), initInput({ force: true })), reason: 'init' },
  ];

  test.each(changes)(
    'is made before $name: the old bundle, byte for byte, for its owner alone',
    async ({ change, reason }) => {
      const trust = await makeTrustDirectory();
      const before = trust.files();
      expect(backupsOf(trust)).toEqual([]);
      await change(trust);
      const [backup, ...others] = backupsOf(trust);
      expect(others).toEqual([]);
      expect(backup).toMatchObject({ reason, encrypted: false });
      expect(backup && openBackup(backup, undefined)).toEqual(before);
      expect(rightsOf(backup)).toEqual({
        '.': '700',
        'backup.json': '600',
        'ca.crt': '600',
        'issuer.crt': '600',
        'issuer.key': '600',
      });
    },
  );

  test('is there already when the first step is made', async () => {
    const trust = await makeTrustDirectory();
    const before = trust.files();
    const stop = {
      assertRunning: () => {
        throw new Error('stopped');
      },
    };
    await expect(trust.renew({}, stop)).rejects.toThrow('stopped');
    const [backup] = backupsOf(trust);
    expect(backup && openBackup(backup, undefined)).toEqual(before);
  });

  test('is not made where there is nothing to copy', async () => {
    const trust = await makeTrustDirectory();
    expect(readdirSync(trust.workDirectory)).toEqual([]);
  });

  test('of half a bundle holds the half', async () => {
    const trust = await makeTrustDirectory();
    rmSync(join(trust.directory, 'issuer.crt'));
    const before = trust.files();
    await trust.renew();
    const [backup] = backupsOf(trust);
    expect(backup && openBackup(backup, undefined)).toEqual(before);
  });

  test('of a bundle that is none is made all the same', async () => {
    const trust = await makeTrustDirectory();
    for (const name of ['ca.crt', 'issuer.key']) writeFileSync(join(trust.directory, name), Buffer.from([0, 255, 10]));
    const before = trust.files();
    await trust.renew();
    const [backup] = backupsOf(trust);
    expect(backup && openBackup(backup, undefined)).toEqual(before);
  });
});

describe('an encrypted backup', () => {
  const passphrase = 'correct horse battery stäple';

  async function makeEncrypted(): Promise<{ trust: TrustDirectory; before: FoundFiles; backup: Backup }> {
    const trust = await makeTrustDirectory();
    const before = trust.files();
    await trust.renew({ backupPassphrase: passphrase });
    const [backup] = backupsOf(trust);
    if (!backup) throw new Error('no backup was made');
    return { trust, before, backup };
  }

  test('holds no key in clear and opens with the passphrase alone', async () => {
    const { trust, before, backup } = await makeEncrypted();
    expect(backup.encrypted).toBe(true);
    const key = readFileSync(join(backup.path, 'issuer.key'), 'utf8');
    expect(key).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    expect(findPrivateKeys(trust.parent).sort()).toEqual(
      ['certs/issuer.key', `certs.mtls/backups/${backup.id}/issuer.key`].sort(),
    );
    const opened = openBackup(backup, passphrase);
    expect(opened.anchors).toEqual(before.anchors);
    expect(opened.issuerChain).toEqual(before.issuerChain);
    expect(createPrivateKey(opened.issuerKey ?? '').equals(createPrivateKey(before.issuerKey ?? ''))).toBe(true);
    for (const wrong of [undefined, 'another'])
      expect(() => openBackup(backup, wrong)).toThrow(expect.objectContaining({ code: 'key.passphrase' }));
  });

  test.skipIf(noOpenssl)('is opened by OpenSSL with the passphrase alone', async () => {
    const { before, backup } = await makeEncrypted();
    const openssl = (secret: string) =>
      spawnSync('openssl', ['pkey', '-in', join(backup.path, 'issuer.key'), '-passin', 'env:SECRET'], {
        encoding: 'utf8',
        env: { ...process.env, SECRET: secret },
      });
    const opened = openssl(passphrase);
    expect(opened.status, opened.stderr).toBe(0);
    expect(createPrivateKey(opened.stdout).equals(createPrivateKey(before.issuerKey ?? ''))).toBe(true);
    expect(openssl('another').status).not.toBe(0);
  });
});

describe('the number of backups', () => {
  test('is what was asked for; the oldest go', async () => {
    const trust = await makeTrustDirectory();
    const made: string[] = [];
    for (let count = 0; count < 5; count++) {
      await trust.renew({ keepBackups: 3 });
      made.push(backupsOf(trust)[0]?.id ?? '');
    }
    expect(new Set(made).size).toBe(5);
    expect(backupsOf(trust).map(({ id }) => id)).toEqual(made.slice(-3).reverse());
    expect(readdirSync(join(trust.workDirectory, 'backups')).sort()).toEqual(made.slice(-3).sort());
  });

  test('is brought down by `backup prune`, which leaves alone what is no backup', async () => {
    const trust = await makeTrustDirectory();
    for (let count = 0; count < 3; count++) await trust.renew();
    const folder = join(trust.workDirectory, 'backups');
    mkdirSync(join(folder, 'mine'));
    writeFileSync(join(folder, 'mine', 'notes'), '');
    writeFileSync(join(folder, '.keep'), '');
    mkdirSync(join(folder, '.20261122T010203Z'));
    const [newest] = backupsOf(trust);
    const outcome = await program.run(['backup', 'prune', '--keep', '1', '--dir', trust.directory]);
    expect(outcome.exitCode, outcome.stderr).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['.keep', newest?.id, 'mine'].sort());
  });
});

describe('`backup restore`', () => {
  test('brings the bundle back', async () => {
    const trust = await makeTrustDirectory();
    const before = trust.files();
    await trust.renew({ request: { kind: 'fresh', procedure: 'replace' } });
    const [backup] = backupsOf(trust);
    const outcome = await program.run([
      'backup',
      'restore',
      backup?.id ?? '',
      '--dir',
      trust.directory,
      '--settle',
      '0',
    ]);
    expect(outcome.exitCode, outcome.stderr).toBe(0);
    expect(trust.files().anchors).toEqual(before.anchors);
    expect(trust.files().issuerChain).toEqual(before.issuerChain);
  });

  test('twice brings the same bundle back, and the second time there is nothing to do', async () => {
    const trust = await makeTrustDirectory();
    const before = trust.files();
    await trust.renew({ request: { kind: 'fresh', procedure: 'replace' } });
    const words = ['backup', 'restore', '--dir', trust.directory, '--settle', '0'];
    expect((await program.run(words)).stdout).toContain('is in its place');
    expect(trust.files()).toEqual(before);
    const ids = backupsOf(trust).map(({ id }) => id);
    const again = await program.run(words);
    expect(again).toMatchObject({
      exitCode: 0,
      stdout: `Nothing to do: the bundle of ${ids[1]} is what is there already; nothing was written\n`,
      stderr: expect.stringContaining('Another copy has to be named'),
    });
    expect(trust.files()).toEqual(before);
    expect(backupsOf(trust).map(({ id }) => id)).toEqual(ids);
    expect((await program.run([...words, ids[0] ?? ''])).exitCode).toBe(0);
    expect(trust.files()).not.toEqual(before);
  });

  test.each(['ca.crt', 'issuer.crt', 'issuer.key'])('refuses a copy whose %s was changed', async (name) => {
    const trust = await makeTrustDirectory();
    await trust.renew();
    const [backup] = backupsOf(trust);
    const path = join(backup?.path ?? '', name);
    writeFileSync(path, readFileSync(path, 'utf8').replace('M', 'N'));
    const before = snapshot(trust.directory);
    const outcome = await program.run([
      'backup',
      'restore',
      '--dir',
      trust.directory,
      '--settle',
      '0',
      '--format',
      'json',
    ]);
    expect(JSON.parse(outcome.stdout)).toMatchObject({ code: 'store.damaged', exitCode: 5 });
    expect(snapshot(trust.directory)).toEqual(before);
  });
});

function backupsOf({ workDirectory }: TrustDirectory): Backup[] {
  return listBackups(workDirectory);
}

function rightsOf(backup: Backup | undefined): Record<string, string> {
  const path = backup?.path ?? '';
  return Object.fromEntries(
    ['.', ...readdirSync(path)].map((name) => [name, (lstatSync(join(path, name)).mode & 0o777).toString(8)]),
  );
}
