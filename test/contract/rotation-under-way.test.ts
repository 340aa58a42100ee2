import { beforeEach, describe, expect, test } from 'vitest';
import { encodeRecord, type RotationRecord } from '../../src/app/rotate/record.ts';
import { whyRotating } from '../../src/app/rotate/under-way.ts';
import { errorTable } from '../../src/errors.ts';
import type { RotationStore } from '../../src/store/rotation-port.ts';
import { openRotationStore } from '../support/rotation-process.ts';
import { makeTrustDirectory } from '../support/trust-directory.ts';

const phase = {
  restarts: [],
  gates: [],
  writtenAt: undefined,
  restartedAt: undefined,
  passedAt: undefined,
  evidence: [],
} as const;
const running: RotationRecord = {
  version: 1,
  id: '0123456789abcdef',
  state: 'running',
  procedure: 'staged',
  reasons: [],
  startedAt: '2026-11-22T01:02:03.000Z',
  startedBy: 'ada@desk, process 7',
  phases: [
    { ...phase, name: 'distribute', writes: 'both-anchors', status: 'passed' },
    { ...phase, name: 'switch', writes: 'switched', status: 'begun' },
  ],
  stages: { before: { anchors: 'QQ==', issuerChain: 'QQ==', issuerKey: 'QQ==' } },
  encrypted: false,
  rootKeyFile: undefined,
  settings: {
    workloadCertTtlMs: 1,
    allowedClockSkewMs: 1,
    hasExternalClients: false,
    drain: 'wait',
    sentryAddress: undefined,
  },
  confirmations: [],
  skipped: [],
  history: [],
};

describe('a change of the bundle beside a rotation', () => {
  let store: RotationStore;
  beforeEach(async () => {
    const { directory } = await makeTrustDirectory();
    ({ store } = await openRotationStore({ kind: 'directory', path: directory }));
  });
  const keep = async (content: Buffer) => {
    const lock = await store.lock('rotate run', 0);
    await lock.save(content);
    await lock.release();
  };

  test('is free where none was ever begun', async () => {
    expect(await whyRotating(store, ' --dir certs')).toBeUndefined();
  });

  test.each(['done', 'undone'] as const)('is free where the last one is %s', async (state) => {
    await keep(encodeRecord({ ...running, state }));
    expect(await whyRotating(store, ' --dir certs')).toBeUndefined();
  });

  test.each([' --dir certs', ' -k'])('is refused while one is under way, with the way back to it:%s', async (way) => {
    await keep(encodeRecord(running));
    const refusal = await whyRotating(store, way);
    expect(refusal).toMatchObject({ code: 'rotation.running', exitCode: 6 });
    expect(refusal?.message).toBe(
      'a rotation is under way, begun 2026-11-22T01:02:03.000Z by ada@desk, process 7, in its phase switch; nothing was written',
    );
    expect(refusal?.hint).toContain(`\`dapr-mtls rotate run${way}\``);
    expect(refusal?.hint).toContain(`\`dapr-mtls rotate undo${way}\``);
  });

  test('is refused where the record cannot be read', async () => {
    await keep(Buffer.from('{"version":2}'));
    await expect(whyRotating(store, ' --dir certs')).rejects.toMatchObject({ code: 'store.damaged' });
  });
});

test('each way in which a rotation is refused has its exit code', () => {
  const codes = Object.entries(errorTable).flatMap(([code, { exit }]) =>
    code.startsWith('rotation.') ? [[code, exit]] : [],
  );
  expect(Object.fromEntries(codes)).toEqual({
    'rotation.unsafe': 4,
    'rotation.missing': 5,
    'rotation.running': 6,
    'rotation.diverged': 6,
    'rotation.waiting': 8,
  });
});
