import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../support/directory.ts';
import { openRotationStore } from '../support/rotation-process.ts';
import { bundleRotationProcess } from '../support/rotation-run.ts';
import { makeTrustDirectory } from '../support/trust-directory.ts';
import type { ChangingCommand } from './commands.ts';
import { disturb, inParallel } from './rehearsal.ts';
import { type Call, trace, whyNoTrace } from './trace.ts';

const obstacle = whyNoTrace();
if (obstacle) console.warn(`skipped: no write of a rotation's record is disturbed, because ${obstacle}`);

const key = 'a PRIVATE KEY';
const before = `${key} of before`;
const after = `${key} of after`;

const save = (prepare: ChangingCommand['prepare']): ChangingCommand => ({
  name: 'save',
  args: (folder) => ['rotation-save', join(folder, 'certs'), after],
  prepare,
  keyFiles: [],
});

const cases = [
  {
    what: 'the first record',
    found: undefined,
    command: save(async (folder) => {
      await makeTrustDirectory('plain', { parent: folder });
    }),
  },
  {
    what: 'a later record',
    found: before,
    command: save(async (folder) => {
      await makeTrustDirectory('plain', { parent: folder });
      const { store } = await openRotationStore({ kind: 'directory', path: join(folder, 'certs') });
      const lock = await store.lock('rotate run', 0);
      await lock.save(Buffer.from(before));
      await lock.release();
    }),
  },
];

describe.skipIf(obstacle)('at any system call that writes', () => {
  let program: { readonly command: readonly string[] };
  beforeAll(async () => {
    program = { command: [process.execPath, await bundleRotationProcess()] };
  });

  async function rehearse(command: ChangingCommand): Promise<{ template: string; calls: readonly Call[] }> {
    const template = temporaryDirectory('template');
    await command.prepare(template);
    const folder = temporaryDirectory('rehearsal');
    await command.prepare(folder);
    const run = await trace([...program.command, ...command.args(folder)], folder, { cwd: folder, threads: 'all' });
    expect(run.outcome.exitCode, run.outcome.stderr).toBe(0);
    expect(run.calls.length).toBeGreaterThan(0);
    expect(new Set(run.calls.map(({ thread }) => thread)).size).toBe(1);
    return { template, calls: run.calls };
  }

  const recordIn = (folder: string) => {
    const work = join(folder, 'certs.mtls');
    return readdirSync(work).includes('rotation.json') ? readFileSync(join(work, 'rotation.json'), 'utf8') : undefined;
  };

  /** The next run takes over, finds what was there, goes on, and leaves nothing but the record. */
  async function goOn(folder: string, context: string): Promise<void> {
    const left = recordIn(folder);
    const { store } = await openRotationStore({ kind: 'directory', path: join(folder, 'certs') });
    const lock = await store.lock('rotate run', 0);
    expect((await lock.read())?.content.toString(), context).toBe(left);
    await lock.save(Buffer.from('next'));
    await lock.release();
    expect(recordIn(folder)).toBe('next');
    expect(readdirSync(join(folder, 'certs.mtls')), context).toEqual(['rotation.json']);
  }

  test.each(cases)(
    'killed: $what is the old one or the new one, and the next run goes on',
    async ({ found, command }) => {
      const { template, calls } = await rehearse(command);
      const seen = new Set<string | undefined>();
      await inParallel(calls, availableParallelism(), async (call) => {
        const { folder, outcome } = await disturb(program, { command, template, calls }, call, 'KILL');
        expect(outcome.exitCode).toBe(137);
        seen.add(recordIn(folder));
        await goOn(folder, call.what);
      });
      expect(seen).toEqual(new Set([found, after]));
      console.info(`killed at ${calls.length} calls`);
    },
  );

  test.each(cases)(
    'failing: $what is the old one or the new one, and no draft of it stays',
    async ({ found, command }) => {
      const { template, calls } = await rehearse(command);
      await inParallel(calls, availableParallelism(), async (call) => {
        const by = call.name === 'fsync' ? 'EIO' : 'ENOSPC';
        const { folder, outcome } = await disturb(program, { command, template, calls }, call, by);
        expect(outcome.exitCode, `${call.what}: ${outcome.stderr}`).toBe(5);
        expect([found, after]).toContain(recordIn(folder));
        const isRemoval = call.name.startsWith('unlink');
        const drafts = readdirSync(join(folder, 'certs.mtls')).filter((name) => /^rotation\.json\./.test(name));
        if (!isRemoval) expect(drafts, call.what).toEqual([]);
        await goOn(folder, call.what);
      });
    },
  );

  test('the record is written, synced, renamed into its place, and the folder is synced', async () => {
    const { calls } = await rehearse(cases[1]?.command ?? save(async () => undefined));
    const draft = '/certs.mtls/rotation.json.ID';
    const ofRecord = calls
      .map(({ what }) => what)
      .filter((what) => what.includes('rotation.json') || what === 'fsync </certs.mtls>');
    expect(ofRecord).toEqual([
      `openat "${draft}", O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW, 0600`,
      `write <${draft}>, `,
      `fchmod <${draft}>, 0600`,
      `fsync <${draft}>`,
      `rename "${draft}", "/certs.mtls/rotation.json"`,
      'fsync </certs.mtls>',
    ]);
  });
});
