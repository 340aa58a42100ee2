import { readdirSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeRecord, type PhaseName, type RotationRecord } from '../../src/app/rotate/record.ts';
import { whySentryRefuses } from '../../src/pki/sentry.ts';
import { readRecord } from '../../src/store/directory/rotation-record.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { type LiveSentry, startLiveSentry } from '../support/live-sentry.ts';
import { copyProgram, type Outcome, type Program, type Run } from '../support/program.ts';
import { makeTrustDirectory, type TrustDirectory } from '../support/trust-directory.ts';
import { expectParts } from './cluster-stage.ts';
import { expectOneRotation } from './rotation-history.ts';
import { expectSettled, layGround, lockHolderIn, openRotationStage } from './rotation-stage.ts';

const signals = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const;
const wish = ['rotate', 'run', '--settle', '0', '--wait', '--yes', '--procedure', 'staged', '--drain', 'restart'];
/** Forth, in the order in which they come. */
const phases: readonly PhaseName[] = ['distribute', 'switch', 'drain', 'retire'];
/** What it is stuck in lasts ten times as long. */
const hurryMs = 60_000;

let program: Program;

beforeAll(() => {
  program = copyProgram();
});

describe.each(signals)('%s in each phase ends a rotation between two steps', (signal, exitCode) => {
  const expectStopped = ({ stderr, ...outcome }: Outcome, left: RotationRecord | undefined, phase: PhaseName) => {
    expect(outcome, stderr).toEqual({ exitCode, stdout: '' });
    expect(stderr).toContain(`Error: stopped by ${signal}; the rotation is recorded as far as it has come`);
    expect(stderr).toContain('Go on at any time, from any machine: `dapr-mtls rotate run');
    expect(left?.phases.find(({ status }) => status !== 'passed')?.name).toBe(phase);
  };

  test('of a directory, and the same line goes on', async () => {
    const trust = await makeTrustDirectory('plain', { parent: temporaryDirectory('signal') });
    const sentry = await startLiveSentry();
    const start = (command: string) =>
      program.start([...wish, '--dir', 'certs', '--sentry', sentry.address, '--restart-command', command], {
        cwd: trust.parent,
      });
    try {
      let left: RotationRecord | undefined;
      for (const phase of phases) {
        sentry.serve(trust.files);
        const run = await startStuckIn(phase, trust, sentry, start);
        const sentAt = Date.now();
        run.child.kill(signal);
        const outcome = await run.ended;
        expect(Date.now() - sentAt).toBeLessThan(hurryMs);
        const now = recordIn(trust);
        expectStopped(outcome, now, phase);
        if (now) expectOneRotation(now, left, phase);
        expect(whySentryRefuses(expectParts(trust.files()), new Date())).toBeUndefined();
        expect(readdirSync(trust.workDirectory).filter((name) => name !== 'config.yaml')).toEqual([
          'backups',
          'rotation.json',
        ]);
        left = now;
      }
      sentry.serve(trust.files);
      const last = await start('true').ended;
      expect(last.exitCode, last.stderr).toBe(0);
      const record = recordIn(trust);
      expect(record?.state).toBe('done');
      if (record) expectOneRotation(record, left, 'at the end');
    } finally {
      await sentry.stop();
    }
  });

  test('of a cluster, which leaves neither lock nor claim, and the same line goes on', async () => {
    const stage = await openRotationStage(program, await layGround());
    const start = () => stage.start([...wish, '-k']);
    try {
      let left: RotationRecord | undefined;
      for (const phase of phases) {
        const run = start();
        await run.noted(new RegExp(`^${phase}: \\d+ pairs`, 'm'));
        stage.hold();
        await run.noted(new RegExp(`^${phase}: restarting`, 'm'));
        run.child.kill(signal);
        const outcome = await run.ended;
        stage.letGo();
        const now = stage.record();
        expectStopped(outcome, now, phase);
        if (now) expectOneRotation(now, left, phase);
        expect(lockHolderIn(stage)).toBeUndefined();
        left = now;
      }
      const last = await start().ended;
      expect(last.exitCode, last.stderr).toBe(0);
      const record = stage.record();
      expect(record?.state).toBe('done');
      if (record) expectOneRotation(record, left, 'at the end');
      expectSettled(stage, 'at the end');
    } finally {
      await stage.close();
    }
  });
});

/** At the restart of the phase, or, where nobody is restarted, at a Sentry that goes on as it was. */
async function startStuckIn(
  phase: PhaseName,
  trust: TrustDirectory,
  sentry: LiveSentry,
  start: (command: string) => Run,
): Promise<Run> {
  if (phase === 'switch') {
    const before = trust.files();
    sentry.serve(() => before);
    const run = start('true');
    await run.noted(/^switch: waiting for/m);
    return run;
  }
  const run = start(`echo "$DAPR_MTLS_PHASE: restarting them"; [ "$DAPR_MTLS_PHASE" != ${phase} ] || exec sleep 600`);
  await run.noted(new RegExp(`^${phase}: restarting them`, 'm'));
  return run;
}

function recordIn({ workDirectory }: TrustDirectory): RotationRecord | undefined {
  const saved = readRecord(workDirectory);
  return saved && decodeRecord(saved.content);
}
