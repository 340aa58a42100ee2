import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assignRoles } from '../../src/app/report.ts';
import { decodeRecord, type RotationRecord } from '../../src/app/rotate/record.ts';
import { belongsTo } from '../../src/pki/bundle.ts';
import type { Certificate } from '../../src/pki/certificate.ts';
import { readPrivateKey } from '../../src/pki/keys.ts';
import { certificatesOf, readCertificateFile } from '../../src/pki/reading.ts';
import { whySentryRefuses } from '../../src/pki/sentry.ts';
import type { FoundFiles } from '../../src/store/port.ts';
import { openJudge, skippedWithoutGo } from '../interop/go-judge.ts';
import { findPrivateKeys, listTree, temporaryDirectory } from '../support/directory.ts';
import { type LiveSentry, startLiveSentry } from '../support/live-sentry.ts';
import { copyProgram, type Program } from '../support/program.ts';
import { randomSeed } from '../support/seed.ts';
import { openTrustDirectory } from '../support/trust-directory.ts';
import { outline } from './aftermath.ts';
import { expectParts } from './cluster-stage.ts';
import type { ChangingCommand } from './commands.ts';
import { copyOf, disturb, inParallel } from './rehearsal.ts';
import { expectNoKeys, expectOneRotation, phasesIn } from './rotation-history.ts';
import { layOut, passphraseOf, type RotationLine, rotationLines } from './rotation-lines.ts';
import { type Call, trace, whyNoTrace } from './trace.ts';

const obstacle = whyNoTrace();
if (obstacle) console.warn(`skipped: no rotation of a directory is killed, because ${obstacle}`);
const judge = await openJudge();
if (!judge) console.warn(`no bundle that stood there in between is judged by Go, ${skippedWithoutGo}`);

/** Only the shortest procedure is killed at every call: of the others so many are drawn beside those that matter. */
const drawn = 3;

let program: Program;
const idle: LiveSentry[] = [];

beforeAll(async () => {
  program = copyProgram();
  for (let worker = 0; worker < availableParallelism(); worker++) idle.push(await startLiveSentry());
});
afterAll(async () => {
  for (const sentry of idle) await sentry.stop();
});

/** Each worker has a Sentry, which is that of the folder in which it runs. */
async function withSentry<T>(work: (sentry: LiveSentry) => Promise<T>): Promise<T> {
  const sentry = idle.pop();
  if (!sentry) throw new Error('there are more workers than Sentries');
  try {
    return await work(sentry);
  } finally {
    idle.push(sentry);
  }
}

/** Undisturbed: what the line finds, what it writes, and what it leads to. */
interface Rehearsal {
  readonly line: RotationLine;
  readonly template: string;
  readonly calls: readonly Call[];
  readonly before: FoundFiles;
  readonly outcome: Outcome;
}

interface Outcome {
  readonly bundle: string;
  /** Of every file and folder that is not a copy of a former bundle. */
  readonly modes: Readonly<Record<string, string>>;
  readonly phases: readonly string[];
}

const others = `${drawn} others (${randomSeed.words})`;
const kills = {
  all: 'any write',
  transitions: `any write of a transition, of the bundle and of the root's key, and ${others}`,
  'root key': `any write of the root's key, and ${others}`,
};
const cases = rotationLines.map((line) => [line.name, kills[line.kills], line] as const);

