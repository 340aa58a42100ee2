import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { initialize } from '../../src/app/init.ts';
import { locate } from '../../src/store/directory/place.ts';
import { listTree, snapshot, temporaryDirectory } from '../support/directory.ts';
import { copyProgram, type Program } from '../support/program.ts';
import { initInput, makeTrustDirectory, openTrustDirectory, type TrustDirectory } from '../support/trust-directory.ts';

let program: Program;

beforeAll(() => {
  program = copyProgram();
});

describe('a directory that is a link', () => {
  test('is changed where it leads to, under the lock of that place', async () => {
    const trust = await makeTrustDirectory();
    const link = join(temporaryDirectory(), 'link');
    symlinkSync(trust.directory, link);
    const linked = openTrustDirectory(link);
    expect(linked.workDirectory).toBe(trust.workDirectory);

    const session = await trust.store().openForChange('renew-certificate');
    await expect(linked.renew()).rejects.toMatchObject({ code: 'store.locked' });
    await session.close();

    const before = trust.files();
    await linked.renew();
    expect(readlinkSync(link)).toBe(trust.directory);
    expect(trust.files().issuerKey).not.toEqual(before.issuerKey);
    expect(linked.read()).toEqual(trust.read());
  });

  test('is refused where it leads to nothing', () => {
    const link = join(temporaryDirectory(), 'link');
    symlinkSync('nowhere', link);
    expect(() => locate(link)).toThrow(expect.objectContaining({ code: 'store.layout', exitCode: 5 }));
  });
});

describe('a name under which no directory can stand is no defect of ours, where', () => {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, 'file'), '');
  symlinkSync('round', join(folder, 'round'));

  test.each([
    ['it leads through a file', join('file', 'certs'), /file\/certs leads through a file/],
    ['it leads through a link to itself', join('round', 'certs'), /round\/certs leads through links/],
    ['it is a link to itself', 'round', /round leads through links/],
    ['it is too long', 'n'.repeat(300), /n is longer than a name may be/],
  ])('%s', (_, name, message) => {
    expect(() => locate(join(folder, name))).toThrow(
      expect.objectContaining({ code: 'store.layout', message: expect.stringMatching(message) }),
    );
  });
});

describe('a layout that cannot be changed safely is refused, and nothing is changed, where', () => {
  const layouts: { name: string; lay: (trust: TrustDirectory) => void; message: RegExp }[] = [
    {
      name: 'one file is a link',
      lay: ({ directory, parent }) => {
        renameSync(join(directory, 'issuer.key'), join(parent, 'real.key'));
        symlinkSync('../real.key', join(directory, 'issuer.key'));
      },
      message: /issuer.key in .* is a link to ..\/real.key/,
    },
    {
      name: 'a link leads to nothing',
      lay: ({ directory }) => {
        rmSync(join(directory, 'ca.crt'));
        symlinkSync('nowhere', join(directory, 'ca.crt'));
      },
      message: /ca.crt in .* is a link to nowhere/,
    },
    {
      name: 'only some of the files go through ..data',
      lay: ({ directory }) => {
        mkdirSync(join(directory, '..1'));
        renameSync(join(directory, 'ca.crt'), join(directory, '..1', 'ca.crt'));
        symlinkSync('..1', join(directory, '..data'));
        symlinkSync('..data/ca.crt', join(directory, 'ca.crt'));
      },
      message: /ca.crt in .* is a link/,
    },
    {
      name: '..data leads out of the directory',
      lay: ({ directory, parent }) => {
        mkdirSync(join(parent, 'elsewhere'));
        for (const name of ['ca.crt', 'issuer.crt', 'issuer.key']) {
          renameSync(join(directory, name), join(parent, 'elsewhere', name));
          symlinkSync(`..data/${name}`, join(directory, name));
        }
        symlinkSync('../elsewhere', join(directory, '..data'));
      },
      message: /..data leads to ..\/elsewhere, outside the directory/,
    },
    {
      name: 'it is a file',
      lay: ({ directory }) => {
        rmSync(directory, { recursive: true });
        writeFileSync(directory, 'a file');
      },
      message: /is not a directory/,
    },
  ];

  test.each(layouts)('$name', async ({ lay, message }) => {
    const trust = await makeTrustDirectory();
    lay(trust);
    const before = snapshot(trust.directory);
    const { exitCode, stdout } = await program.run([
      'renew-certificate',
      '--dir',
      trust.directory,
      '--settle',
      '0',
      '--format',
      'json',
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ code: 'store.layout', message: expect.stringMatching(message) });
    expect(exitCode).toBe(5);
    expect(snapshot(trust.directory)).toEqual(before);
    expect(listTree(trust.workDirectory).filter((path) => !path.includes('/backups'))).toEqual([]);
  });

  test('a reader finds a file instead of a directory, and says so', async () => {
    const path = join(temporaryDirectory(), 'certs');
    writeFileSync(path, 'a file');
    for (const command of ['expiry', 'check']) {
      expect(await program.run([command, '--dir', path])).toMatchObject({ exitCode: 5 });
    }
  });
});

