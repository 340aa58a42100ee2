import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { contents, listTree, snapshot, temporaryDirectory } from '../support/directory.ts';
import { announceSkipped, giveTo, nobody, whyNoOtherUser } from '../support/privilege.ts';
import { copyProgram, type Outcome, type Program, startProcess } from '../support/program.ts';
import { makeTrustDirectory } from '../support/trust-directory.ts';

const obstacle = whyNoOtherUser();
announceSkipped('owners and rights are not looked at', obstacle);

let program: Program;

beforeAll(() => {
  program = copyProgram();
});

const names = ['ca.crt', 'issuer.crt', 'issuer.key'];
const someone = 12_345;

describe.skipIf(obstacle)('what root changes for another user', () => {
  test.each(['plain', 'linked'] as const)(
    'keeps the owner and the rights of every file (%s layout)',
    async (layout) => {
      const trust = await makeTrustDirectory(layout);
      const data = layout === 'linked' ? '..data' : '.';
      const rights = { 'ca.crt': 0o644, 'issuer.crt': 0o640, 'issuer.key': 0o440 };
      for (const name of names) chmodSync(join(trust.directory, name), rights[name as keyof typeof rights]);
      chmodSync(join(trust.directory, data), 0o2750);
      giveTo(nobody, trust.directory);
      chownSync(join(trust.directory, 'ca.crt'), someone, 54_321);
      const before = ownershipsOf(trust.directory, [data, ...names]);
      const files = trust.files();

      await withUmask(0o077, () => trust.renew());
      expect(ownershipsOf(trust.directory, [data, ...names])).toEqual(before);
      expect(trust.files().anchors).not.toEqual(files.anchors);
      expect(trust.files().issuerKey).not.toEqual(files.issuerKey);
    },
  );

  test('an empty directory keeps its owner and rights, and the files in it are his', async () => {
    const parent = temporaryDirectory();
    const directory = join(parent, 'certs');
    mkdirSync(directory);
    chmodSync(directory, 0o2770);
    giveTo(nobody, directory);
    const before = ownershipsOf(directory, ['.']);
    const outcome = await program.run(['init', '--dir', directory]);
    expect(outcome.exitCode, outcome.stderr).toBe(0);
    expect(ownershipsOf(directory, ['.'])).toEqual(before);
    expect(ownershipsOf(directory, names)).toEqual(names.map(() => `${nobody}:${nobody} 600`));
  });

  test("a directory that was not there is root's own, wherever it is made", async () => {
    const parent = temporaryDirectory();
    giveTo(nobody, parent);
    expect(await program.run(['init', '--dir', join(parent, 'certs')])).toMatchObject({ exitCode: 0 });
    const owners = listTree(parent).map((path) => lstatSync(path).uid);
    expect(owners.length).toBeGreaterThan(4);
    expect(new Set(owners)).toEqual(new Set([0]));
  });

  test('a file that was missing belongs to the owner of the directory', async () => {
    const trust = await makeTrustDirectory();
    giveTo(nobody, trust.parent);
    rmSync(join(trust.directory, 'issuer.key'));
    await trust.renew();
    expect(ownershipsOf(trust.directory, ['issuer.key'])).toEqual([`${nobody}:${nobody} 600`]);
  });

  test('the work directory and all in it is his, so that he may go on with it', async () => {
    const trust = await makeTrustDirectory();
    rmSync(trust.workDirectory, { recursive: true });
    giveTo(nobody, trust.parent);
    await trust.renew();
    const owners = [trust.workDirectory, ...listTree(trust.workDirectory)].map((path) => lstatSync(path).uid);
    expect(owners.length).toBeGreaterThan(5);
    expect(new Set(owners)).toEqual(new Set([nobody]));
    expect(lstatSync(trust.workDirectory).mode & 0o777).toBe(0o700);
    expect(await asNobody('renew-certificate', '--dir', trust.directory, '--settle', '0')).toMatchObject({
      exitCode: 0,
    });
  });

  test('what root was interrupted in he finishes', async () => {
    const trust = await makeTrustDirectory();
    giveTo(nobody, trust.parent);
    const stop = {
      assertRunning: () => {
        throw new Error('stopped');
      },
    };
    await expect(trust.renew({}, stop)).rejects.toThrow('stopped');
    const { files, state } = trust.read();
    expect(state).toBe('interrupted');
    const outcome = await asNobody('repair', '--dir', trust.directory, '--settle', '0');
    expect(outcome.exitCode, outcome.stderr).toBe(0);
    expect(trust.files()).toEqual(files);
  });
});