describe.skipIf(obstacle)('a rotation of a directory', () => {
  test.each(cases)('%s, killed at %s, is gone on with to the same end', async (name, _, line) => {
    const rehearsal = await rehearse(line);
    const calls = choose(line, rehearsal.calls);
    expect(calls.length).toBeGreaterThan(0);
    const sights = new Map<string, FoundFiles>();
    await inParallel(calls, availableParallelism(), (call) =>
      withSentry(async (sentry) => {
        const { folder, outcome } = await disturb(
          program,
          { ...rehearsal, command: typed(line, sentry) },
          call,
          'KILL',
        );
        expect(outcome.exitCode, call.what).toBe(137);
        const { files, state } = openTrustDirectory(join(folder, 'certs')).read();
        const kind = `${state}: ${outline(files, rehearsal.before)}`;
        sights.set(kind, files);
        expectAccepted(folder, files, call);
        const left = recordIn(folder);
        expectRootKeyKept(rehearsal, folder, files, call.what);
        await goOn(rehearsal, folder, left, sentry, call.what);
      }),
    );
    await expectAcceptedByGo([...sights.values()]);
    console.info(
      `${name}: killed at ${calls.length} of ${rehearsal.calls.length} calls, then seen:\n  ${[...sights.keys()].join('\n  ')}`,
    );
  });

  test('killed where the key of the new root is put away, and undone, leaves the whole key or nothing', async () => {
    const line = rotationLines.find(({ name }) => name === 'staged');
    if (!line) throw new Error('there is no such line');
    const { template, calls } = await rehearse(line);
    const fatal = calls.filter(({ what }) => what.includes('/kept'));
    const seen = new Set<string>();
    await inParallel(fatal, availableParallelism(), (call) =>
      withSentry(async (sentry) => {
        const { folder } = await disturb(program, { template, calls, command: typed(line, sentry) }, call, 'KILL');
        const undone = await program.run(['rotate', 'undo', '--dir', 'certs', '--settle', '0', '--yes'], {
          cwd: folder,
        });
        expect(undone.exitCode, `${call.what}\n${undone.stderr}`).toBe(0);
        expect(recordIn(folder)?.state, call.what).toBe('undone');
        expect(filesIn(folder), call.what).toEqual(filesIn(template));
        const kept = readdirSync(join(folder, 'kept'));
        seen.add(kept.join());
        for (const name of kept) readPrivateKey(readFileSync(join(folder, 'kept', name)), name, undefined);
        expectNothingLeft(folder, line, call.what);
      }),
    );
    expect(seen).toEqual(new Set(['', 'new-root.key']));
  });
});

async function rehearse(line: RotationLine): Promise<Rehearsal> {
  return await withSentry(async (sentry) => {
    const template = temporaryDirectory('template');
    await layOut(template, line, program, sentry);
    const before = filesIn(template);
    const folder = copyOf(template);
    const words = typed(line, sentry).args(folder);
    const { outcome, calls } = await trace([...program.command, ...words], folder, { cwd: folder, threads: 'all' });
    expect(outcome.exitCode, outcome.stderr).toBe(0);
    expect(calls.length).toBeGreaterThan(0);
    // Calls are counted in one thread; were there others that write, they would be passed over.
    expect(new Set(calls.map(({ thread }) => thread)).size).toBe(1);
    expectNothingLeft(folder, line, 'undisturbed');
    return { line, template, calls, before, outcome: outcomeIn(folder, before) };
  });
}

/** As a user types it, beside the Sentry of the folder. */
function typed(line: RotationLine, sentry: LiveSentry): ChangingCommand {
  return {
    name: line.name,
    args: (folder) => {
      sentry.serve(openTrustDirectory(join(folder, 'certs')).files);
      return [...line.words, '--sentry', sentry.address];
    },
    prepare: async () => undefined,
    keyFiles: [],
  };
}

/** Those at which the line is to be killed: all, or those that matter and some by chance. */
function choose(line: RotationLine, calls: readonly Call[]): Call[] {
  if (line.kills === 'all') return [...calls];
  const isRecord = (call: Call | undefined) => /^rename .*"\/certs\.mtls\/rotation\.json"$/.test(call?.what ?? '');
  const isTransition = (call: Call, index: number) =>
    // Killed at the call behind the rename a run has recorded the transition, and done no more.
    isRecord(call) ||
    isRecord(calls[index - 1]) ||
    /^rename .*"\/certs\//.test(call.what) ||
    /^(rename|unlink) .*journal\.json"$/.test(call.what);
  const matters = calls.filter(
    (call, index) => call.what.includes('/kept') || (line.kills === 'transitions' && isTransition(call, index)),
  );
  expect(matters.length).toBeGreaterThan(0);
  const rest = calls.filter((call) => !matters.includes(call));
  const size = { minLength: drawn, maxLength: drawn };
  const [some = []] = fc.sample(fc.shuffledSubarray(rest, size), { numRuns: 1, seed: randomSeed.value });
  return [...matters, ...some];
}

/** What a reader sees is always one on which a Sentry starts; what lies there is, but between two renames. */
function expectAccepted(folder: string, seen: FoundFiles, { what }: Call): void {
  const at = new Date();
  expect(whySentryRefuses(expectParts(seen), at), what).toBeUndefined();
  const isBetweenRenames = /^rename .*"\/certs\/issuer\.key"$/.test(what);
  if (!isBetweenRenames) expect(whySentryRefuses(expectParts(filesIn(folder)), at), what).toBeUndefined();
}

async function expectAcceptedByGo(bundles: readonly FoundFiles[]): Promise<void> {
  const requests = bundles.map((files) => {
    const { anchors, issuerChain, issuerKey } = expectParts(files);
    return { op: 'sentry', ca: anchors, issuer: issuerChain, key: issuerKey } as const;
  });
  expect(requests.length).toBeGreaterThan(1);
  for (const answer of (await judge?.(requests)) ?? []) expect(answer).toMatchObject({ ok: true });
}

