import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import { bundleNames, dayMs, makeBundle } from '../support/bundles.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { copyProgram, type Outcome, type Run } from '../support/program.ts';
import { randomSeed } from '../support/seed.ts';
import { clockSkewSeconds, leafTtlSeconds } from './authority.ts';
import { sameWordsInAnotherType } from './bundles.ts';
import { openTraffic, skippedWithoutGo } from './program.ts';
import { openRestartDesk, type RestartOrder } from './restart-desk.ts';
import { type Application, restartOrders, startTown, type Town } from './town.ts';
import { expectNothingLost } from './verdict.ts';

const traffic = await openTraffic();

const configuration = `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: daprsystem
spec:
  mtls:
    enabled: true
    workloadCertTTL: ${leafTtlSeconds}s
    allowedClockSkew: ${clockSkewSeconds}s
`;

/** Those that make the applications take new anchors, and what has to be said for them. */
const procedures = [
  ['same-key', ['--procedure', 'same-key', '--private-key', 'root.key']],
  // A directory does not tell which Dapr lives on it, and a bridge is taken where it is proven.
  ['bridge', ['--procedure', 'bridge', '--dapr-version', '1.17.13']],
  ['staged', ['--procedure', 'staged']],
] as const;

interface Started {
  readonly town: Town;
  readonly before: BundleFiles;
  /** Starts `dapr-mtls rotate ...` on the town's directory, with a restart command that really restarts. */
  start(verb: 'run' | 'undo', ...words: readonly string[]): Run;
  /** The same, to its end. */
  rotate(verb: 'run' | 'undo', ...words: readonly string[]): Promise<Outcome>;
  /** What was asked for by the restart commands. */
  readonly orders: readonly RestartOrder[];
}

if (!traffic) {
  test.skip(skippedWithoutGo);
} else {
  const { run, start } = copyProgram();

  /** One town from beginning to end, in which no call may be lost, whatever is done. */
  const losesNothing = async (
    order: readonly Application[],
    act: (started: Started) => Promise<void>,
  ): Promise<void> => {
    const { folder, files } = await lay({ rootValidMs: 3 * 365 * dayMs });
    const town = await startTown(traffic, folder, files);
    const desk = await openRestartDesk(traffic, async ({ phase, scopes, anchors }) => {
      town.during(phase);
      if (scopes.includes('applications')) await town.roll(anchors, order);
    });
    const place = ['--dir', town.directory, '--config', join(folder, 'configuration.yaml')];
    const around = ['--sentry', town.authority.address, '--restart-command', desk.command];
    const startHere: Started['start'] = (verb, ...words) =>
      start(['rotate', verb, ...place, ...around, ...words], { cwd: folder });
    await act({
      town,
      before: files,
      start: startHere,
      orders: desk.orders,
      rotate: (verb, ...words) => startHere(verb, ...words).ended,
    });
    town.during('after');
    await town.pass(5);
    const tally = await town.leave();
    desk.close();
    expect(town.authority.whyExited()).toBeUndefined();
    expectNothingLost(tally);
  };

  describe.concurrent('a rotation in a directory loses no call', () => {
    test('of the issuer alone', async () => {
      await losesNothing(restartOrders[0], async ({ town, before, rotate }) => {
        expectDone(await rotate('run', '--wait', '--private-key', 'root.key'));
        const after = read(town.directory);
        expect(after.anchors).toEqual(before.anchors);
        expect(after.issuerChain).not.toEqual(before.issuerChain);
      });
    });

    describe.each(procedures)('by the procedure %s', (_, words) => {
      test.each(restartOrders)('restarting %s before %s', async (...order) => {
        await losesNothing(order, async ({ town, before, rotate, orders }) => {
          expectDone(await rotate('run', '--wait', ...words));
          // Nobody is restarted twice for the same reason, however long a gate is open.
          const phases = orders.map(({ phase }) => phase);
          expect(phases).toEqual([...new Set(phases)]);
          const after = read(town.directory);
          expect(certificatesIn(after.anchors)).toHaveLength(1);
          expect(after.anchors).not.toEqual(before.anchors);
          expect(certificatesIn(after.issuerChain)).toHaveLength(1);
          // Who is restarted later, for whatever reason, holds the new anchor alone.
          town.during('later restarts');
          await town.roll(after.anchors, order);
          const back = await rotate('undo');
          expect(back.exitCode).not.toBe(0);
          expect(back.stderr).toMatch(/new rotation/);
        });
      });
    });
  });

  describe.concurrent('a rotation that is killed again and again loses no call', () => {
    test.each(procedures)(`by the procedure %s, ${randomSeed.words}`, async (procedure, words) => {
      const moments = killMoments(procedure);
      await losesNothing(restartOrders[1], async ({ town, before, start: begin }) => {
        for (let kills = 0; ; kills++) {
          const { child, ended } = begin('run', '--wait', ...words);
          const killer = setTimeout(() => child.kill('SIGKILL'), moments.next().value);
          const outcome = await ended;
          clearTimeout(killer);
          if (outcome.exitCode === 137) continue;
          expectDone(outcome);
          expect(kills).toBeGreaterThan(1);
          break;
        }
        const after = read(town.directory);
        expect(certificatesIn(after.anchors)).toHaveLength(1);
        expect(after.anchors).not.toEqual(before.anchors);
      });
    });
  });

  describe.concurrent('undoing loses no call', () => {
    describe.each(procedures)('out of the procedure %s', (_, words) => {
      test.each(['distribute', 'switch', 'drain'])('behind the phase %s', async (phase) => {
        await losesNothing(restartOrders[0], async ({ town, before, rotate }) => {
          expectDone(await rotate('run', '--wait', '--until', phase, ...words));
          expect(read(town.directory)).not.toEqual(before);
          town.during('undo');
          expectDone(await rotate('undo', '--wait'));
          expect(read(town.directory)).toEqual(before);
        });
      });
    });
  });

  describe.concurrent('what loses calls is refused', () => {
    test.each([0, 1])('a bridge under an issuer with path length %d', async (issuerPathLength) => {
      const { folder, files } = await lay({ issuerPathLength });
      const directory = layFiles(folder, files);
      const outcome = await run([
        'rotate',
        'run',
        '--dir',
        directory,
        '--procedure',
        'bridge',
        '--dapr-version',
        '1.17',
      ]);
      expect(outcome).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('path length') });
      expect(read(directory)).toEqual(files);
    });

    test('an issuer under the same words in another string type', async () => {
      const { before, after } = await sameWordsInAnotherType();
      const { folder } = await lay({});
      const directory = layFiles(folder, before);
      for (const part of ['anchors', 'issuerChain', 'issuerKey'] as const) {
        writeFileSync(join(folder, `new-${bundleNames[part]}`), after[part]);
      }
      const own = ['--ca-root-certificate', 'new-ca.crt', '--issuer-public-certificate', 'new-issuer.crt'];
      const words = [...own, '--issuer-private-key', 'new-issuer.key', '--procedure', 'same-root'];
      const outcome = await run(['rotate', 'run', '--dir', directory, ...words], { cwd: folder });
      expect(outcome).toMatchObject({ exitCode: 4 });
      expect(read(directory)).toEqual(before);
    });

    test('to replace everything while calls work', async () => {
      const { folder, files } = await lay({});
      const directory = layFiles(folder, files);
      const outcome = await run(['rotate', 'run', '--dir', directory, '--procedure', 'replace']);
      expect(outcome).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('would lose them') });
      expect(read(directory)).toEqual(files);
    });

    test('to switch the issuer before anybody was restarted', async () => {
      const { folder, files } = await lay({});
      const directory = layFiles(folder, files);
      const words = ['--dir', directory, '--settle', '0', '--procedure', 'staged'];
      for (let attempt = 1; attempt <= 2; attempt++) {
        const outcome = await run(['rotate', 'run', ...words], { cwd: folder });
        expect(outcome).toMatchObject({ exitCode: 8 });
        const { issuerChain, anchors } = read(directory);
        expect(issuerChain).toEqual(files.issuerChain);
        expect(certificatesIn(anchors)).toHaveLength(2);
      }
    });
  });
}