describe.skipIf(obstacle)('another user than root', () => {
  test.each([
    ['stands', 'certs'],
    ['may stand', 'nowhere'],
    ['a link leads to', 'link'],
  ])('is refused what %s in a folder that is closed to him', async (_, name) => {
    const { directory, parent } = await makeTrustDirectory();
    const outside = temporaryDirectory();
    chmodSync(outside, 0o755);
    symlinkSync(directory, join(outside, 'link'));
    chmodSync(parent, 0o700);
    const path = join(name === 'link' ? outside : parent, name);
    for (const command of [['expiry'], ['init'], ['config', 'view']]) {
      const { exitCode, stdout } = await asNobody(...command, '--dir', path, '--format', 'json');
      expect(JSON.parse(stdout)).toMatchObject({
        code: 'store.permission',
        message: `cannot open ${path}: permission denied (EACCES)`,
      });
      expect(exitCode).toBe(5);
    }
  });

  test('may not change the directory of somebody else', async () => {
    const { directory, parent } = await makeTrustDirectory();
    chmodSync(directory, 0o755);
    for (const name of names) chmodSync(join(directory, name), 0o644);
    await expectRefusal(parent, directory, {
      code: 'store.permission',
      message: `${directory} belongs to user 0, and this is user ${nobody}`,
      hint: 'Run as that user or as root, so that the files keep their owner.',
    });
  });

  test('may not change a directory of his own that he may not write into', async () => {
    const { directory, parent } = await makeTrustDirectory();
    giveTo(nobody, parent);
    chmodSync(directory, 0o500);
    await expectRefusal(parent, directory, { code: 'store.permission', message: /cannot write into .*EACCES/ });
  });

  test('is told how to get a work directory where the folder around is not his, and then may', async () => {
    const { directory, parent, workDirectory } = await makeTrustDirectory();
    rmSync(workDirectory, { recursive: true });
    giveTo(nobody, directory);
    await expectRefusal(parent, parent, {
      code: 'store.work-directory',
      message: `${workDirectory} cannot be made: ${parent} is not writable`,
      hint: `Make it once as who may: install -d -m 700 -o ${nobody} ${workDirectory}`,
    });
    const mend = spawnSync('install', ['-d', '-m', '700', '-o', String(nobody), workDirectory]);
    expect(mend.status).toBe(0);
    expect(await asNobody('renew-certificate', '--dir', directory, '--settle', '0')).toMatchObject({ exitCode: 0 });
  });

  test('gets a bundle into an empty directory of his own in a folder that is not his', async () => {
    const parent = temporaryDirectory();
    const directory = join(parent, 'certs');
    for (const folder of [directory, `${directory}.mtls`]) {
      mkdirSync(folder, { mode: 0o700 });
      giveTo(nobody, folder);
    }
    const { ino } = lstatSync(directory);
    const outcome = await asNobody('init', '--dir', directory, '--settle', '0');
    expect(outcome.exitCode, outcome.stderr).toBe(0);
    expect(lstatSync(directory).ino).toBe(ino);
    expect(await asNobody('check', '--dir', directory)).toMatchObject({ exitCode: 0 });
  });

  test('is refused before anything is made where the directory itself cannot be made', async () => {
    const parent = temporaryDirectory();
    const directory = join(parent, 'certs');
    mkdirSync(`${directory}.mtls`, { mode: 0o700 });
    giveTo(nobody, `${directory}.mtls`);
    await expectRefusal(
      parent,
      parent,
      {
        code: 'store.work-directory',
        message: `${directory} cannot be made: ${parent} is not writable`,
      },
      'init',
    );
  });

  test('is refused before anything is changed where the root key cannot be written', async () => {
    const { directory, parent } = await makeTrustDirectory();
    giveTo(nobody, parent);
    const vault = temporaryDirectory();
    const before = { ...contents(directory), ...snapshot(vault) };
    expect(await writeAsNobody(vault)).not.toBe(0);
    const outcome = await asNobody(
      ...['renew-certificate', '--dir', directory, '--settle', '0', '--format', 'json'],
      ...['--save-root-key', join(vault, 'root.key'), '--insecure-plaintext-key'],
    );
    expect(JSON.parse(outcome.stdout)).toMatchObject({ code: 'store.permission', exitCode: 5 });
    expect({ ...contents(directory), ...snapshot(vault) }).toEqual(before);
    expect(existsSync(join(`${directory}.mtls`, 'journal.json'))).toBe(false);
  });

  test('reads a bundle whose work directory is closed to him', async () => {
    const trust = await makeTrustDirectory();
    chmodSync(trust.directory, 0o755);
    for (const name of names) chmodSync(join(trust.directory, name), 0o644);
    const outcome = await asNobody('expiry', '--dir', trust.directory, '--format', 'json');
    expect(outcome.exitCode, outcome.stderr).toBe(0);
    expect(JSON.parse(outcome.stdout).store.state).toBe('unknown');
  });

  async function expectRefusal(
    watched: string,
    unwritable: string,
    failure: { code: string; message: string | RegExp; hint?: string },
    command = 'renew-certificate',
  ): Promise<void> {
    // The system itself refuses him, or the test would prove nothing.
    expect(await writeAsNobody(unwritable)).not.toBe(0);
    const before = snapshot(watched);
    const directory = join(watched, 'certs');
    const { exitCode, stdout } = await asNobody(command, '--dir', directory, '--settle', '0', '--format', 'json');
    const { message, ...rest } = failure;
    const words = typeof message === 'string' ? message : expect.stringMatching(message);
    expect(JSON.parse(stdout)).toMatchObject({ ...rest, message: words, exitCode: 5 });
    expect(exitCode).toBe(5);
    expect(snapshot(watched)).toEqual(before);
  }
});

