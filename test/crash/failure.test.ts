import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { copyProgram, type Program } from '../support/program.ts';
import { expectNothingLeft, look } from './aftermath.ts';
import { changingCommands } from './commands.ts';
import { disturb, expectWhole, finish, inParallel, rehearse } from './rehearsal.ts';
import { whyNoTrace } from './trace.ts';

const obstacle = whyNoTrace();
if (obstacle) console.warn(`skipped: no system call is made to fail, because ${obstacle}`);

let program: Program;

beforeAll(() => {
  program = copyProgram();
});

const failing = changingCommands.filter(({ name }) => ['init', 'renew-certificate'].includes(name));

describe.skipIf(obstacle)('where any system call that writes fails', () => {
  test.each(failing)('$name says so, takes its keys away, and is finished by the next run', async (command) => {
    const rehearsal = await rehearse(program, command);
    await inParallel(rehearsal.calls, availableParallelism(), async (call) => {
      const isSync = call.name === 'fsync';
      const { folder, outcome } = await disturb(program, rehearsal, call, isSync ? 'EIO' : 'ENOSPC');
      const context = `${call.what}: ${outcome.stderr}`;
      expect(outcome.exitCode, context).toBe(5);
      const sight = await look(folder);
      expectWhole(rehearsal, sight);
      const isRemoval = /^(unlink|rmdir)/.test(call.name);
      const isJournaled = existsSync(join(folder, 'certs.mtls', 'journal.json'));
      // What is to be removed stays where removing fails; what a journal needs stays with it.
      if (!isRemoval && !isJournaled) expectNothingLeft(folder, command.keyFiles, context);
      await finish(program, rehearsal, folder, sight);
    });
    console.info(`${command.name}: ${rehearsal.calls.length} calls made to fail`);
  });
});
