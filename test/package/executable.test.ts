import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeRotateManifest } from '../../src/app/manifest/rotate.ts';
import { commandTable } from '../../src/commands/table.ts';
import { packageHome, runAny } from '../support/command-line.ts';
import { copyBundle, makeFolder } from '../support/workplace.ts';

const folder = makeFolder('executable');
/** What a build of the image gets to see. */
const context = join(folder, 'context');
/** The one file, in a folder of its own. */
const alone = join(folder, 'alone', 'an other name');
const asDapr = join(folder, 'alone', 'dapr');

beforeAll(() => {
  const letIn = readFileSync(join(packageHome, '.dockerignore'), 'utf8').matchAll(/^!(.+)$/gm);
  for (const [, name = ''] of letIn) cpSync(join(packageHome, name), join(context, name), { recursive: true });
  symlinkSync(join(packageHome, 'node_modules'), join(context, 'node_modules'));
  execFileSync('npm', ['run', '--silent', 'executable'], { cwd: context, stdio: 'ignore' });
  mkdirSync(dirname(alone));
  copyFileSync(join(context, 'dist-executable', 'dapr-mtls'), alone);
  symlinkSync(alone, asDapr);
}, 900_000);

describe('the single executable', () => {
  test('is what Node would run', async () => {
    for (const words of [['--version'], ['--help'], ['expiry', '--help'], ['completion', 'zsh'], ['no-command']]) {
      const scripted = await runAny(process.execPath, [join(context, 'bin', 'dapr-mtls.js'), ...words]);
      expect(await runAny(alone, words), words.join(' ')).toEqual(scripted);
    }
  });

  test('is `dapr` by that name', async () => {
    const { status, stdout } = await runAny(asDapr, ['mtls', 'expiry', '--help']);
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('dapr mtls expiry [FLAGS]') });
    const handedOn = await runAny(asDapr, ['--version'], { env: { PATH: dirname(alone) } });
    expect(handedOn).toMatchObject({ status: 2, stderr: expect.stringContaining('there is none on the PATH') });
  });

  test('tells the licences of what it holds, and the schema of its documents', async () => {
    const { stdout: licences } = await runAny(alone, ['--licenses']);
    for (const name of ['dapr-mtls ', '@oclif/core ', '@peculiar/x509 ', 'yaml ', `Node.js ${process.version}`]) {
      expect(licences).toMatch(new RegExp(`^${name}`, 'm'));
    }
    const { stdout: schema } = await runAny(alone, ['--schema']);
    expect(schema).toBe(readFileSync(join(packageHome, 'schemas', 'dapr-mtls.v1.json'), 'utf8'));
  });

  test.each(Object.keys(commandTable))('starts %s with a code cache that V8 takes', async (id) => {
    const { stderr } = await runAny(alone, [...id.split(' '), '--no-such-flag'], { env: { DAPR_MTLS_DEBUG: '1' } });
    expect(stderr).toContain('unknown flag: --no-such-flag');
    expect(stderr).not.toContain('code cache');
  });

  test('is run in the image as the user that the Job of `manifest rotate` asks for, under the name that it calls', () => {
    const dockerfile = readFileSync(join(packageHome, 'Dockerfile'), 'utf8');
    const job = makeRotateManifest({
      image: 'registry.example/dapr-mtls',
      namespace: 'dapr-system',
      name: 'rotate',
      words: [],
      restartsApplications: false,
      mayProbe: false,
      passphraseSecret: undefined,
    }).find(({ kind }) => kind === 'Job');
    expect(job).toMatchObject({
      spec: {
        template: {
          spec: {
            securityContext: { runAsUser: Number(/^USER (\d+):\1$/m.exec(dockerfile)?.[1]) },
            containers: [{ command: [/^ENTRYPOINT \["\/usr\/local\/bin\/(.+)"\]$/m.exec(dockerfile)?.[1]] }],
          },
        },
      },
    });
  });

  test.skipIf(spawnSync('strace', ['-V']).error)(
    'opens no file beside it or of the checkout (skipped where strace is missing)',
    async () => {
      const directory = copyBundle(folder, 'sentry-1.17');
      const words = ['-f', '-e', 'trace=open,openat', alone, 'check', '--dir', directory, '--fail-on', 'never'];
      const { status, stderr } = await runAny('strace', words, { cwd: '/' });
      expect(status).toBe(0);
      const opened = [...stderr.matchAll(/open(?:at)?\((?:AT_FDCWD, )?"([^"]+)"/g)].map(([, path]) => path ?? '');
      const ofTheBundle = opened.filter((path) => path.startsWith(directory));
      expect(ofTheBundle.length).toBeGreaterThan(0);
      const besides = opened.filter((path) => path.startsWith(packageHome) || path.startsWith(folder));
      expect(besides.filter((path) => path !== alone && !ofTheBundle.includes(path))).toEqual([]);
    },
  );

  const canChangeRoot = process.platform === 'linux' && process.getuid?.() === 0;
  test.skipIf(!canChangeRoot)(
    'works where there is nothing but the C and C++ libraries, as nobody in particular (skipped without root)',
    async () => {
      const root = join(folder, 'root');
      const put = (from: string, to: string) => {
        mkdirSync(dirname(join(root, to)), { recursive: true });
        copyFileSync(from, join(root, to));
      };
      put(alone, '/usr/local/bin/dapr-mtls');
      const libraries = execFileSync('ldd', [alone], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g);
      for (const [, path = ''] of libraries) put(path, path);
      cpSync(copyBundle(folder, 'sentry-1.17', 'inside'), join(root, 'certs'), { recursive: true });
      mkdirSync(join(root, 'tmp'));
      chmodSync(join(root, 'tmp'), 0o1777);
      const inside = (...words: string[]) =>
        runAny('chroot', ['--userspec=65532:65532', root, '/usr/local/bin/dapr-mtls', ...words], {
          env: { HOME: '/tmp' },
        });
      expect(await inside('expiry', '--dir', '/certs')).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/^Root certificate expires in/),
      });
      expect(await inside('init', '--dir', '/made')).toMatchObject({ status: 5 });
      expect(await inside('init', '--dir', '/tmp/made')).toMatchObject({ status: 0 });
    },
  );
});
