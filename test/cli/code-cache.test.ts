import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { type CommandResult, run } from '../support/command-line.ts';
import { fixturePath } from '../support/fixtures.ts';
import { isScript } from '../support/program-under-test.ts';
import { makeFolder } from '../support/workplace.ts';

const words = ['expiry', '--dir', fixturePath('pki/sentry-1.17'), '--at', '2026-12-01'];
const workplace = makeFolder('code-cache');

let home: string;
let number = 0;
beforeEach(() => {
  number += 1;
  home = join(workplace, `home ${number}`);
  mkdirSync(home, { mode: 0o700 });
});

const runAtHome = (env: NodeJS.ProcessEnv = {}): Promise<CommandResult> => run(words, { env: { HOME: home, ...env } });

/** The one folder that the runs of this build and this Node share. */
function cacheFolder(): string {
  const caches = join(home, '.cache', 'dapr-mtls', 'code');
  const folders = readdirSync(caches);
  expect(folders).toHaveLength(1);
  return join(caches, ...folders);
}

/** Another number: the file was written anew. */
function inodes(): Record<string, number> {
  const folder = cacheFolder();
  return Object.fromEntries(readdirSync(folder).map((name) => [name, statSync(join(folder, name)).ino]));
}

// The single executable has its own inside.
describe.skipIf(!isScript)('the code that a run keeps for the next one', () => {
  test('is written by the first run, for its owner alone, and taken by the second', async () => {
    const first = await runAtHome();
    const written = inodes();
    expect(await runAtHome()).toEqual(first);
    expect(first).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Root certificate expires in /) });
    expect(Object.keys(written)).toEqual(['errors.cjs', 'main.cjs', 'mtls-expiry.cjs']);
    expect(inodes()).toEqual(written);
    expect(statSync(cacheFolder()).mode & 0o777).toBe(0o700);
    expect(statSync(join(cacheFolder(), 'main.cjs')).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['cut short', (folder: string) => truncateSync(join(folder, 'main.cjs'), 1000)],
    ['empty', (folder: string) => truncateSync(join(folder, 'main.cjs'), 0)],
    ['of another bundle', (folder: string) => copyFileSync(join(folder, 'errors.cjs'), join(folder, 'main.cjs'))],
  ])('is made anew where it is %s', async (_what, damage) => {
    const first = await runAtHome();
    const { 'main.cjs': before, ...others } = inodes();
    damage(cacheFolder());
    expect(await runAtHome()).toEqual(first);
    const { 'main.cjs': after, ...untouched } = inodes();
    expect(after).not.toBe(before);
    expect(untouched).toEqual(others);
  });

  test.each([
    ['is writable by the group', (folder: string) => chmodSync(folder, 0o770)],
    ['lies in one that is writable by all', (folder: string) => chmodSync(dirname(folder), 0o777)],
  ])('is not taken where its folder %s', async (_what, open) => {
    const first = await runAtHome();
    truncateSync(join(cacheFolder(), 'main.cjs'), 1000);
    open(cacheFolder());
    const before = inodes();
    expect(await runAtHome()).toEqual(first);
    // Read, it would have been found damaged and made anew.
    expect(inodes()).toEqual(before);
    expect(statSync(join(cacheFolder(), 'main.cjs')).size).toBe(1000);
  });

  test.skipIf(process.getuid?.() !== 0)("is neither taken nor written in somebody else's home", async () => {
    const first = await runAtHome();
    truncateSync(join(cacheFolder(), 'main.cjs'), 1000);
    const before = inodes();
    chownSync(cacheFolder(), 65534, 65534);
    expect(await runAtHome()).toEqual(first);
    expect(inodes()).toEqual(before);
    home = join(workplace, 'of another');
    mkdirSync(home);
    chownSync(home, 65534, 65534);
    expect(await runAtHome()).toEqual(first);
    expect(readdirSync(home)).toEqual([]);
  });

  test.each(['NODE_DISABLE_COMPILE_CACHE', 'NODE_COMPILE_CACHE'])('is not written where %s is set', async (name) => {
    const { stdout, status } = await runAtHome({ [name]: join(home, 'elsewhere') });
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^Root certificate expires in /)]);
    expect(readdirSync(home)).not.toContain('.cache');
  });

  test('may have no place to lie in', async () => {
    const withCache = await runAtHome();
    expect(await runAtHome({ HOME: '/proc/nobody' })).toEqual(withCache);
    expect(await runAtHome({ HOME: '' })).toEqual(withCache);
    expect(await runAtHome({ HOME: 'not/absolute' })).toEqual(withCache);
  });

  test('of builds that nobody has run for a month is removed when a new one comes', async () => {
    const caches = join(home, '.cache', 'dapr-mtls', 'code');
    for (const [name, days] of Object.entries({ forgotten: 31, recent: 29 })) {
      mkdirSync(join(caches, name), { recursive: true, mode: 0o700 });
      writeFileSync(join(caches, name, 'main.cjs'), '');
      const at = new Date(Date.now() - days * 24 * 60 * 60 * 1000);
      utimesSync(join(caches, name), at, at);
    }
    await runAtHome();
    expect(readdirSync(caches).filter((name) => !name.startsWith(`${process.version}-`))).toEqual(['recent']);
    expect(readdirSync(caches)).toHaveLength(2);
  });

  test('lies where XDG_CACHE_HOME says', async () => {
    await runAtHome({ XDG_CACHE_HOME: join(home, 'caches') });
    expect(readdirSync(home)).toEqual(['caches']);
    expect(readdirSync(join(home, 'caches'))).toEqual(['dapr-mtls']);
  });
});
