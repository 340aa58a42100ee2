import { expect, test } from 'vitest';
import { liveStage } from '../../src/app/rotate/live-stage.ts';
import type { PhaseName, PhaseRecord, RotationRecord } from '../../src/app/rotate/record.ts';
import { reopenPhases } from '../../src/app/rotate/reopen.ts';
import { openStage } from '../../src/app/rotate/stage-record.ts';
import { undoRotation } from '../../src/app/rotate/undo.ts';
import { encodeBundle } from '../../src/pki/encode.ts';
import { makeBundle, renew } from '../support/bundles.ts';
import { fixtureInstant } from '../support/fixtures.ts';
import { planFor, reach, recordOf } from '../support/rotation-plans.ts';

const at = fixtureInstant.toISOString();
const passed: Partial<PhaseRecord> = { status: 'passed', writtenAt: at, passedAt: at, evidence: ['seen'] };
const written: Partial<PhaseRecord> = { status: 'written', writtenAt: at, restartedAt: at };
const { files } = await makeBundle();
const bridged = encodeBundle((await renew(files)).bundle);
const bridge = recordOf(await planFor(files, { procedure: 'bridge' }));
const staged = recordOf(await planFor(files, { procedure: 'staged' }));
const retire = recordOf(await planFor(bridged, { procedure: 'retire' }));

const statusesOf = ({ phases }: RotationRecord) => phases.map(({ name, status }) => `${name} ${status}`);

test.each<[string, RotationRecord, Record<string, Partial<PhaseRecord>>, string, readonly string[]]>([
  ['nothing was written yet', staged, {}, 'before', ['distribute due', 'switch due', 'drain due', 'retire due']],
  [
    'its gate is open',
    staged,
    { distribute: written },
    'both-anchors',
    ['distribute begun', 'switch due', 'drain due', 'retire due'],
  ],
  [
    'it has passed, and the next has not begun',
    staged,
    { distribute: passed },
    'both-anchors',
    ['distribute begun', 'switch due', 'drain due', 'retire due'],
  ],
  [
    'phases behind it have written nothing',
    bridge,
    { switch: passed, distribute: passed, drain: written },
    'switched',
    ['switch begun', 'distribute due', 'drain due', 'retire due'],
  ],
  [
    'the next write had begun: that one is carried out',
    staged,
    { distribute: passed, switch: { status: 'begun' } },
    'switched',
    ['distribute passed', 'switch begun', 'drain due', 'retire due'],
  ],
  [
    'the next write was handed out: it may never come',
    staged,
    { distribute: passed, switch: { status: 'begun', handedOut: true } },
    'both-anchors',
    ['distribute begun', 'switch due', 'drain due', 'retire due'],
  ],
  [
    'it is the bundle of before, under phases that wrote nothing',
    retire,
    { switch: passed, distribute: written },
    'before',
    ['switch due', 'distribute due', 'drain due', 'retire due'],
  ],
])('%s', (_, record, progress, stage, statuses) => {
  const reopened = reopenPhases(reach(record, progress));
  expect(reopened.stage).toBe(stage);
  expect(statusesOf(reopened.record)).toEqual(statuses);
  for (const name of reopened.phases) {
    const phase = reopened.record.phases.find((one) => one.name === name);
    expect(phase).toMatchObject({ writtenAt: undefined, restartedAt: undefined, passedAt: undefined, evidence: [] });
    expect(phase).not.toHaveProperty('handedOut');
  }
  // A second time, where the first was killed before its write, leads to the same.
  expect(reopenPhases(reopened.record).stage).toBe(stage);
  expect(reopenPhases(reopened.record).record).toEqual(reopened.record);
});

test('what people have confirmed counts no more, unless it was of a phase that still does', () => {
  const confirmation = (phase: PhaseName) => ({ what: 'restarted', phase, by: 'tester', at }) as const;
  const record = reach(
    { ...staged, confirmations: [confirmation('distribute'), confirmation('drain')] },
    { distribute: passed, switch: passed, drain: written },
  );
  expect(reopenPhases(record).record.confirmations).toEqual([confirmation('distribute')]);
});

test('a rotation that was turned round stays so', () => {
  const switched = reach(bridge, { switch: written });
  const live = openStage(switched, liveStage(switched), undefined);
  const undone = undoRotation(switched, live, { who: 'tester', now: fixtureInstant });
  const { stage, record, phases } = reopenPhases(undone);
  expect(stage).toBe('switched');
  expect(phases).toEqual([]);
  expect(record).toEqual(undone);
});