describe('the layout of kubelet', () => {
  test('keeps the links, the other files and their rights; the folder behind ..data is a new one', async () => {
    const trust = await makeTrustDirectory('linked');
    const { directory } = trust;
    const former = readlinkSync(join(directory, '..data'));
    const data = join(directory, former);
    writeFileSync(join(data, 'namespace'), 'dapr-system');
    chmodSync(join(data, 'namespace'), 0o604);
    symlinkSync('namespace', join(data, 'alias'));
    mkdirSync(join(data, 'more'), { mode: 0o710 });
    writeFileSync(join(data, 'more', 'notes.txt'), 'kept');
    symlinkSync('..data/namespace', join(directory, 'namespace'));
    chmodSync(data, 0o751);
    const links = () =>
      ['ca.crt', 'issuer.crt', 'issuer.key', 'namespace'].map((name) => lstatSync(join(directory, name)).ino);
    const before = { links: links(), files: trust.files() };

    await trust.renew();
    const now = readlinkSync(join(directory, '..data'));
    expect(now).not.toBe(former);
    expect(readdirSync(directory).sort()).toEqual(
      [now, '..data', 'ca.crt', 'issuer.crt', 'issuer.key', 'namespace'].sort(),
    );
    expect(links()).toEqual(before.links);
    expect(trust.files().issuerKey).not.toEqual(before.files.issuerKey);
    expect(readFileSync(join(directory, 'namespace'), 'utf8')).toBe('dapr-system');
    expect(lstatSync(join(directory, now, 'namespace')).mode & 0o777).toBe(0o604);
    expect(lstatSync(join(directory, now, 'more')).mode & 0o777).toBe(0o710);
    expect(lstatSync(join(directory, now)).mode & 0o777).toBe(0o751);
    expect(readlinkSync(join(directory, now, 'alias'))).toBe('namespace');
    expect(readFileSync(join(directory, now, 'more', 'notes.txt'), 'utf8')).toBe('kept');
  });

  test('gets a file back that is missing behind its link', async () => {
    const trust = await makeTrustDirectory('linked');
    rmSync(realpathSync(join(trust.directory, 'issuer.key')));
    await trust.renew();
    expect(trust.files().issuerKey?.toString()).toContain('PRIVATE KEY');
  });

  test('is seen whole while a change stands between two of its steps', async () => {
    const trust = await makeTrustDirectory('linked');
    let steps = 0;
    const stop = () => {
      if (++steps > 1) throw new Error('stopped');
    };
    await expect(trust.renew({}, { assertRunning: stop })).rejects.toThrow('stopped');
    const { files, state } = trust.read();
    expect(state).toBe('interrupted');
    await (await trust.store().openForChange('repair')).close();
    expect(trust.files()).toEqual(files);
  });

  test('is left as it stands, without the folders of the change, where the change is given up', async () => {
    const trust = await makeTrustDirectory('linked');
    let steps = 0;
    const stop = () => {
      if (++steps > 1) throw new Error('stopped');
    };
    await expect(trust.renew({}, { assertRunning: stop })).rejects.toThrow('stopped');
    const stands = trust.files();
    await trust.store().abandonInterrupted('repair --abandon');
    expect(trust.files()).toEqual(stands);
    expect(trust.read().state).toBe('settled');
    const folders = readdirSync(trust.directory).filter((name) => name.startsWith('..'));
    expect(folders.sort()).toEqual([readlinkSync(join(trust.directory, '..data')), '..data'].sort());
    expect(readdirSync(trust.workDirectory)).toEqual(['backups']);
  });

  test('that became plain files under an interrupted change is a conflict, and the change can be given up', async () => {
    const trust = await makeTrustDirectory('linked');
    const stop = () => {
      throw new Error('stopped');
    };
    await expect(trust.renew({}, { assertRunning: stop })).rejects.toThrow('stopped');
    const other = await makeTrustDirectory();
    rmSync(trust.directory, { recursive: true });
    renameSync(other.directory, trust.directory);
    const before = snapshot(trust.directory);
    await expect(trust.renew()).rejects.toMatchObject({ code: 'store.conflict', exitCode: 6 });
    expect(snapshot(trust.directory)).toEqual(before);
    await trust.store().abandonInterrupted('repair --abandon');
    expect(snapshot(trust.directory)).toEqual(before);
    await trust.renew();
    expect(trust.read().state).toBe('settled');
  });
});

