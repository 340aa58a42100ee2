import { beforeAll, describe, expect, test } from 'vitest';
import { type ConfigMapObject, configMapRef, type SecretObject, secretRef } from '../../src/store/cluster/objects.ts';
import { makeBundle } from '../support/bundles.ts';
import { behindServer, startSentryOnce } from '../support/cluster-sentry.ts';
import { copyProgram, type Program } from '../support/program.ts';
import { describeWrite, isWrite } from './cluster-stage.ts';
import { type FatalWrite, killAtWrite } from './kill-at-write.ts';
import { inParallel } from './rehearsal.ts';
import { type Ground, layGround, openRotationStage, type RotationStage } from './rotation-stage.ts';

const place = { namespace: 'dapr-system' };
const workers = 3;
const way = ['rotate', 'run', '-k', '--settle', '0', '--yes', '--until', 'switch'];
const putBack = [...way, '--put-back'];

let program: Program;
let ground: Ground;
/** What the record tells of. */
let recorded: Pick<RotationStage, 'files'>['files'];

beforeAll(async () => {
  program = copyProgram();
  const stage = await openRotationStage(program, await layGround());
  const { files: stranger } = await makeBundle({ at: new Date() });
  try {
    const { exitCode, stderr } = await stage.start(way).ended;
    expect(exitCode, stderr).toBe(0);
    const found = stage.files();
    recorded = () => found;
    const { store } = stage.server;
    const data = {
      'ca.crt': stranger.anchors.toString('base64'),
      'issuer.crt': stranger.issuerChain.toString('base64'),
      'issuer.key': stranger.issuerKey.toString('base64'),
    };
    store.change<SecretObject>(secretRef(place), (object) => ({ ...object, data }));
    const published = { 'ca.crt': stranger.anchors.toString() };
    store.change<ConfigMapObject>(configMapRef(place), (object) => ({ ...object, data: published }));
    ground = { objects: store.objects(), rootKey: '' };
  } finally {
    await stage.close();
  }
});

describe('the recorded bundle, put back over one of somebody else', () => {
  test('and killed before and after every write, is put back by the same words', async () => {
    const writes = await rehearse();
    const kills = writes.flatMap((write) => [false, true].map((isDone) => ({ write, isDone })));
    expect(kills.length).toBeGreaterThan(0);
    await inParallel(kills, workers, async ({ write, isDone }) => {
      const stage = await openRotationStage(program, ground);
      try {
        const where = await killAtWrite(stage.server, () => stage.start(putBack), write, isDone);
        expect(where, write.what).toBeDefined();
        // Whatever stands there half-way, no Sentry makes a root of its own from it.
        const { kind } = await startSentryOnce(behindServer(stage.server.store), place, 0);
        expect(kind, where).not.toBe('generates');
        await expectPutBack(stage, where);
      } finally {
        await stage.close();
      }
    });
    console.info(`killed ${kills.length} times at ${writes.length} writes`);
  });
});

/** Every write but those of the lease, which is renewed as time passes. */
async function rehearse(): Promise<Required<FatalWrite>[]> {
  const stage = await openRotationStage(program, ground);
  try {
    await expectPutBack(stage, 'undisturbed');
    const counts = new Map<string, number>();
    return stage.server.requests
      .filter(isWrite)
      .map(describeWrite)
      .filter((what) => !what.endsWith('leases/dapr-mtls'))
      .map((what) => {
        counts.set(what, (counts.get(what) ?? 0) + 1);
        return { what, nth: counts.get(what) ?? 0 };
      });
  } finally {
    await stage.close();
  }
}

async function expectPutBack(stage: RotationStage, where: string | undefined): Promise<void> {
  const { exitCode, stdout, stderr } = await stage.start(putBack).ended;
  expect(exitCode, `${where}\n${stderr}`).toBe(0);
  expect(stdout + stderr, where).not.toContain('PRIVATE KEY');
  expect(stage.files(), where).toEqual(recorded());
  expect(stage.configMap()?.data?.['ca.crt'], where).toBe(recorded().anchors?.toString());
  const { state, phases, history } = stage.record() ?? {};
  expect(state, where).toBe('running');
  expect(phases?.[0], where).toMatchObject({ name: 'switch', status: 'passed' });
  const restarts = history?.filter(({ what }) => /^switch has passed/.test(what));
  // Its gate was proved before, and again.
  expect(restarts?.length, where).toBe(2);
}
