import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { contents, temporaryDirectory } from '../support/directory.ts';
import { announceSkipped, inNamespace, whyNoMount } from '../support/privilege.ts';
import { copyProgram, type Program } from '../support/program.ts';
import { makeTrustDirectory } from '../support/trust-directory.ts';

const obstacle = whyNoMount();
announceSkipped('other devices, read-only and full disks are not tried', obstacle);

let program: Program;

beforeAll(() => {
  program = copyProgram();
});

interface Refusal {
  readonly name: string;
  /** A shell script; `$1` is the folder around the directory `certs`, `$2` holds a bundle. */
  readonly mount: string;
  readonly command?: readonly string[];
  readonly code: string;
  readonly message: RegExp;
  readonly hint: RegExp;
}

const otherDevice = {
  code: 'store.work-directory',
  message: /not on the file system of .*certs/,
  hint: /below the mount point \(.*certs\/certs\)/,
};
const full = { code: 'store.full', message: /KiB are free|no space left/, hint: /Free some space/ };

const refusals: readonly Refusal[] = [
  {
    name: 'the directory is another file system',
    mount: 'mount -t tmpfs none "$1/certs"; cp -a "$2"/* "$1/certs"',
    ...otherDevice,
  },
  {
    name: 'the directory is another file system, and empty',
    mount: 'mount -t tmpfs none "$1/certs"',
    command: ['init'],
    ...otherDevice,
  },
  {
    name: 'the directory is another mount of the same file system',
    mount: 'mount --bind "$2" "$1/certs"',
    ...otherDevice,
  },
  {
    name: 'the work directory is another file system',
    mount: 'cp -a "$2"/* "$1/certs"; mkdir -m 700 "$1/certs.mtls"; mount -t tmpfs -o mode=700 none "$1/certs.mtls"',
    ...otherDevice,
  },
  {
    name: 'the file system is read-only',
    mount: 'cp -a "$2"/* "$1/certs"; mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"',
    code: 'store.permission',
    message: /read-only file system \(EROFS\)/,
    hint: /mounted read-only/,
  },
  {
    name: 'the disk is nearly full',
    mount: 'mount -t tmpfs -o size=300k none "$1"; mkdir "$1/certs"; cp -a "$2"/* "$1/certs"',
    ...full,
  },
  {
    name: 'the disk is full to the last byte',
    mount:
      'mount -t tmpfs -o size=300k none "$1"; mkdir "$1/certs"; cp -a "$2"/* "$1/certs"; cat /dev/zero > "$1/filler" 2>/dev/null || true',
    ...full,
  },
  {
    name: 'the disk takes no more files',
    mount: 'mount -t tmpfs -o nr_inodes=12 none "$1"; mkdir "$1/certs"; cp -a "$2"/* "$1/certs"',
    ...full,
  },
  {
    name: 'the disk is full, and there is no bundle yet',
    mount: 'mount -t tmpfs -o size=300k none "$1"',
    command: ['init'],
    ...full,
  },
];

describe.skipIf(obstacle)('a change is refused, and nothing is changed, where', () => {
  test.each(refusals)('$name', async ({ mount, command = ['renew-certificate'], code, message, hint }) => {
    const { directory: bundle } = await makeTrustDirectory();
    const parent = temporaryDirectory();
    mkdirSync(join(parent, 'certs'));
    const results = temporaryDirectory();
    // The mounts end with the namespace, so what is in them is brought out before and after.
    const script = `${mount}\ncp -a "$1" "$3/before"\nstatus=0\n`;
    const args = [...command, '--dir', join(parent, 'certs'), '--settle', '0', '--format', 'json'];
    const wrapper = inNamespace(
      `${script}(shift 3; "$@") || status=$?\ncp -a "$1" "$3/after"\nexit $status`,
      parent,
      bundle,
      results,
    );
    const { exitCode, stdout, stderr } = await program.run(args, { wrapper });
    expect(JSON.parse(stdout || '{}'), stderr).toMatchObject({
      code,
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
    expect(exitCode).toBe(5);
    expect(withoutEmptyWork(contents(join(results, 'after')))).toEqual(
      withoutEmptyWork(contents(join(results, 'before'))),
    );
  });

  /** Empty folders may be made to find out what can be done. */
  function withoutEmptyWork(found: Record<string, string>): Record<string, string> {
    const { 'certs.mtls': _, 'certs.mtls/backups': __, ...rest } = found;
    return rest;
  }
});

describe.skipIf(obstacle)('where the whole folder is a file system of its own', () => {
  test('a change goes through', async () => {
    const { directory: bundle } = await makeTrustDirectory();
    const parent = temporaryDirectory();
    const mount = 'mount -t tmpfs none "$1"; mkdir "$1/certs"; cp -a "$2"/* "$1/certs"';
    const wrapper = inNamespace(mount, parent, bundle);
    const outcome = await program.run(['renew-certificate', '--dir', join(parent, 'certs'), '--settle', '0'], {
      wrapper,
    });
    expect(outcome.exitCode, outcome.stderr).toBe(0);
  });
});