describe('what else lies in the directory', () => {
  test('is not touched', async () => {
    const trust = await makeTrustDirectory();
    const path = (name: string) => join(trust.directory, name);
    writeFileSync(path('README'), 'notes');
    writeFileSync(path('.hidden'), '');
    mkdirSync(path('folder'));
    writeFileSync(join(path('folder'), 'file'), 'deep');
    symlinkSync('round', path('round'));
    symlinkSync('nowhere', path('dangling'));
    const others = () =>
      Object.fromEntries(
        Object.entries(snapshot(trust.directory)).filter(([path]) => !/^(certs|.*\.(crt|key))$/.test(basename(path))),
      );
    const before = others();
    expect(Object.keys(before)).toHaveLength(6);
    await trust.renew({}, { settleMs: 1 });
    expect(others()).toEqual(before);
    const checked = await program.run(['check', '--dir', trust.directory]);
    expect(checked.exitCode, checked.stderr).toBe(0);
  });
});

describe('other file names', () => {
  test('are kept by every change', async () => {
    const names = { anchors: 'root.pem', issuerChain: 'chain.pem', issuerKey: 'key.pem' };
    const trust = await makeTrustDirectory('plain', { names });
    const before = trust.files();
    await trust.renew();
    expect(readdirSync(trust.directory).sort()).toEqual(['chain.pem', 'key.pem', 'root.pem']);
    expect(trust.files().issuerKey).not.toEqual(before.issuerKey);
  });

  test('of a change that was interrupted decide how it is finished', async () => {
    const names = { anchors: 'root.pem', issuerChain: 'chain.pem', issuerKey: 'key.pem' };
    const trust = await makeTrustDirectory('plain', { names });
    const stop = () => {
      throw new Error('stopped');
    };
    await expect(trust.renew({}, { assertRunning: stop })).rejects.toThrow('stopped');
    const { files } = trust.read();
    await (await openTrustDirectory(trust.directory).store().openForChange('repair')).close();
    expect(trust.files()).toEqual(files);
  });
});

describe('a directory that is not there', () => {
  test('is made with the folders above it, for its owner alone', async () => {
    const parent = temporaryDirectory();
    const trust = openTrustDirectory(join(parent, 'new', 'certs'));
    await initialize(trust.store(), initInput());
    const rights = [join(parent, 'new'), trust.directory, trust.workDirectory].map(
      (path) => lstatSync(path).mode & 0o777,
    );
    expect(rights).toEqual([0o700, 0o700, 0o700]);
  });

  test('is not made where there is no home to make it in', async () => {
    const home = join(temporaryDirectory(), 'gone');
    const outcome = await program.run(['init', '--format', 'json'], { env: { HOME: home } });
    expect(JSON.parse(outcome.stdout)).toMatchObject({ code: 'usage.store', exitCode: 2 });
    expect(readdirSync(join(home, '..'))).toEqual([]);
  });
});
