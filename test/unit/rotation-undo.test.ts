import { describe, expect, test } from 'vitest';
import { liveStage, neededAnchors } from '../../src/app/rotate/live-stage.ts';
import { isProven, provePhases } from '../../src/app/rotate/proof.ts';
import type { PhaseName, PhaseRecord, Procedure, RotationRecord, StageName } from '../../src/app/rotate/record.ts';
import { decodeRecord, encodeRecord } from '../../src/app/rotate/record.ts';
import { isStage, openStage, readStages } from '../../src/app/rotate/stage-record.ts';
import { undoRotation } from '../../src/app/rotate/undo.ts';
import { readCertificate } from '../../src/pki/certificate.ts';
import { encodeBundle } from '../../src/pki/encode.ts';
import { dayMs, makeBundle, renew } from '../support/bundles.ts';
import { fixtureInstant } from '../support/fixtures.ts';
import { planFor, reach, recordOf, sidecar } from '../support/rotation-plans.ts';
import { filesOf, forgeAuthority } from '../support/rotation-worlds.ts';

const now = fixtureInstant;
const voice = { who: 'tester', now };
const at = now.toISOString();
const passed: Partial<PhaseRecord> = { status: 'passed', writtenAt: at, passedAt: at };
const written: Partial<PhaseRecord> = { status: 'written', writtenAt: at };

const { files, rootKey } = await makeBundle();
const bridged = encodeBundle((await renew(files)).bundle);
const request = { kind: 'private-key', rootKey } as const;
const records: Record<Exclude<Procedure, 'replace'>, RotationRecord> = {
  'same-root': recordOf(await planFor(files, { procedure: 'same-root', request })),
  'same-key': recordOf(await planFor(files, { procedure: 'same-key', request })),
  bridge: recordOf(await planFor(files, { procedure: 'bridge' })),
  staged: recordOf(await planFor(files, { procedure: 'staged' })),
  retire: recordOf(await planFor(bridged, { procedure: 'retire' })),
};

/** The record when a phase has come so far, all before it passed; and the bundle that stands there then. */
function come(procedure: keyof typeof records, name: PhaseName, progress: Partial<PhaseRecord>) {
  const record = records[procedure];
  const index = record.phases.findIndex((phase) => phase.name === name);
  const before = Object.fromEntries(record.phases.slice(0, index).map((phase) => [phase.name, passed]));
  const reached = reach(record, { ...before, [name]: progress });
  return { record: reached, files: openStage(reached, liveStage(reached), undefined) };
}

const long = ['undo-switch both-anchors', 'undo-drain undefined', 'undo-distribute before'];
const short = ['undo-distribute before'];
const ways: readonly [keyof typeof records, PhaseName, readonly string[] | 'undone' | 'too late'][] = [
  ['same-root', 'switch', ['undo-switch before']],
  ['same-key', 'switch', long],
  ['same-key', 'distribute', long],
  ['same-key', 'drain', long],
  ['same-key', 'retire', 'too late'],
  ['bridge', 'switch', long],
  ['bridge', 'distribute', long],
  ['bridge', 'drain', long],
  ['bridge', 'retire', 'too late'],
  ['staged', 'distribute', short],
  ['staged', 'switch', long],
  ['staged', 'drain', long],
  ['staged', 'retire', 'too late'],
  ['retire', 'switch', 'undone'],
  ['retire', 'distribute', 'undone'],
  ['retire', 'drain', 'undone'],
  ['retire', 'retire', 'too late'],
];

