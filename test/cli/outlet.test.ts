import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { constants, cpSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { quotePosix } from '../../src/app/shell-quote.ts';
import { bareEnvironment, packageHome, run, runAny } from '../support/command-line.ts';
import { fixturePath } from '../support/fixtures.ts';
import { commandOf, isScript, shellCommandOf } from '../support/program-under-test.ts';
import { copyBundle, makeFolder } from '../support/workplace.ts';

const folder = makeFolder('outlet');
const certs = fixturePath('pki/sentry-1.17');
const [program, ...before] = commandOf('dapr-mtls');

const shellLineOf = (words: readonly string[]) => [shellCommandOf('dapr-mtls'), ...words.map(quotePosix)].join(' ');

type Stdio = 'ignore' | 'pipe' | number;

/** @returns the exit code, and what a pipe of standard error took */
async function runInto(words: readonly string[], stdout: Stdio, stderr: Stdio = 'pipe') {
  const child = spawn(program, [...before, ...words], { env: bareEnvironment, stdio: ['ignore', stdout, stderr] });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  // Nobody reads.
  child.stdout?.destroy();
  const [status] = await once(child, 'close');
  return { status, said };
}

/** One that looks and ends, one that keeps to Node's streams, and what is no command. */
const lines: [string, string[]][] = [
  ['expiry', ['expiry', '--dir', certs, '--at', '2026-11-22']],
  ['check', ['check', '--dir', certs, '--at', '2026-11-22', '--fail-on', 'never', '--format', 'json']],
  ['explain', ['explain', 'x509: certificate signed by unknown authority']],
  ['--help', ['--help']],
  ['--version', ['--version']],
];

describe.each(lines)('%s', (_, words) => {
  test('writes the same into a file, a pipe and a FIFO', async () => {
    const { stdout, stderr } = await run(words);
    expect(stdout).not.toBe('');
    const [out, err] = [join(folder, 'out'), join(folder, 'err')].map((path) => openSync(path, 'w'));
    await runInto(words, out as number, err as number);
    expect([readFileSync(join(folder, 'out'), 'utf8'), readFileSync(join(folder, 'err'), 'utf8')]).toEqual([
      stdout,
      stderr,
    ]);
    const piped = spawnSync('bash', ['-c', `set -o pipefail; ${shellLineOf(words)} | cat`], { env: bareEnvironment });
    expect([piped.status, piped.stdout.toString()]).toEqual([0, stdout]);
  });

  test('takes it for no error that nobody reads any more', async () => {
    const { stderr } = await run(words);
    expect(await runInto(words, 'pipe')).toEqual({ status: 0, said: stderr });
  });

  test.runIf(existsSync('/dev/full'))('tells that its output cannot be written', async () => {
    const { status, said } = await runInto(words, openSync('/dev/full', 'w'));
    expect(status).toBe(5);
    expect(said).toMatch(/^Error: standard output cannot be written: ENOSPC: .*\nWhat was to be done is done/m);
  });
});

test.runIf(existsSync('/dev/full'))('a full standard error leaves an error its exit code', async () => {
  expect((await runInto(['nonsense'], 'ignore', openSync('/dev/full', 'w'))).status).toBe(2);
  expect((await runInto(['expiry', '--dir', certs], 'ignore', openSync('/dev/full', 'w'))).status).toBe(5);
});

test('a long text comes whole through a pipe that lets nobody wait', async () => {
  const many = join(folder, 'many.pem');
  const [anchor] =
    /-----BEGIN[\s\S]*?-----END CERTIFICATE-----\n/.exec(readFileSync(join(certs, 'ca.crt'), 'utf8')) ?? [];
  writeFileSync(many, (anchor ?? '').repeat(200));
  const words = ['inspect', many, '--at', '2026-11-22', '--format', 'json'];
  const { stdout } = await run(words);
  expect(stdout.length).toBeGreaterThan(2 * 65_536);
  const fifo = join(folder, 'fifo');
  spawnSync('mkfifo', [fifo]);
  const ends = openSync(fifo, constants.O_RDWR);
  const ended = runInto(words, ends, 'ignore');
  // Makes both ends of it, which are one, such that nobody waits; reads when it is full.
  const reader = new Socket({ fd: ends, writable: false }).setEncoding('utf8');
  await sleep(1000);
  let text = '';
  reader.on('data', (part: string) => {
    text += part;
  });
  expect((await ended).status).toBe(0);
  await expect.poll(() => text.length).toBe(stdout.length);
  reader.destroy();
  expect(text === stdout).toBe(true);
});

test.runIf(existsSync('/dev/full'))('a full log stops no renewal', async () => {
  const directory = copyBundle(folder, 'sentry-1.17', 'renewed');
  const issuer = () => readFileSync(join(directory, 'issuer.crt'), 'utf8');
  const former = issuer();
  const full = openSync('/dev/full', 'w');
  expect((await runInto(['renew-certificate', '--dir', directory, '--settle', '0'], full, full)).status).toBe(5);
  expect(issuer()).not.toBe(former);
  expect((await run(['check', '--dir', directory, '--fail-on', 'error'])).status).toBe(0);
});

test.each([
  ['explain', ['explain', 'x509: certificate signed by unknown authority', '--format', 'json']],
  ['check', ['check', '--dir', certs, '--at', '2026-11-22', '--fail-on', 'never', '--format', 'json']],
])('of a disk that becomes full in the middle %s tells, too', async (_, words) => {
  const file = join(folder, 'half');
  // In blocks of 1024 bytes.
  const limited = spawnSync('bash', ['-c', `ulimit -f 1; exec ${shellLineOf(words)} > '${file}' 2> >(cat >&2)`], {
    env: bareEnvironment,
  });
  expect(readFileSync(file)).toHaveLength(1024);
  expect(limited.status).toBe(5);
  expect(limited.stderr.toString()).toContain('Error: standard output cannot be written: EFBIG');
});

// A preload, which the single executable does not take.
describe.runIf(isScript)('an error that nobody waits for', () => {
  test.each([
    'throw new Error("odd")',
    'Promise.reject(new Error("odd"))',
    'Promise.reject(new Error("odd")); Promise.reject(new Error("another"))',
  ])('%s is told as a defect', async (thrown) => {
    const preload = join(folder, 'odd.cjs');
    writeFileSync(preload, `setTimeout(() => { ${thrown} }, 500);`);
    const watching = ['--require', preload, join(packageHome, 'bin/dapr-mtls.js'), 'watch', '--dir', certs];
    const { status, stderr } = await runAny(process.execPath, watching);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^Error: odd\nThis is a defect of dapr-mtls\./m);
    expect(stderr).not.toContain('another');
  });

  test('is told also where what tells of failures is not there any more', async () => {
    const home = join(folder, 'home');
    for (const part of ['bin', 'dist', 'package.json', 'oclif.manifest.json'])
      cpSync(join(packageHome, part), join(home, part), { recursive: true });
    rmSync(join(home, 'dist/report-failure.cjs'));
    const { status, stderr } = await runAny(process.execPath, [join(home, 'bin/dapr-mtls.js'), 'nonsense']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^\w*Error: .*nonsense" is not a command\n +at /);
  });
});