describe.skipIf(obstacle)('a work directory that somebody else has laid out', () => {
  const traps: { name: string; lay: (workDirectory: string) => void }[] = [
    {
      name: 'belongs to another user',
      lay: (path) => chownSync(path, someone, someone),
    },
    { name: 'may be written by everyone', lay: (path) => chmodSync(path, 0o777) },
    {
      name: 'is a link',
      lay: (path) => {
        rmSync(path, { recursive: true });
        symlinkSync(temporaryDirectory(), path);
      },
    },
  ];

  test.each(traps)('is not used where it $name', async ({ lay }) => {
    const { directory, workDirectory } = await makeTrustDirectory();
    lay(workDirectory);
    const before = snapshot(join(directory, '..'));
    const { exitCode, stdout } = await program.run(['renew-certificate', '--dir', directory, '--format', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({ code: 'store.work-directory', exitCode: 5 });
    expect(exitCode).toBe(5);
    expect(snapshot(join(directory, '..'))).toEqual(before);
  });
});

function asNobody(...args: readonly string[]): Promise<Outcome> {
  return program.run(args, { uid: nobody });
}

async function writeAsNobody(folder: string): Promise<number> {
  return (await startProcess(['sh', '-c', ': > "$1/written"', 'sh', folder], { uid: nobody }).ended).exitCode;
}

function ownershipsOf(directory: string, paths: readonly string[]): string[] {
  return paths.map((path) => {
    const { uid, gid, mode } = statSync(join(directory, path));
    return `${uid}:${gid} ${(mode & 0o7777).toString(8)}`;
  });
}

async function withUmask(mask: number, run: () => Promise<unknown>): Promise<void> {
  const former = process.umask(mask);
  try {
    await run();
  } finally {
    process.umask(former);
  }
}