describe('the way back', () => {
  test.each(ways)('out of %s, in its phase %s: %s', (procedure, name, way) => {
    const { record, files: standing } = come(procedure, name, written);
    const undo = () => undoRotation(record, standing, voice);
    if (way === 'too late') return expect(undo).toThrow(/would cut off who has started since/);
    const undone = undo();
    if (way === 'undone') return expect(undone).toMatchObject({ state: 'undone' });
    const back = undone.phases.filter((phase) => phase.name.startsWith('undo-'));
    expect(back.map(({ name: phase, writes }) => `${phase} ${writes}`)).toEqual(way);
    expect(undone.phases.find((phase) => phase.name === name)?.status).toBe('abandoned');
    expect(undoRotation(undone, standing, voice)).toBe(undone);

    const stages = Object.fromEntries(
      Object.entries(readStages(undone)).map(([stage, value]) => [
        stage,
        { ...value, files: openStage(undone, stage as StageName, undefined) },
      ]),
    );
    const held = Object.values(stages).map((stage) => sidecar({ anchors: stage.files.anchors.toString() }));
    // Nobody holds the new anchor alone before the old one goes.
    const sidecars = held.slice(0, -1);
    const { phases } = undone;
    const proof = { phases, stages, world: { sidecars }, needed: neededAnchors(undone), skipped: [], at: now };
    expect(isProven(provePhases(proof))).toBe(true);
  });

  test.each(['same-root', 'same-key', 'bridge', 'staged', 'retire'] as const)(
    'out of %s, which has not begun: nothing is left to do, and no key is kept',
    (procedure) => {
      const record = records[procedure];
      const undone = undoRotation(record, openStage(record, 'before', undefined), voice);
      expect(undone.state).toBe('undone');
      expect(Object.values(undone.stages).every(({ issuerKey }) => issuerKey === undefined)).toBe(true);
    },
  );

  test.each([
    ['has happened', 'switched', ['undo-switch', 'undo-drain', 'undo-distribute']],
    ['has not', 'both-anchors', ['undo-distribute']],
  ] as const)('out of a write that was begun and %s', (_, stands, names) => {
    const { record } = come('staged', 'switch', { status: 'begun' });
    const undone = undoRotation(record, openStage(record, stands, undefined), voice);
    expect(undone.phases.flatMap(({ name, status }) => (status === 'due' ? name : []))).toEqual(names);
  });

  test('is not guessed where another bundle stands', async () => {
    const { record } = come('staged', 'switch', { status: 'begun' });
    const foreign = (await makeBundle()).files;
    expect(() => undoRotation(record, foreign, voice)).toThrow(/is not the one that the rotation has recorded/);
  });

  test.each([
    ['distribute', /rotate undo --abandon/],
    ['switch', /rotate run/],
  ] as const)('is none in %s when the old issuer has expired meanwhile', (name, hint) => {
    const { record, files: standing } = come('staged', name, written);
    const tooLate = { who: 'tester', now: new Date(now.getTime() + 400 * dayMs) };
    let refusal: unknown;
    try {
      undoRotation(record, standing, tooLate);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({ code: 'rotation.unsafe', hint: expect.stringMatching(hint) });
  });

  test('is the same behind a record that was written and read', () => {
    const { record, files: standing } = come('bridge', 'drain', written);
    const read = decodeRecord(encodeRecord(record));
    expect(undoRotation(read, standing, voice).phases.map(({ name }) => name)).toEqual(
      undoRotation(record, standing, voice).phases.map(({ name }) => name),
    );
  });
});

describe('the old bundle of an emergency', () => {
  test('is known again by its bytes, also where its key belongs to no certificate', async () => {
    const times = { notBefore: now.getTime() - dayMs, notAfter: now.getTime() + dayMs };
    const root = forgeAuthority({ name: 'root', ...times });
    const { der } = forgeAuthority({ name: 'issuer', signer: root, ...times });
    const spoilt = filesOf([root], [{ der, key: root.key }]);
    const record = recordOf(await planFor(spoilt, { procedure: 'replace' }));
    const { before } = readStages(record);
    if (!before) throw new Error('it is whole');
    expect(record.procedure).toBe('replace');
    expect(before.issuerChain).toEqual([readCertificate(der)]);
    expect(isStage(before, spoilt)).toBe(true);
    expect(isStage(before, { ...spoilt, issuerKey: files.issuerKey })).toBe(false);
  });
});