/** When a run is killed, in milliseconds from its start: ever later, so that it ends. */
function* killMoments(salt: string): Generator<number, never> {
  for (let turn = 0; ; turn++) {
    const drawn = createHash('sha256').update(`${randomSeed.value} ${salt} ${turn}`).digest().readUInt32BE() / 2 ** 32;
    yield 1000 + drawn * 4000 * (1 + turn);
  }
}

/** A folder with a bundle's root key and a Configuration in it, and the bundle for it. */
async function lay(wishes: { rootValidMs?: number; issuerPathLength?: number }) {
  const folder = temporaryDirectory('traffic');
  const { files, rootKey }: { files: BundleFiles; rootKey: KeyObject } = await makeBundle({
    at: new Date(),
    ...wishes,
  });
  writeFileSync(join(folder, 'configuration.yaml'), configuration);
  writeFileSync(join(folder, 'root.key'), encodePrivateKey(rootKey), { mode: 0o600 });
  return { folder, files };
}

function expectDone({ exitCode, stderr }: Outcome): void {
  expect(exitCode, stderr).toBe(0);
}

function layFiles(folder: string, files: BundleFiles): string {
  const directory = join(folder, 'certs');
  mkdirSync(directory);
  for (const part of ['anchors', 'issuerChain', 'issuerKey'] as const) {
    writeFileSync(join(directory, bundleNames[part]), files[part], { mode: 0o600 });
  }
  return directory;
}

function read(directory: string): BundleFiles {
  const content = (part: keyof BundleFiles) => readFileSync(join(directory, bundleNames[part]));
  return { anchors: content('anchors'), issuerChain: content('issuerChain'), issuerKey: content('issuerKey') };
}

function certificatesIn(pem: Buffer): string[] {
  const blocks = pem.toString().match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block).fingerprint256);
}
