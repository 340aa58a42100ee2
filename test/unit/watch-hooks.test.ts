import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { WatchReport } from '../../src/app/watch/report.ts';
import type { LogEntry } from '../../src/app/watch/watch.ts';
import { type HookOptions, openHook } from '../../src/cli/watch/hooks.ts';
import { makeBundle } from '../support/bundles.ts';
import { momentAt, sightOf, startWatch } from '../support/watch-world.ts';
import { makeFolder } from '../support/workplace.ts';

const folder = makeFolder('watch-hooks');
let report: WatchReport;

beforeAll(async () => {
  const at = new Date('2026-12-01T12:00:00Z');
  const { files } = await makeBundle({ at });
  const effects = startWatch({ thresholds: '100%' }).turn({ kind: 'looked', sight: sightOf(files) }, momentAt(at));
  report = effects.flatMap((effect) => (effect.kind === 'report' ? effect.report : []))[0] as WatchReport;
});

function open(command: string, limits: Partial<HookOptions> = {}) {
  const said: LogEntry[] = [];
  return { said, hook: openHook({ name: 'on-change', command, log: (entry) => said.push(entry), ...limits }) };
}

const numbered = (number: number): WatchReport => ({
  ...report,
  changes: [{ reason: 'Counted', about: String(number), message: String(number) }],
});
const countedIn = (path: string) =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as WatchReport).changes.map(({ about }) => about).join())
    : [];

test('one run at a time; what comes meanwhile is one report', async () => {
  const path = join(folder, 'counted');
  const busy = join(folder, 'busy');
  const { hook, said } = open(`mkdir ${busy} && sleep 0.3 && cat >> ${path} && rmdir ${busy}`);
  for (const number of [1, 2, 3, 4]) hook.call(numbered(number));
  await expect.poll(() => countedIn(path)).toEqual(['1', '2,3,4']);
  await expect.poll(() => existsSync(busy)).toBe(false);
  hook.call(numbered(5));
  await expect.poll(() => countedIn(path)).toEqual(['1', '2,3,4', '5']);
  await hook.close(1000);
  expect(said).toEqual([]);
});

test.each([
  ['exit 3', 'The command of --on-change ended with exit code 3'],
  ['kill -KILL $$', 'The command of --on-change was ended by SIGKILL'],
  ['no-such-program-here', 'The command of --on-change ended with exit code 127'],
])('%s is a line of the log', async (command, message) => {
  const { hook, said } = open(`${command} 2>/dev/null`);
  hook.call(report);
  await expect.poll(() => said).toEqual([{ level: 'error', message }]);
});

test('who reads nothing, or closes its input, is no failure', async () => {
  const path = join(folder, 'done');
  const { hook, said } = open(`exec 0<&-; echo x >> ${path}`);
  const large = { ...report, unread: Array.from({ length: 20_000 }, () => 'a sentence of some length') };
  hook.call(large);
  hook.call(large);
  await expect.poll(() => existsSync(path) && readFileSync(path, 'utf8')).toBe('x\nx\n');
  await hook.close(1000);
  expect(said).toEqual([]);
});

test('one that takes too long is ended, and what it has started with it', async () => {
  const path = join(folder, 'child');
  const stubborn = `trap '' TERM; sh -c "trap '' TERM; sleep 60" & echo $! > ${path}; wait; wait`;
  const { hook, said } = open(stubborn, { limitMs: 400, killAfterMs: 200 });
  hook.call(report);
  await expect
    .poll(() => said.map(({ message }) => message))
    .toEqual(['The command of --on-change took longer than 0.4 seconds and was ended']);
  const child = Number(readFileSync(path, 'utf8'));
  await expect.poll(() => isAlive(child)).toBe(false);
});

test('after it was closed nothing runs any more', async () => {
  const path = join(folder, 'late');
  const { hook } = open(`sleep 0.2; cat >> ${path}`);
  hook.call(numbered(1));
  hook.call(numbered(2));
  await hook.close(2000);
  hook.call(numbered(3));
  expect(countedIn(path)).toEqual(['1']);
});

/** One that has ended and is not waited for yet is dead all the same. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
