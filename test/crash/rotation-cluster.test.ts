import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { RotationRecord } from '../../src/app/rotate/record.ts';
import type { KubeObject } from '../../src/kube/port.ts';
import { resources } from '../../src/kube/resources.ts';
import type { FoundFiles } from '../../src/store/port.ts';
import { behindServer, startSentryOnce } from '../support/cluster-sentry.ts';
import { copyProgram, type Program } from '../support/program.ts';
import { randomSeed } from '../support/seed.ts';
import { outline } from './aftermath.ts';
import { describeWrite, isWrite } from './cluster-stage.ts';
import { type FatalWrite, killAtWrite } from './kill-at-write.ts';
import { inParallel } from './rehearsal.ts';
import { expectNoKeys, expectOneRotation, phasesIn } from './rotation-history.ts';
import {
  expectSettled,
  type Ground,
  layGround,
  lockHolderIn,
  openRotationStage,
  type RotationStage,
  recordedIn,
} from './rotation-stage.ts';

const place = { namespace: 'dapr-system' };
/** Most of a run's time is waiting. */
const workers = 3;
const drawn = 4;

interface ClusterLine {
  readonly name: string;
  readonly words: readonly string[];
  readonly end: RotationRecord['state'];
  /** Killed before and after every write; of a longer one either of both, at those of the record and the bundle. */
  readonly isWhole?: true;
  /** Carried out before. */
  readonly before?: readonly string[];
}

const way = ['-k', '--settle', '0', '--wait', '--yes'];
const staged = ['rotate', 'run', ...way, '--procedure', 'staged', '--drain', 'restart'];

const lines: readonly ClusterLine[] = [
  {
    name: 'same-root',
    words: ['rotate', 'run', ...way, '--procedure', 'same-root', '--private-key', 'root.key'],
    end: 'done',
    isWhole: true,
  },
  { name: 'staged', words: staged, end: 'done' },
  {
    name: 'undo behind the switch',
    words: ['rotate', 'undo', ...way],
    end: 'undone',
    before: [...staged, '--until', 'switch'],
  },
];

let program: Program;

beforeAll(() => {
  program = copyProgram();
});

describe('a rotation of a cluster', () => {
  test.each(lines.map((line) => [line.name, killsOf(line), line] as const))(
    '%s, killed at %s to the API server, is gone on with to the same end',
    async (name, _, line) => {
      const rehearsed = await rehearse(line);
      const kills = line.isWhole ? twice(rehearsed.writes) : choose(rehearsed.writes);
      expect(kills.length).toBeGreaterThan(0);
      const starts = new Map<string, number>();
      const missed: string[] = [];
      await inParallel(kills, workers, async ({ write, isDone }) => {
        const stage = await openRotationStage(program, rehearsed.ground);
        try {
          const where = await killAtWrite(stage.server, () => stage.start(line.words), write, isDone);
          if (where === undefined) return void missed.push(write.what);
          const { kind } = await startSentryOnce(behindServer(stage.server.store), place, 0);
          expect(kind, where).not.toBe('generates');
          starts.set(kind, (starts.get(kind) ?? 0) + 1);
          await goOn(stage, line, rehearsed, where);
        } finally {
          await stage.close();
        }
      });
      // How often a lease is renewed in the background is a matter of time.
      expect(missed.filter((what) => what !== 'patch leases/dapr-mtls')).toEqual([]);
      console.info(
        `${name}: killed ${kills.length} times at ${rehearsed.writes.length} writes; a Sentry then: ${JSON.stringify(Object.fromEntries(starts))}`,
      );
    },
  );
});

type Write = Required<FatalWrite>;

interface Kill {
  readonly write: Write;
  /** Whether the server still carries it out. */
  readonly isDone: boolean;
}

interface Outcome {
  readonly bundle: string;
  readonly phases: readonly string[];
  readonly secrets: readonly string[];
}

function killsOf({ isWhole }: ClusterLine): string {
  if (isWhole) return 'any write, before and after,';
  return `any write of its record and of the bundle and ${drawn} others, before or after (${randomSeed.words}),`;
}

/** Undisturbed: what the line finds, what it writes, and what it leads to. */
interface Rehearsal {
  readonly ground: Ground;
  readonly found: FoundFiles;
  readonly writes: readonly Write[];
  readonly outcome: Outcome;
}

