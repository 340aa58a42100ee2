import { availableParallelism } from 'node:os';
import { beforeAll, describe, expect, test } from 'vitest';
import { copyProgram, type Program } from '../support/program.ts';
import { look, lookWithCommands, outline } from './aftermath.ts';
import { changingCommands } from './commands.ts';
import { disturb, expectWhole, finish, inParallel, rehearse } from './rehearsal.ts';
import { whyNoTrace } from './trace.ts';

const obstacle = whyNoTrace();
if (obstacle) console.warn(`skipped: no run is killed at its system calls, because ${obstacle}`);

let program: Program;

beforeAll(() => {
  program = copyProgram();
});

describe.skipIf(obstacle)('killed at any system call that writes', () => {
  test.each(changingCommands)('$name leaves a whole bundle, and the next run finishes it', async (command) => {
    const rehearsal = await rehearse(program, command);
    const sights = new Set<string>();
    await inParallel(rehearsal.calls, availableParallelism(), async (call) => {
      const { folder, outcome } = await disturb(program, rehearsal, call, 'KILL');
      expect(outcome.exitCode).toBe(137);
      const sight = await look(folder);
      expectWhole(rehearsal, sight);
      const kind = `${sight.stored.state}: ${outline(sight.stored.files, rehearsal.before)}`;
      const isNewKind = !sights.has(kind);
      sights.add(kind);
      if (isNewKind) await lookWithCommands(program, folder, sight);
      await finish(program, rehearsal, folder, sight);
    });
    console.info(
      `${command.name}: killed at ${rehearsal.calls.length} calls, then seen:\n  ${[...sights].join('\n  ')}`,
    );
  });
});
