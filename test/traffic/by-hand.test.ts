import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../support/directory.ts';
import { bridge, type Passage, sameKey, sameWordsInAnotherType, strangers } from './bundles.ts';
import { openTraffic, skippedWithoutGo } from './program.ts';
import type { Tally } from './tally.ts';
import { type Application, restartOrders, startTown, type Town } from './town.ts';
import { expectLost, expectNothingLost } from './verdict.ts';

/** Long enough that every service has renewed its certificate, and the last of the old ones has expired. */
const untilOldLeavesAreGone = 24;

const program = await openTraffic();

if (!program) {
  test.skip(skippedWithoutGo);
} else {
  /** One town from beginning to end. What is done by hand here is what the tool has to do by itself. */
  const walk = async (passage: Passage, act: (town: Town) => Promise<void>): Promise<Tally> => {
    const town = await startTown(program, temporaryDirectory('traffic'), passage.before);
    town.during('before');
    await town.pass(3);
    await act(town);
    town.during('after');
    await town.pass(5);
    const tally = await town.leave();
    expect(town.authority.whyExited()).toBeUndefined();
    return tally;
  };

  describe.concurrent('what loses no call', () => {
    test('nothing is done, and certificates are renewed', async () => {
      const tally = await walk(await strangers(), async (town) => {
        town.during('quiet');
        await town.pass(untilOldLeavesAreGone);
      });
      expectNothingLost(tally);
    });

    test.each(restartOrders)('a new root in stages, restarting %s before %s', async (...order) => {
      const passage = await strangers();
      const tally = await walk(passage, (town) => inStages(town, passage, order));
      expectNothingLost(tally);
    });

    test.each(restartOrders)('a new root over a bridge, restarting %s before %s', async (...order) => {
      const passage = await bridge();
      const tally = await walk(passage, async (town) => {
        await overBridge(town, passage);
        town.during('restart with the new anchor alone');
        await town.roll(passage.after.anchors, order);
        await town.lay({ anchors: passage.after.anchors });
      });
      expectNothingLost(tally);
    });

    test.each(restartOrders)('a new root on the same key, restarting %s before %s', async (...order) => {
      const passage = await sameKey();
      const tally = await walk(passage, async (town) => {
        town.during('new root and issuer');
        await town.lay(passage.after);
        await town.roll(passage.after.anchors, order);
        await town.pass(untilOldLeavesAreGone / 2);
      });
      expectNothingLost(tally);
    });
  });

  describe.concurrent('what loses calls', () => {
    test('everything is replaced, and the applications are restarted at once', async () => {
      const passage = await strangers();
      const tally = await walk(passage, async (town) => {
        town.during('replace');
        await town.lay(passage.after);
        await town.roll(passage.after.anchors);
      });
      expectLost(tally, /: x509: certificate signed by unknown authority/);
    });

    test('a new root in stages, but the applications are not restarted before the issuer is switched', async () => {
      const passage = await strangers();
      const tally = await walk(passage, async (town) => {
        town.during('both anchors');
        await town.lay({ anchors: passage.both });
        await switchIssuer(town, passage);
        await town.roll(passage.both);
      });
      expectLost(tally, /: x509: certificate signed by unknown authority/);
    });

    test.each([0, 1])('a bridge under an issuer with path length %d', async (pathLength) => {
      const passage = await bridge(pathLength);
      const tally = await walk(passage, async (town) => {
        town.during('bridge');
        await layBridge(town, passage);
        await town.roll(passage.both, ['shop']);
      });
      expectLost(tally, /^bridge: x509: too many intermediates for path length constraint/m);
    });

    test('a new root on the same key, its subject in another string type', async () => {
      const passage = await sameWordsInAnotherType();
      const tally = await walk(passage, async (town) => {
        town.during('new root and issuer');
        await town.lay(passage.after);
        await town.roll(passage.after.anchors);
      });
      expectLost(tally, /: x509: certificate signed by unknown authority/);
    });
  });
}

async function inStages(town: Town, passage: Passage, order: readonly Application[]): Promise<void> {
  town.during('both anchors');
  await town.lay({ anchors: passage.both });
  await town.roll(passage.both, order);
  await switchIssuer(town, passage);
  town.during('until the old leaves are gone');
  await town.pass(untilOldLeavesAreGone);
  town.during('the new anchor alone');
  await town.lay({ anchors: passage.after.anchors });
  await town.roll(passage.after.anchors, order);
}

async function switchIssuer(town: Town, { after }: Passage): Promise<void> {
  town.during('switch the issuer');
  await town.lay({ issuerChain: after.issuerChain, issuerKey: after.issuerKey });
}

/** The applications go on with the old anchor alone, on certificates of the new issuer. */
async function overBridge(town: Town, passage: Passage): Promise<void> {
  town.during('bridge');
  await layBridge(town, passage);
  await town.pass(untilOldLeavesAreGone);
}

async function layBridge(town: Town, { both, after }: Passage): Promise<void> {
  await town.lay({ anchors: both });
  await town.lay({ issuerChain: after.issuerChain, issuerKey: after.issuerKey });
}
