import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { initialize } from '../../src/app/init.ts';
import type { DirectoryProgress } from '../../src/store/directory/directory-store.ts';
import { writeJournal } from '../../src/store/directory/journal.ts';
import { lastEventIn } from '../../src/store/directory/read.ts';
import { stage } from '../../src/store/directory/stage.ts';
import { findPrivateKeys, snapshot, temporaryDirectory } from '../support/directory.ts';
import { copyProgram, type Program } from '../support/program.ts';
import {
  initInput,
  makeTrustDirectory,
  openTrustDirectory,
  sleeplessClock,
  type TrustDirectory,
} from '../support/trust-directory.ts';

let program: Program;

beforeAll(() => {
  program = copyProgram();
});

/** Stops a renewal before the step with that number, as a signal does. */
async function interrupt(trust: TrustDirectory, beforeStep: number): Promise<void> {
  let step = 0;
  const assertRunning = () => {
    if (step++ === beforeStep) throw new Error('stopped');
  };
  await expect(trust.renew({}, { assertRunning })).rejects.toThrow('stopped');
}

describe('a change by somebody else', () => {
  test('between reading and writing is a conflict, and nothing is begun', async () => {
    const trust = await makeTrustDirectory();
    const other = await makeTrustDirectory();
    const session = await trust.store().openForChange('renew-certificate');
    const { revision } = await session.read();
    renameSync(join(other.directory, 'ca.crt'), join(trust.directory, 'ca.crt'));
    const before = snapshot(trust.directory);
    const step = { name: 'a step', files: { anchors: Buffer.from('new') } };
    await expect(session.apply({ steps: [step], sideFiles: [] }, revision)).rejects.toMatchObject({
      code: 'store.conflict',
      exitCode: 6,
    });
    await session.close();
    expect(snapshot(trust.directory)).toEqual(before);
    expect(readdirSync(trust.workDirectory)).toEqual([]);
  });

  test.each(['plain', 'linked'] as const)(
    'between two steps is a conflict, and is not overwritten (%s layout)',
    async (layout) => {
      const trust = await makeTrustDirectory(layout);
      await interrupt(trust, 1);
      const data = layout === 'linked' ? '..data/' : '';
      writeFileSync(join(trust.directory, `${data}issuer.crt`), 'what somebody else has put there');
      const before = snapshot(trust.directory);

      const failed = await program.run([
        'renew-certificate',
        '--dir',
        trust.directory,
        '--settle',
        '0',
        '--format',
        'json',
      ]);
      expect(failed.exitCode).toBe(6);
      expect(JSON.parse(failed.stdout)).toMatchObject({
        code: 'store.conflict',
        message: expect.stringContaining('issuer.crt was changed by somebody else'),
        hint: expect.stringMatching(/`dapr-mtls repair --dir .* --abandon`/),
      });
      expect(snapshot(trust.directory)).toEqual(before);

      const abandoned = await program.run(['repair', '--abandon', '--dir', trust.directory]);
      expect(abandoned.exitCode, abandoned.stderr).toBe(0);
      expect(readFileSync(join(trust.directory, 'issuer.crt'), 'utf8')).toBe('what somebody else has put there');
      expect(readdirSync(trust.workDirectory)).toEqual(['backups']);
    },
  );

  test('while the run waits for its second step is a conflict, and is not overwritten', async () => {
    const trust = await makeTrustDirectory();
    const path = join(trust.directory, 'issuer.key');
    let waits = 0;
    const clock = sleeplessClock(() => {
      if (++waits === 2) writeFileSync(path, 'what somebody else has put there');
    });
    await expect(trust.renew({}, { clock, settleMs: 1000 })).rejects.toMatchObject({ code: 'store.conflict' });
    expect(waits).toBeGreaterThanOrEqual(2);
    expect(readFileSync(path, 'utf8')).toBe('what somebody else has put there');
    expect(existsSync(join(trust.workDirectory, 'lock'))).toBe(false);
  });

  test('to the root key that an interrupted change has placed is a conflict', async () => {
    const trust = await makeTrustDirectory();
    const path = join(trust.parent, 'root.key');
    const stop = {
      assertRunning: () => {
        throw new Error('stopped');
      },
    };
    await expect(trust.renew({ rootKey: { path, passphrase: undefined } }, stop)).rejects.toThrow('stopped');
    writeFileSync(path, 'what somebody else has put there');
    await expect(trust.renew()).rejects.toMatchObject({ code: 'store.conflict' });
    expect(readFileSync(path, 'utf8')).toBe('what somebody else has put there');
  });

  test('that puts a directory where one is to be made is a conflict, and is not overwritten', async () => {
    const trust = openTrustDirectory(join(temporaryDirectory(), 'certs'));
    await (await trust.store().openForChange('init')).close();
    const wanted = await makeTrustDirectory();
    const { files: current } = trust.read();
    const steps = [{ name: 'all', files: wholeOf(wanted) }];
    const change = { place: trust.place, layout: 'absent', plan: { steps, sideFiles: [] }, current } as const;
    writeJournal(trust.workDirectory, stage({ ...change, id: '0123456789ab', purpose: 'init', now: new Date() }));
    expect(trust.read()).toMatchObject({ files: wanted.files(), state: 'interrupted' });

    renameSync((await makeTrustDirectory()).directory, trust.directory);
    const before = snapshot(trust.directory);
    await expect(trust.renew()).rejects.toMatchObject({ code: 'store.conflict' });
    expect(snapshot(trust.directory)).toEqual(before);
  });
});

