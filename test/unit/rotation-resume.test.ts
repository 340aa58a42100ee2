import { expect, test } from 'vitest';
import { advanceRotation } from '../../src/app/rotate/advance.ts';
import { encodeRecord, type PhaseRecord } from '../../src/app/rotate/record.ts';
import type { Stages } from '../../src/app/rotate/stages.ts';
import { makeBundle } from '../support/bundles.ts';
import { openChance } from '../support/chance.ts';
import { fixtureInstant } from '../support/fixtures.ts';
import { planFor, reach, recordOf } from '../support/rotation-plans.ts';
import { RotationTown } from '../support/rotation-town.ts';

const { files } = await makeBundle();
const plan = await planFor(files, { procedure: 'staged' });
const { before, switched, 'both-anchors': both } = plan.material.stages as Required<Stages>;
const at = fixtureInstant.toISOString();
const passed: Partial<PhaseRecord> = { status: 'passed', writtenAt: at, passedAt: at };

/** A town in which a run has died behind the word that it would switch the issuer, and before it did. */
function openTown(held: string): RotationTown {
  const sees = { sentry: false, handout: false };
  const times = { startsAt: fixtureInstant.getTime(), ttlMs: 3_600_000, skewMs: 60_000 };
  const calm = { skipped: [], hasExternalClient: false, keepsIssuers: false, restartCommand: false, sees };
  const town = new RotationTown({ kind: 'cluster', files: both.files, held: [held], ...times, ...calm }, openChance(1));
  town.record = encodeRecord(reach(recordOf(plan), { distribute: passed, switch: { status: 'begun' } }));
  return town;
}

function goOn(town: RotationTown) {
  const options = {
    wait: false,
    until: undefined,
    closedUntil: () => undefined,
    lockWaitMs: 0,
    pollMs: 1,
    restarts: [],
  };
  const chooseWriter = async () => ({ kind: 'this' as const });
  return advanceRotation({ ...town.ports(), who: 'tester', chooseWriter }, options);
}

test('what was begun by a run that is gone is proved anew before it is written', async () => {
  const town = openTown(before.files.anchors.toString());
  await expect(goOn(town)).rejects.toMatchObject({
    code: 'rotation.unsafe',
    message: expect.stringMatching(/shop\/app-0/),
  });
  expect(town.written).toEqual([]);
});

test('and is written where it still holds', async () => {
  const town = openTown(both.files.anchors.toString());
  expect(await goOn(town)).toMatchObject({ end: 'waiting' });
  expect(town.written.map((one) => one.files)).toEqual([switched.files]);
});