async function rehearse(line: ClusterLine): Promise<Rehearsal> {
  const ground = await prepare(line);
  const stage = await openRotationStage(program, ground);
  try {
    const found = stage.files();
    const begun = stage.server.requests.length;
    const { exitCode, stderr } = await stage.start(line.words).ended;
    expect(exitCode, stderr).toBe(0);
    const counts = new Map<string, number>();
    const writes = stage.server.requests
      .slice(begun)
      .filter(isWrite)
      .map((request) => {
        const what = describeWrite(request);
        counts.set(what, (counts.get(what) ?? 0) + 1);
        return { what, nth: counts.get(what) ?? 0 };
      });
    expect(writes.length).toBeGreaterThan(0);
    expectEnded(stage, line, 'undisturbed');
    return { ground, found, writes, outcome: outcomeOf(stage, found) };
  } finally {
    await stage.close();
  }
}

function twice(writes: readonly Write[]): Kill[] {
  return writes.flatMap((write) => [false, true].map((isDone) => ({ write, isDone })));
}

/** Killed after one write is nearly what it is before the next one. */
function choose(writes: readonly Write[]): Kill[] {
  const isOfRecord = ({ what }: Write) => what.endsWith('secrets/dapr-mtls-rotation');
  const isOfBundle = ({ what }: Write) => /(secrets|configmaps)\/dapr-trust-bundle$/.test(what);
  const isCreation = ({ what }: Write) => /(secrets|configmaps)\/\(new\)$/.test(what);
  const matters = writes.filter((write) => isOfRecord(write) || isOfBundle(write) || isCreation(write));
  for (const kind of [isOfRecord, isOfBundle, isCreation]) expect(matters.filter(kind).length).toBeGreaterThan(0);
  const rest = writes.filter((write) => !matters.includes(write));
  const size = { minLength: drawn, maxLength: drawn };
  const some = fc
    .tuple(fc.shuffledSubarray(rest, size), fc.infiniteStream(fc.boolean()))
    .map(([others, sides]) => [...matters, ...others].map((write) => ({ write, isDone: sides.next().value === true })));
  return fc.sample(some, { numRuns: 1, seed: randomSeed.value })[0] ?? [];
}

/** What the line finds. */
async function prepare({ before }: ClusterLine): Promise<Ground> {
  const ground = await layGround();
  if (!before) return ground;
  const stage = await openRotationStage(program, ground);
  try {
    const { exitCode, stderr } = await stage.start(before).ended;
    expect(exitCode, stderr).toBe(0);
    return { ...ground, objects: stage.server.store.objects() };
  } finally {
    await stage.close();
  }
}

/** The same line until it is done; once it is done, nobody types it again. */
async function goOn(
  stage: RotationStage,
  line: ClusterLine,
  { found, outcome }: Rehearsal,
  where: string,
): Promise<void> {
  const left = stage.record();
  const isEnded = left?.state === line.end;
  if (!isEnded) {
    const next = await stage.start(line.words).ended;
    expect(next.exitCode, `${where}\n${next.stderr}`).toBe(0);
    expect(next.stdout + next.stderr, where).not.toContain('PRIVATE KEY');
  }
  expectEnded(stage, line, where, isEnded);
  const record = stage.record();
  if (record) expectOneRotation(record, left, where);
  expect(outcomeOf(stage, found), where).toEqual(outcome);
}

function expectEnded(stage: RotationStage, { end }: ClusterLine, where: string, hasDiedBehindIt = false): void {
  expect(stage.record()?.state, where).toBe(end);
  expectSettled(stage, where);
  // Who dies when all is done cannot let go of it, and nobody is waiting for it.
  if (!hasDiedBehindIt) expect(lockHolderIn(stage), where).toBeUndefined();
  expectNoKeys(recordedIn(stage) ?? Buffer.alloc(0), where);
}

function outcomeOf(stage: RotationStage, found: FoundFiles): Outcome {
  const record = stage.record();
  const isOurs = ({ metadata }: KubeObject) => metadata.namespace === place.namespace;
  return {
    bundle: outline(stage.files(), found),
    phases: record ? phasesIn(record) : [],
    secrets: stage.server.store
      .objects(resources.secrets)
      .filter(isOurs)
      .map(({ metadata }) => metadata.name),
  };
}