describe('a change that was interrupted', () => {
  test('is seen as done by readers, who write nothing, and is told by check', async () => {
    const trust = await makeTrustDirectory();
    const expiry = ['expiry', '--dir', trust.directory, '--format', 'json'];
    const old = JSON.parse((await program.run(expiry)).stdout);
    await interrupt(trust, 1);
    const before = snapshot(trust.parent);

    const seen = JSON.parse((await program.run(expiry)).stdout);
    expect(seen.store.state).toBe('interrupted');
    expect(seen.root.fingerprint).not.toBe(old.root.fingerprint);
    expect(seen.issuer.fingerprint).not.toBe(old.issuer.fingerprint);
    const check = await program.run(['check', '--dir', trust.directory, '--format', 'json']);
    expect(check.exitCode).toBe(10);
    expect(JSON.parse(check.stdout).findings).toEqual([
      expect.objectContaining({
        code: 'store.interrupted',
        severity: 'error',
        hint: expect.stringContaining('repair'),
      }),
    ]);
    expect(snapshot(trust.parent)).toEqual(before);

    expect(await program.run(['repair', '--dir', trust.directory, '--settle', '0'])).toMatchObject({ exitCode: 0 });
    expect(JSON.parse((await program.run(expiry)).stdout).certificates).toEqual(
      seen.certificates.map((certificate: object) => ({ ...certificate, remainingSeconds: expect.any(Number) })),
    );
  });

  test('by SIGINT while it waits says what is left, and the same command finishes it', async () => {
    const trust = await makeTrustDirectory();
    const before = trust.files();
    const args = ['renew-certificate', '--dir', trust.directory, '--settle'];
    const run = program.start([...args, '3600']);
    await run.noted(/^Waiting \d+ s until .* is quiet/m);
    run.child.kill('SIGINT');
    const { exitCode, stderr } = await run.ended;
    expect(exitCode).toBe(130);
    expect(stderr).toContain('stopped by SIGINT; what was begun stands in the journal');
    expect(stderr).toContain('Run the same command again');
    expect(trust.files()).toEqual(before);
    expect(existsSync(join(trust.workDirectory, 'lock'))).toBe(false);

    const { files } = trust.read();
    const again = await program.run([...args, '0', '--format', 'json']);
    expect(again.exitCode, again.stderr).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ outcome: 'finished' });
    expect(trust.files()).toEqual(files);
  });

  test('behind the placing of the root key is finished by the same command', async () => {
    const trust = await makeTrustDirectory();
    const path = join(trust.parent, 'root.key');
    const assertRunning = () => {
      throw new Error('stopped');
    };
    await expect(trust.renew({ rootKey: { path, passphrase: undefined } }, { assertRunning })).rejects.toThrow();
    const args = ['renew-certificate', '--dir', trust.directory, '--settle', '0'];
    const again = await program.run([...args, '--save-root-key', path, '--insecure-plaintext-key']);
    expect(again.exitCode, again.stderr).toBe(0);
  });

  test('while it restored the newest backup is finished by the same command, and not undone', async () => {
    const trust = await makeTrustDirectory();
    const { anchors } = trust.files();
    await trust.renew({ request: { kind: 'fresh', procedure: 'replace' } });
    const args = ['backup', 'restore', '--dir', trust.directory, '--settle'];
    const run = program.start([...args, '3600']);
    await run.noted(/^Waiting/m);
    run.child.kill('SIGINT');
    expect((await run.ended).exitCode).toBe(130);
    expect(await program.run([...args, '0'])).toMatchObject({ exitCode: 0 });
    expect(trust.files().anchors).toEqual(anchors);
  });

  test('within a step is finished without a wait, because every moment counts', async () => {
    const trust = await makeTrustDirectory();
    await interrupt(trust, 1);
    const { files } = trust.read();
    const [pending = ''] = readdirSync(trust.workDirectory).filter((name) => name.startsWith('pending-'));
    renameSync(join(trust.workDirectory, pending, 'step-1', 'issuer.crt'), join(trust.directory, 'issuer.crt'));
    expect(trust.read()).toMatchObject({ files, state: 'interrupted' });
    let waits = 0;
    const clock = sleeplessClock(() => waits++);
    await (await trust.store({ clock, settleMs: 10_000 }).openForChange('repair')).close();
    expect(trust.files()).toEqual(files);
    expect(waits).toBe(0);
  });

  test('and whose files were taken away is not called finished', async () => {
    const trust = await makeTrustDirectory();
    await interrupt(trust, 1);
    const stands = trust.files();
    const [pending = ''] = readdirSync(trust.workDirectory).filter((name) => name.startsWith('pending-'));
    rmSync(join(trust.workDirectory, pending), { recursive: true });
    await expect(trust.store().openForChange('repair')).rejects.toMatchObject({ code: 'store.conflict' });
    expect(trust.files()).toEqual(stands);
    expect(trust.read().state).toBe('settled');
  });

  test('and whose files were damaged is not carried on', async () => {
    const trust = await makeTrustDirectory();
    await interrupt(trust, 1);
    const stands = trust.files();
    const [pending = ''] = readdirSync(trust.workDirectory).filter((name) => name.startsWith('pending-'));
    writeFileSync(join(trust.workDirectory, pending, 'step-1', 'issuer.key'), 'damaged');
    await expect(trust.store().openForChange('repair')).rejects.toMatchObject({ code: 'store.damaged', exitCode: 5 });
    expect(trust.files()).toEqual(stands);
  });

  test('and whose journal was damaged is an error for readers and writers', async () => {
    const trust = await makeTrustDirectory();
    await interrupt(trust, 1);
    writeFileSync(join(trust.workDirectory, 'journal.json'), '{');
    expect(() => trust.read()).toThrow(expect.objectContaining({ code: 'store.damaged' }));
    await expect(trust.renew()).rejects.toMatchObject({ code: 'store.damaged' });
    expect(existsSync(join(trust.workDirectory, 'lock'))).toBe(false);
  });

  test('and is given up leaves what stands, and no key of the change', async () => {
    const trust = await makeTrustDirectory();
    await interrupt(trust, 1);
    const stands = trust.files();
    expect(await trust.store().abandonInterrupted('repair --abandon')).toMatchObject({ purpose: 'renew-certificate' });
    expect(trust.files()).toEqual(stands);
    expect(trust.read().state).toBe('settled');
    const keys = findPrivateKeys(trust.parent).filter((path) => !path.includes('/backups/'));
    expect(keys).toEqual(['certs/issuer.key']);
    expect(await trust.store().abandonInterrupted('repair --abandon')).toBeUndefined();
  });
});

