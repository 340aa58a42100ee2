import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { LockOwner } from '../../src/store/directory/lock.ts';
import { identifyThisProcess } from '../../src/store/directory/process-identity.ts';
import { contents } from '../support/directory.ts';
import { announceSkipped, giveTo, inNamespace, nobody, whyNoMount } from '../support/privilege.ts';
import { copyProgram, type Program } from '../support/program.ts';
import { makeTrustDirectory, sleeplessClock, type TrustDirectory } from '../support/trust-directory.ts';

let program: Program;

beforeAll(() => {
  program = copyProgram();
});

const renewNow = ['renew-certificate', '--settle', '0', '--dir'];

describe('two renewals at once', () => {
  test('the second exits 6 and names the first, which is finished later', async () => {
    const { directory, workDirectory, read } = await makeTrustDirectory();
    const first = program.start(['renew-certificate', '--dir', directory, '--settle', '3600']);
    await first.noted(/^Waiting/m);
    const waiting = contents(join(directory, '..'));
    const second = await program.run([...renewNow, directory]);
    expect(second).toMatchObject({ exitCode: 6 });
    expect(second.stderr).toContain(`the store is locked by "renew-certificate" on ${identifyThisProcess().host}`);
    expect(second.stderr).toContain(`process ${first.child.pid}`);
    expect(second.stderr).toContain('Wait until that run has ended');
    expect(contents(join(directory, '..'))).toEqual(waiting);
    expect(read().state).toBe('changing');

    first.child.kill('SIGINT');
    expect((await first.ended).exitCode).toBe(130);
    expect(await program.run([...renewNow, directory])).toMatchObject({ exitCode: 0 });
    expect(readdirSync(workDirectory)).toEqual(['backups']);
  });

  test('eight that start together each win or exit 6, and the bundle is whole', { timeout: 120_000 }, async () => {
    const { directory, workDirectory } = await makeTrustDirectory();
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => program.run([...renewNow, directory])));
    const codes = outcomes.map(({ exitCode }) => exitCode);
    expect(
      codes.filter((code) => code !== 0 && code !== 6),
      outcomes.map(({ stderr }) => stderr).join('\n'),
    ).toEqual([]);
    expect(codes).toContain(0);
    expect(await program.run(['check', '--dir', directory])).toMatchObject({ exitCode: 0 });
    expect(readdirSync(workDirectory)).toEqual(['backups']);
  });
});

