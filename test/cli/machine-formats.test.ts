import { chmodSync, lstatSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run } from '../support/command-line.ts';
import { copyBundle, makeFolder } from '../support/workplace.ts';

const folder = makeFolder('machine-formats');
const certs = copyBundle(folder, 'sentry-1.18');
chmodSync(join(certs, 'issuer.key'), 0o600);
const soon = ['--at', '2027-11-01T00:00:00Z'];
const late = ['--at', '2040-01-01T00:00:00Z'];

const daprMtls = (...words: string[]) => run(['mtls', ...words], { cwd: folder });

describe('nagios', () => {
  test.each([
    [
      'well',
      ['expiry', '--dir', certs, '--at', '2026-12-01T00:00:00Z'],
      0,
      /^MTLS EXPIRY OK - root ends in \d+ days, /,
    ],
    ['ending soon', ['expiry', '--dir', certs, ...soon], 1, /^MTLS EXPIRY WARNING - /],
    ['ended', ['expiry', '--dir', certs, ...late], 2, /^MTLS EXPIRY CRITICAL - root has ended on /],
    ['broken', ['check', '--dir', certs, ...late], 2, /^MTLS CHECK CRITICAL - \d+ errors, \d+ warnings? \| error=/],
    ['not there', ['expiry', '--dir', 'nowhere'], 3, /^MTLS UNKNOWN - there is no ca\.crt in \S+\n$/],
    ['a flag that nobody knows', ['check', '--colour'], 3, /^MTLS UNKNOWN - unknown flag: --colour\n$/],
  ])('%s', async (_, words, exitCode, stdout) => {
    const told = await daprMtls(...words, '--format', 'nagios');
    expect(told).toMatchObject({ status: exitCode, stdout: expect.stringMatching(stdout) });
  });
});

test('other formats keep our exit codes', async () => {
  for (const format of ['prometheus', 'github', 'junit', 'sarif']) {
    const words = ['check', '--dir', certs, ...late, '--format', format];
    expect([format, (await daprMtls(...words)).status]).toEqual([format, 10]);
    expect([format, (await daprMtls(...words, '--fail-on', 'never')).status]).toEqual([format, 0]);
    expect(await daprMtls('check', '--dir', 'nowhere', '--format', format)).toMatchObject({ status: 5, stdout: '' });
  }
});

describe('--output', () => {
  const path = join(folder, 'dapr_mtls.prom');
  const write = (target: string, ...words: string[]) =>
    daprMtls('expiry', '--dir', certs, '--format', 'prometheus', '-o', target, ...words);

  test('replaces the file as a whole, and leaves nothing beside it', async () => {
    writeFileSync(path, 'old');
    const { ino } = lstatSync(path);
    expect(await write(path)).toMatchObject({ status: 0, stdout: '' });
    expect(readFileSync(path, 'utf8')).toMatch(/^# HELP dapr_mtls_certificate_expiry_timestamp_seconds /);
    expect(lstatSync(path)).toMatchObject({ mode: 0o100644 });
    expect(lstatSync(path).ino).not.toBe(ino);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('keeps the old one where there is nothing new to tell', async () => {
    writeFileSync(path, 'old');
    const { status } = await daprMtls('expiry', '--dir', 'nowhere', '--format', 'prometheus', '-o', path);
    expect([status, readFileSync(path, 'utf8')]).toEqual([5, 'old']);
  });

  test('goes through a link, and writes to what is no file', async () => {
    symlinkSync(path, join(folder, 'link'));
    expect((await write(join(folder, 'link'))).status).toBe(0);
    expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true);
    expect(readFileSync(path, 'utf8')).toMatch(/^# HELP /);
    expect(await write('/dev/null')).toMatchObject({ status: 0, stdout: '' });
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  test('says where it may not write', async () => {
    expect(await write(join(folder, 'nowhere', 'x.prom'))).toMatchObject({
      status: 5,
      stderr: expect.stringContaining('nowhere'),
    });
  });

  test('names the file that was asked for, not the one beside it', async () => {
    const target = join(folder, 'nowhere', 'x.prom');
    const { stderr } = await write(target);
    expect(stderr).toMatch(`Error: cannot write ${target}: no such file or directory (ENOENT)\n`);
  });

  test.each([
    ['expiry', '--format', 'json'],
    ['check', '--format', 'sarif'],
    ['check', '--format', 'text'],
  ])('- is standard output: %s %s %s', async (command, ...words) => {
    const [plain, dashed] = await Promise.all([
      daprMtls(command, '--dir', certs, ...soon, ...words),
      daprMtls(command, '--dir', certs, ...soon, ...words, '-o', '-'),
    ]);
    expect(plain.stdout).not.toBe('');
    expect(dashed).toEqual(plain);
    expect(readdirSync(folder)).not.toContain('-');
  });

  test.each([
    ['expiry', ['-o', '']],
    ['check', ['--output=']],
    ['report', ['-o', '']],
    ['audit', ['-o', '']],
  ])('an empty name is refused: %s %j', async (command, words) => {
    const { status, stderr } = await daprMtls(command, ...words);
    expect([status, stderr]).toEqual([2, expect.stringMatching(/^Error: --output names no file\n/)]);
  });

  test('takes every format, the text without colour', async () => {
    const result = await run(['mtls', 'check', '--dir', certs, ...soon, '-o', path], {
      cwd: folder,
      env: { FORCE_COLOR: '1' },
    });
    expect([result.status, result.stdout]).toEqual([10, '']);
    expect(readFileSync(path, 'utf8')).toMatch(/^! warning /);
  });
});
