import type { KeyObject } from 'node:crypto';
import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { RenewRequest } from '../../src/app/renew/renewal.ts';
import { generateKey } from '../../src/pki/keys.ts';
import { whySentryRefuses } from '../../src/pki/sentry.ts';
import type { DirectoryProgress } from '../../src/store/directory/directory-store.ts';
import { memoryFolder, temporaryDirectory } from '../support/directory.ts';
import { fingerprint, ModelSentry, type SentryEvent } from '../support/model-sentry.ts';
import { SentryFleet } from '../support/sentry-fleet.ts';
import { makeTrustDirectory, type TrustDirectory } from '../support/trust-directory.ts';

const delayMs = 50;
const names = ['ca.crt', 'issuer.crt', 'issuer.key'];

/** A directory with a model Sentry on it, and the files of another bundle to write there. */
async function startModel() {
  const [trust, other] = await Promise.all([makeTrustDirectory(), makeTrustDirectory()]);
  const events: SentryEvent[] = [];
  let arrived = (): unknown => undefined;
  const model = new ModelSentry({ directory: trust.directory, delayMs, readPauseMs: 0 }, (event) => {
    events.push(event);
    arrived();
  });
  onTestFinished(() => model.stop());
  await model.start();
  const count = (number: number) =>
    new Promise<void>((resolve) => {
      arrived = () => events.length >= number && resolve();
      arrived();
    });
  return { trust, other, events, count };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe('the model Sentry', () => {
  test('ends when three plain writes lie further apart than its delay', async () => {
    const { trust, other, events, count } = await startModel();
    for (const name of names) {
      copyFileSync(join(other.directory, name), join(trust.directory, name));
      await pause(1.5 * delayMs);
    }
    await count(2);
    expect(events.map(({ kind }) => kind)).toEqual(['loaded', 'exited']);
  });

  test('ends on a half-written file that stands for longer than its delay', async () => {
    const { trust, events, count } = await startModel();
    writeFileSync(join(trust.directory, 'issuer.key'), '-----BEGIN PRIVATE KEY-----\nMIGH');
    await count(2);
    expect(events.at(-1)?.kind).toBe('exited');
  });

  test('makes all three anew when the key is gone for longer than its delay', async () => {
    const { trust, events, count } = await startModel();
    const before = trust.files();
    rmSync(join(trust.directory, 'issuer.key'));
    await count(2);
    expect(events[1]).toMatchObject({ kind: 'generated', missing: 'issuer.key' });
    for (const part of ['anchors', 'issuerChain', 'issuerKey'] as const) {
      expect(trust.files()[part]).not.toEqual(before[part]);
    }
  });

  test('goes on through renames back to back, and loads what they brought', async () => {
    const { trust, other, events, count } = await startModel();
    const bundle = wholeFiles(other);
    for (const name of names) renameSync(join(other.directory, name), join(trust.directory, name));
    await count(2);
    expect(events.map((event) => event.kind === 'loaded' && event.fingerprint)).toContain(fingerprint(bundle));
  });

  test('reloads for a file that is none of its own', async () => {
    const { trust, events, count } = await startModel();
    writeFileSync(join(trust.directory, 'notes.txt'), '');
    await count(2);
    expect(events.map(({ kind }) => kind)).toEqual(['loaded', 'loaded']);
  });

  test('reloads once more for each further name', async () => {
    const { trust, events, count } = await startModel();
    for (const name of ['a', 'b', 'c']) writeFileSync(join(trust.directory, name), '');
    await count(4);
    await pause(3 * delayMs);
    expect(events).toHaveLength(4);
  });
});

describe('a model Sentry never exits and never generates', () => {
  const lanes = 10;
  const runs = [
    { layout: 'plain', renewalsEach: 10 },
    { layout: 'linked', renewalsEach: 5 },
  ] as const;

  test.each(runs)(
    `beside ${lanes} times $renewalsEach renewals ($layout layout)`,
    { timeout: 900_000 },
    async ({ layout, renewalsEach }) => {
      let open = lanes;
      for (const delayMs of [120, 300, 900, sentryDelayMs]) {
        const histories = await renewBeside(layout, renewalsEach, open, delayMs);
        open = 0;
        for (const history of histories) {
          const { renewed, events } = history;
          const others = events.filter(({ kind }) => kind !== 'loaded');
          const loaded = new Set(events.map((event) => event.kind === 'loaded' && event.fingerprint));
          const unseen = renewed.filter((wanted) => !loaded.has(wanted));
          if ((others.length > 0 || unseen.length > 0) && wasLate(history, delayMs)) {
            open += 1;
            continue;
          }
          expect(others).toEqual([]);
          // It has looked at each of them: the silence was not that of a model that sleeps.
          expect(unseen).toEqual([]);
          expect(new Set(renewed).size).toBe(renewalsEach);
        }
        if (open === 0) return;
        console.warn(`delay ${delayMs} ms: too short for this machine in ${open} of ${histories.length}; more slowly`);
      }
      throw new Error('this machine is too busy to keep the time of a model Sentry');
    },
  );

  const sentryDelayMs = 2500;
  const settlings = 4;

  interface History {
    readonly renewed: readonly string[];
    readonly events: readonly SentryEvent[];
    /** The longest that the renames of one step took. */
    readonly placingMs: number;
  }

  /**
   * Whether the machine, not the program, may have brought the model into a half-written bundle: the
   * last reload of a step, in which something happens to three names, comes 2.6 delays after it.
   */
  function wasLate({ events, placingMs }: History, delayMs: number): boolean {
    const lateMs = Math.max(...events.map((event) => event.lateMs));
    return lateMs > (settlings - 2.6) * delayMs || placingMs > delayMs;
  }

  async function renewBeside(
    layout: 'plain' | 'linked',
    count: number,
    width: number,
    delayMs: number,
  ): Promise<History[]> {
    const rootKey = generateKey('p256');
    const make = () =>
      makeTrustDirectory(layout, { input: { rootKey }, parent: temporaryDirectory('beside', memoryFolder) });
    const trusts = await Promise.all(Array.from({ length: width }, make));
    const fleet = await SentryFleet.start(trusts.map(({ directory }) => ({ directory, delayMs, readPauseMs: 4 })));
    try {
      const renewals = await Promise.all(
        trusts.map((trust, index) =>
          renewOften(trust, index, fleet, { requests: requestsFor(rootKey, count), settleMs: settlings * delayMs }),
        ),
      );
      return renewals.map(({ fingerprints, placingMs }, index) => ({
        renewed: fingerprints,
        events: fleet.eventsOf(index),
        placingMs,
      }));
    } finally {
      await fleet.stop();
    }
  }

  /** On the root's key, by a bridge, with another key, on the root's key again, by replacing all; and so on. */
  function requestsFor(rootKey: KeyObject, count: number): RenewRequest[] {
    const onKey = { kind: 'private-key', rootKey, procedure: undefined } as const;
    const cycle: readonly RenewRequest[] = [
      onKey,
      { kind: 'fresh', procedure: undefined },
      onKey,
      onKey,
      { kind: 'fresh', procedure: 'replace' },
    ];
    return Array.from({ length: count / cycle.length }, () => cycle).flat();
  }

  async function renewOften(
    trust: TrustDirectory,
    index: number,
    fleet: SentryFleet,
    { requests, settleMs }: { requests: readonly RenewRequest[]; settleMs: number },
  ): Promise<{ fingerprints: string[]; placingMs: number }> {
    await fleet.told(index, ({ kind }) => kind === 'loaded');
    const fingerprints: string[] = [];
    let placingMs = 0;
    const onProgress = ({ kind }: DirectoryProgress) => {
      if (kind !== 'step') return;
      const began = performance.now();
      // Comes when the renames, which wait for nothing, are done.
      process.nextTick(() => {
        placingMs = Math.max(placingMs, Math.ceil(performance.now() - began));
      });
    };
    const goesOn = () => fleet.eventsOf(index).every(({ kind }) => kind === 'loaded');
    for (const request of requests) {
      try {
        await trust.renew({ request }, { settleMs, onProgress });
        fingerprints.push(fingerprint(wholeFiles(trust)));
      } catch (error) {
        // A model that has made a bundle of its own is in the way of whoever writes next.
        if (goesOn()) throw error;
      }
      if (!goesOn()) break;
    }
    await fleet.told(index, (event) => event.kind === 'loaded' && event.fingerprint === fingerprints.at(-1));
    return { fingerprints, placingMs };
  }
});

function wholeFiles({ directory }: TrustDirectory) {
  const [anchors, issuerChain, issuerKey] = names.map((name) => readFileSync(join(directory, name))) as [
    Buffer,
    Buffer,
    Buffer,
  ];
  expect(whySentryRefuses({ anchors, issuerChain, issuerKey }, new Date())).toBeUndefined();
  return { anchors, issuerChain, issuerKey };
}