describe('a lock that is found', () => {
  const here = () => ({ ...identifyThisProcess(), purpose: 'renew-certificate', since: '2026-11-22T01:02:03.000Z' });
  const owner = (differences: Partial<LockOwner> = {}) =>
    `${JSON.stringify({ ...here(), nonce: '0123456789abcdef', ...differences })}\n`;

  const taken: { name: string; content: () => string | Promise<string> }[] = [
    { name: 'of a process that has ended', content: () => owner({ pid: 4_194_305 }) },
    { name: 'from before the machine was started anew', content: () => owner({ bootId: 'another' }) },
    { name: 'whose process number another process has now', content: () => owner({ startTime: '1' }) },
    { name: 'of a process that has ended and that nobody has buried', content: async () => owner(await startZombie()) },
  ];

  test.each(taken)('$name is taken over', async ({ content }) => {
    const { trust, path } = await lockWith(await content());
    const session = await trust.store().openForChange('renew-certificate');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid });
    expect(readdirSync(trust.workDirectory)).toEqual(['lock']);
    await session.close();
    expect(readdirSync(trust.workDirectory)).toEqual([]);
  });

  const respected: { name: string; content: () => string; says: RegExp; mend: RegExp }[] = [
    {
      name: 'of a living process',
      content: () => owner(),
      says: new RegExp(`"renew-certificate" on .*, process ${process.pid}, since 2026-11-22T01:02:03.000Z`),
      mend: /Wait until that run has ended/,
    },
    {
      name: 'of another machine',
      content: () => owner({ host: 'elsewhere', pid: 4_194_305 }),
      says: /on elsewhere, process 4194305/,
      mend: /If you know that it has ended, remove .*lock/,
    },
    {
      name: 'of another container',
      content: () => owner({ pidNamespace: 'pid:[1]', pid: 4_194_305 }),
      says: /process 4194305/,
      mend: /remove .*lock/,
    },
    { name: 'that cannot be read', content: () => 'not JSON', says: /an owner that cannot be read/, mend: /remove/ },
    { name: 'that is empty', content: () => '', says: /an owner that cannot be read/, mend: /remove/ },
  ];

  test.each(respected)('$name is respected', async ({ content, says, mend }) => {
    const { trust, path } = await lockWith(content());
    const before = readFileSync(path);
    await expect(trust.store().openForChange('renew-certificate')).rejects.toMatchObject({
      code: 'store.locked',
      exitCode: 6,
      message: expect.stringMatching(says),
      hint: expect.stringMatching(mend),
    });
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(trust.workDirectory)).toEqual(['lock']);
  });

  const noMount = whyNoMount();
  announceSkipped('a lock is not looked at where processes are hidden', noMount);

  test.skipIf(noMount)('of a living process that /proc hides is respected', async () => {
    const { trust } = await lockWith(owner());
    giveTo(nobody, trust.parent);
    const hidden = 'mount -t proc -o hidepid=2 proc /proc';
    const wrapper = [...inNamespace(hidden), 'setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
    const outcome = await program.run([...renewNow, trust.directory], { wrapper });
    expect(outcome.stderr).toContain(`process ${process.pid}`);
    expect(outcome.exitCode).toBe(6);
  });

  test('a living run keeps its draft, a dead one does not', async () => {
    const trust = await makeTrustDirectory();
    const alive = 'lock.00000000000000a1';
    writeFileSync(join(trust.workDirectory, alive), owner());
    writeFileSync(join(trust.workDirectory, 'lock.00000000000000de'), owner({ pid: 4_194_305 }));
    writeFileSync(join(trust.workDirectory, 'lock.dead-00000000000000de'), owner({ pid: 4_194_305 }));
    writeFileSync(join(trust.workDirectory, 'lock.00000000000000ff'), owner().slice(0, 20));
    writeFileSync(join(trust.workDirectory, 'lock.smith'), 'not ours');
    await (await trust.store().openForChange('renew-certificate')).close();
    expect(readdirSync(trust.workDirectory).sort()).toEqual([alive, 'lock.smith']);
  });

  test('that was lost while the run waited stops it before the next step', async () => {
    const trust = await makeTrustDirectory();
    const before = trust.files();
    const clock = sleeplessClock(() => writeFileSync(join(trust.workDirectory, 'lock'), owner({ host: 'elsewhere' })));
    await expect(trust.renew({}, { settleMs: 60_000, clock })).rejects.toMatchObject({ code: 'store.locked' });
    expect(trust.files()).toEqual(before);
    // It is another's now.
    expect(existsSync(join(trust.workDirectory, 'lock'))).toBe(true);
  });

  async function lockWith(content: string): Promise<{ trust: TrustDirectory; path: string }> {
    const trust = await makeTrustDirectory();
    const path = join(trust.workDirectory, 'lock');
    writeFileSync(path, content, { mode: 0o600 });
    return { trust, path };
  }
});

/** A process that has ended, and whose parent never asks for its exit code. */
async function startZombie(): Promise<Partial<LockOwner>> {
  // It ends when its parent is no shell any more, which might ask after all.
  const child = 'until grep -q sleep /proc/$PPID/comm; do :; done';
  const script = `sh -c '${child}' & echo $!; exec sleep 600`;
  const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void parent.kill('SIGKILL'));
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  for (;;) {
    const [, state, startTime = ''] =
      /^\d+ \(.*\) (\w)(?: \S+){18} (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    if (state === 'Z') return { pid, startTime };
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
