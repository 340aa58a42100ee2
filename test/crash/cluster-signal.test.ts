import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { matches } from '../support/api-server/request.ts';
import { copyProgram, type Program } from '../support/program.ts';
import { describeWrite, isWrite, onWrite, openStage, type Stage } from './cluster-stage.ts';

let program: Program;
let stage: Stage;

beforeAll(async () => {
  program = copyProgram();
  stage = await openStage(program, '1.17.13', pauseMs);
});
afterAll(() => stage.stop());

const pauseMs = 300;
const line = ['renew-certificate', '-k', '--settle'];

describe('Ctrl-C in a renewal of a cluster', () => {
  test('at any write stops it where both objects are one bundle', async () => {
    await stage.reset();
    const begun = stage.server.requests.length;
    expect((await stage.run([...line, '0'])).exitCode).toBe(0);
    const writes = stage.server.requests.slice(begun).filter(isWrite).map(describeWrite);
    expect(writes.length).toBeGreaterThan(0);
    const codes: number[] = [];
    for (let fatal = 1; fatal <= writes.length; fatal++) {
      await stage.reset();
      const run = stage.start([...line, '0']);
      const unhook = onWrite(stage.server, fatal, () => void run.child.kill('SIGINT'));
      const { exitCode, stderr } = await run.ended;
      unhook();
      expectOrderly(exitCode, stderr, `write ${fatal}: ${writes[fatal - 1]}`);
      codes.push(exitCode);
    }
    console.info(`SIGINT at ${writes.join(', ')}: ${codes.join(', ')}`);
    expect(codes).toContain(130);
  });

  test('at a random moment, the waits included', async () => {
    const codes: Record<number, number> = {};
    for (let round = 0; round < 24; round++) {
      await stage.reset();
      const run = stage.start([...line, '0.3']);
      const began = new Promise<void>((resolve) => {
        const unhook = onWrite(stage.server, 1, () => {
          unhook();
          resolve();
        });
      });
      await began;
      const delayMs = Math.random() * 900;
      const timer = setTimeout(() => run.child.kill('SIGINT'), delayMs);
      const { exitCode, stderr } = await run.ended;
      clearTimeout(timer);
      expectOrderly(exitCode, stderr, `${Math.round(delayMs)} ms after the first write`);
      codes[exitCode] = (codes[exitCode] ?? 0) + 1;
    }
    console.info(`SIGINT at random moments, exit codes: ${JSON.stringify(codes)}`);
    expect(codes[130]).toBeGreaterThan(0);
  });

  test('does not shorten the time that a Sentry with the old Secret in hand needs', async () => {
    await stage.reset();
    const run = stage.start([...line, '1']);
    const at: Record<string, number> = {};
    const unhook = stage.server.onRequest((request) => {
      if (!isWrite(request)) return;
      if (matches('patch secrets dapr-trust-bundle')(request)) {
        at.secret = Date.now();
        setTimeout(() => run.child.kill('SIGINT'), 50);
      }
      if (matches('create configmaps')(request)) at.configMap = Date.now();
    });
    const { exitCode, stderr } = await run.ended;
    unhook();
    expect(exitCode).toBe(130);
    expect((at.configMap ?? 0) - (at.secret ?? 0)).toBeGreaterThanOrEqual(pauseMs);
    expectOrderly(exitCode, stderr, 'in the pause');
    expect(stderr).toContain('Error: stopped by SIGINT; nothing is half written');
    expect(stderr).not.toContain('directory');
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('as often as one likes while the ConfigMap is away is answered each time: %s', async (signal, code) => {
    await stage.reset();
    const run = stage.start([...line, '1', '--quiet']);
    const answered = (count: number) => run.noted(new RegExp(`(^${signal}: not yet[^]*){${count}}`, 'm'));
    // One after the other: signals that come before a process has run again are one. The ConfigMap is away until the last.
    const sendAll = async () => {
      for (const count of [1, 2, 3]) {
        run.child.kill(signal);
        await answered(count);
      }
    };
    let sent: Promise<void> | undefined;
    const unhook = stage.server.onRequest(async (request) => {
      if (!isWrite(request)) return;
      if (matches('patch secrets dapr-trust-bundle')(request)) sent ??= sendAll();
      if (matches('create configmaps')(request)) await sent;
    });
    const { exitCode, stderr } = await run.ended;
    unhook();
    await sent;
    expect(
      stderr.match(new RegExp(`^${signal}: not yet\\. The ConfigMap is being put back.*repair -k`, 'gm')),
    ).toHaveLength(3);
    expect(stderr).toMatch(/this takes about \d s more/);
    expect(exitCode, stderr).toBe(code);
    expect(stderr).toContain(`Error: stopped by ${signal}; nothing is half written`);
    expect(stage.configMap()).toBeDefined();
    stage.expectWhole();
  });

  test('while the API server holds the new ConfigMap back says so, and waits for it', async () => {
    await stage.reset();
    const run = stage.start([...line, '0']);
    const isCreate = matches('create configmaps');
    stage.server.faults.add({ when: (one) => isWrite(one) && isCreate(one), times: 4, do: { status: 503 } });
    const unhook = stage.server.onRequest((request) => {
      if (!isWrite(request) || !isCreate(request)) return;
      unhook();
      for (const delayMs of [10, 1500]) setTimeout(() => run.child.kill('SIGINT'), delayMs);
    });
    const { exitCode, stderr } = await run.ended;
    stage.server.faults.clear();
    expect(stderr.match(/^SIGINT: not yet\./gm)).toHaveLength(2);
    expect(stderr).toContain('the API server has not taken it yet, and is asked again');
    expectOrderly(exitCode, stderr, 'while the ConfigMap was held back');
  });

  test('twice where nothing is away ends the run at once', async () => {
    await stage.reset();
    const run = stage.start([...line, '30']);
    let isHeld = false;
    stage.server.faults.add({ when: isWrite, do: 'hang' });
    const unhook = stage.server.onRequest((request) => {
      isHeld ||= isWrite(request);
    });
    while (!isHeld) await new Promise((resolve) => setTimeout(resolve, 10));
    unhook();
    run.child.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(run.child.signalCode).toBeNull();
    // A process that has not run meanwhile would take two for one.
    const again = setInterval(() => run.child.kill('SIGINT'), 100);
    const { exitCode, stdout } = await run.ended;
    clearInterval(again);
    stage.server.faults.clear();
    expect(exitCode).toBe(130);
    expect(run.child.signalCode).toBe('SIGINT');
    expect(stdout).not.toContain('successful');
    stage.expectWhole();
  });

  test('tries on to put the ConfigMap back when the API server fails just then', async () => {
    await stage.reset();
    const run = stage.start([...line, '0.2']);
    const isCreate = matches('create configmaps');
    stage.server.faults.add({ when: (one) => isWrite(one) && isCreate(one), times: 6, do: { status: 500 } });
    const unhook = stage.server.onRequest((request) => {
      if (!isWrite(request) || !isCreate(request)) return;
      run.child.kill('SIGINT');
      unhook();
    });
    const { exitCode, stderr } = await run.ended;
    stage.server.faults.clear();
    expectOrderly(exitCode, stderr, 'while the ConfigMap could not be put back');
    expect(exitCode).toBe(130);
  });
});

function expectOrderly(exitCode: number, stderr: string, where: string): void {
  expect([0, 130], `${where}\n${stderr}`).toContain(exitCode);
  expect(stage.configMap(), where).toBeDefined();
  stage.expectWhole();
}