/** The same line, from another process, until it is done; once it is done, nobody types it again. */
async function goOn(
  { line, before, outcome }: Rehearsal,
  folder: string,
  left: RotationRecord | undefined,
  sentry: LiveSentry,
  where: string,
): Promise<void> {
  if (left?.state !== line.end) {
    const next = await program.run(typed(line, sentry).args(folder), { cwd: folder });
    expect(next.exitCode, `${where}\n${next.stderr}`).toBe(0);
    expect(next.stdout + next.stderr, where).not.toContain('PRIVATE KEY');
  }
  const record = recordIn(folder);
  if (!record) throw new Error(`${where}: there is no record`);
  expect(record.state, where).toBe(line.end);
  expectOneRotation(record, left, where);
  expect(outcomeIn(folder, before), where).toEqual(outcome);
  expectAccepted(folder, filesIn(folder), { what: where } as Call);
  expectRootKeyKept({ line, before }, folder, filesIn(folder), where);
  expectNothingLeft(folder, line, where, left?.state === line.end);
}

function outcomeIn(folder: string, before: FoundFiles): Outcome {
  const record = recordIn(folder);
  const modes = listTree(folder)
    .map((path) => [path.slice(folder.length + 1), lstatSync(path)] as const)
    .filter(([path]) => !path.startsWith('certs.mtls/backups/') && !isLock(path))
    .map(([path, { mode, uid, gid }]) => [path, [mode.toString(8), uid, gid].join(' ')]);
  return {
    bundle: outline(filesIn(folder), before),
    modes: Object.fromEntries(modes),
    phases: record ? phasesIn(record) : [],
  };
}

/** Whole or not there at all; and there before anybody meets the root that it belongs to. */
function expectRootKeyKept(
  { line, before }: Pick<Rehearsal, 'line' | 'before'>,
  folder: string,
  files: FoundFiles,
  where: string,
): void {
  if (line.keeps === undefined) return;
  const path = join(folder, line.keeps);
  const key = existsSync(path) ? readPrivateKey(readFileSync(path), path, passphraseOf(line)) : undefined;
  const { anchors, issuerChain } = expectParts(files);
  if (before.anchors?.equals(anchors)) return;
  const parts = {
    anchors: readCertificateFile('anchors', anchors),
    issuerChain: readCertificateFile('issuerChain', issuerChain),
  };
  const { root } = assignRoles(parts);
  const isNew = root !== undefined && !holds(before, root);
  expect(key, where).toBeDefined();
  if (key && isNew) expect(belongsTo(key, root), where).toBe(true);
}

/** Nothing but the copies of former bundles and the record, which holds no key any more. */
function expectNothingLeft(folder: string, line: RotationLine, where: string, isEnded = false): void {
  const isAllowed = (path: string) =>
    ['certs/issuer.key', 'given.key', line.keeps].includes(path) ||
    /^certs\.mtls\/backups\/\d[^/]*\/issuer\.key$/.test(path);
  expect(
    findPrivateKeys(folder).filter((path) => !isAllowed(path)),
    where,
  ).toEqual([]);
  const work = readdirSync(join(folder, 'certs.mtls'));
  // Of a run that died when all was done: nobody comes behind it who would take its lock away.
  const ofRuns = isEnded ? work.filter((name) => !isLock(`certs.mtls/${name}`)) : work;
  expect(
    ofRuns.filter((name) => !['backups', 'config.yaml'].includes(name)),
    where,
  ).toEqual(['rotation.json']);
  const rest = listTree(folder).filter((path) => /\/\.[^/]*$/.test(path));
  expect(rest, where).toEqual([]);
  expectNoKeys(readFileSync(join(folder, 'certs.mtls', 'rotation.json')), where);
}

function holds({ anchors }: FoundFiles, { fingerprint }: Certificate): boolean {
  const found = certificatesOf(anchors && readCertificateFile('anchors', anchors));
  return found.some((anchor) => anchor.fingerprint === fingerprint);
}

function isLock(path: string): boolean {
  return path === 'certs.mtls/rotation.lock';
}

function filesIn(folder: string): FoundFiles {
  return openTrustDirectory(join(folder, 'certs')).files();
}

function recordIn(folder: string): RotationRecord | undefined {
  const path = join(folder, 'certs.mtls', 'rotation.json');
  return existsSync(path) ? decodeRecord(readFileSync(path)) : undefined;
}