describe('a change under way', () => {
  test('is seen as such, and as done', async () => {
    const trust = await makeTrustDirectory();
    const seen: string[] = [];
    const clock = sleeplessClock(() => seen.push(trust.read().state));
    await trust.renew({}, { clock, settleMs: 1000 });
    expect(new Set(seen)).toEqual(new Set(['changing']));
    expect(trust.read().state).toBe('settled');
  });

  test.each(['plain', 'linked'] as const)('is never seen half, however often one looks (%s layout)', async (layout) => {
    const trust = await makeTrustDirectory(layout);
    const whole = new Set([trust.read().revision]);
    const seen = new Map<string, number>();
    for (let count = 0; count < 4; count++) {
      const run = program.start(['renew-certificate', '--dir', trust.directory, '--settle', '0']);
      let isRunning = true;
      run.child.once('close', () => {
        isRunning = false;
      });
      while (isRunning) {
        const { revision } = trust.read();
        seen.set(revision, (seen.get(revision) ?? 0) + 1);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await run.ended).toMatchObject({ exitCode: 0 });
      whole.add(trust.read().revision);
    }
    expect(whole.size).toBe(5);
    expect([...seen.keys()].filter((revision) => !whole.has(revision))).toEqual([]);
    expect(seen.size).toBeGreaterThan(3);
  });

  test('waits before each step until nothing has happened for the time given', async () => {
    const trust = await makeTrustDirectory();
    const settleMs = 200;
    const quietMs: number[] = [];
    let touched = false;
    const onProgress = ({ kind }: DirectoryProgress) => {
      // Somebody else comes in between, once the first step has begun to wait.
      if (kind === 'waiting' && !touched) writeFileSync(join(trust.directory, 'touched'), '');
      touched = true;
      if (kind === 'step') quietMs.push(Date.now() - lastEventIn(trust.directory).at);
    };
    await trust.renew({}, { settleMs, onProgress });
    expect(quietMs).toHaveLength(2);
    expect(Math.min(...quietMs)).toBeGreaterThanOrEqual(settleMs);
  });

  test('gives up where something never rests, and stays to be finished', async () => {
    const trust = await makeTrustDirectory();
    const before = trust.files();
    let count = 0;
    const clock = sleeplessClock(() => writeFileSync(join(trust.directory, `event-${count++ % 2}`), String(count)));
    await expect(trust.renew({}, { clock, settleMs: 10_000 })).rejects.toMatchObject({
      code: 'store.not-quiet',
      exitCode: 7,
    });
    expect(count).toBeGreaterThan(300);
    expect(trust.files()).toEqual(before);
    expect(trust.read().state).toBe('interrupted');
  });
});

describe('init', () => {
  test('leaves a bundle that is there as it is, and writes nothing', async () => {
    const trust = await makeTrustDirectory();
    const before = snapshot(trust.directory);
    const report = await initialize(trust.store(), initInput());
    expect(report.outcome).toBe('kept');
    expect(snapshot(trust.directory)).toEqual(before);
    expect(readdirSync(trust.workDirectory)).toEqual([]);
  });
});

function wholeOf(trust: TrustDirectory) {
  const { anchors, issuerChain, issuerKey } = trust.files();
  if (!anchors || !issuerChain || !issuerKey) throw new Error('the bundle is not whole');
  return { anchors, issuerChain, issuerKey };
}
