import { describe, expect, test } from 'vitest';
import type { AdvanceOptions } from '../../src/app/rotate/advance.ts';
import { advanceRotation } from '../../src/app/rotate/advance.ts';
import { amendRotation, confirm } from '../../src/app/rotate/amend.ts';
import { keepIssuers, planRotation, type RotationPlan, type RotationWish } from '../../src/app/rotate/plan.ts';
import {
  currentPhase,
  decodeRecord,
  type Procedure,
  procedures,
  type RestartScope,
} from '../../src/app/rotate/record.ts';
import { startRotation } from '../../src/app/rotate/start.ts';
import { undoRotation } from '../../src/app/rotate/undo.ts';
import { DaprMtlsError } from '../../src/errors.ts';
import type { BundleFiles, TrustBundle } from '../../src/pki/bundle.ts';
import { readCertificate } from '../../src/pki/certificate.ts';
import { encodeCertificates } from '../../src/pki/encode.ts';
import { issueBridge } from '../../src/pki/issue.ts';
import { contextAt, currentOf, makeBundle } from '../support/bundles.ts';
import { type Chance, openChance } from '../support/chance.ts';
import { Killed, type Meeting, presentedUnder, RotationTown } from '../support/rotation-town.ts';
import { drawWorld, filesOf, forgeAuthority, type RotationWorld } from '../support/rotation-worlds.ts';
import { randomSeed } from '../support/seed.ts';
import { type Judge, openJudge, skippedWithoutGo } from './go-judge.ts';
import type { JudgeRequest } from './judge-protocol.ts';

const judge = await openJudge();
/** CI lives through a thousand; a few show a developer what has become wrong. */
const fewWorlds = 40;
const worldCount = Number(process.env.DAPR_MTLS_TEST_ROTATIONS ?? fewWorlds);
const hourMs = 3_600_000;
const startsAt = Date.parse('2027-01-11T10:00:00Z');

/** A rotation that was accepted, and how it went. */
interface Life {
  readonly number: number;
  readonly plan: RotationPlan;
  readonly world: RotationWorld;
  readonly town: RotationTown;
  readonly end: 'done' | 'undone' | 'abandoned' | 'stuck';
  readonly trouble: string | undefined;
  readonly rounds: number;
}

if (!judge) {
  test.skip(skippedWithoutGo);
} else {
  describe(`random rotations, ${randomSeed.words}`, () => {
    test('no pair breaks that was whole, and each comes to an end', async () => {
      const lives: Life[] = [];
      const refused: string[] = [];
      for (let number = 0; number < worldCount; number++) {
        const life = await live(number);
        if (typeof life === 'string') refused.push(life);
        else lives.push(life);
      }
      const tally = Object.fromEntries(
        procedures.map((procedure) => [procedure, lives.filter(({ plan }) => plan.procedure === procedure).length]),
      );
      const ends = lives.map(({ end }) => end);
      const stuck = lives.filter(({ end }) => end === 'stuck').map(describeLife);
      expect(stuck, `of ${lives.length} rotations`).toEqual([]);
      const broken = await judgeLives(judge, lives);
      expect(broken.slice(0, 5), `${broken.length} of ${lives.length} rotations, ${JSON.stringify(tally)}`).toEqual([]);
      // Worlds that are all refused, or all go one way, would prove nothing; of a few that is chance.
      const least = worldCount < 1000 ? 0 : 50;
      for (const procedure of procedures)
        expect({ procedure, count: tally[procedure] }).toSatisfy(() => (tally[procedure] ?? 0) >= least);
      expect(refused.length).toBeGreaterThanOrEqual(Math.min(least, 20));
      expect(ends.filter((end) => end === 'undone').length).toBeGreaterThanOrEqual(Math.min(least, 30));
      console.info(
        `${randomSeed.words}: ${lives.length} rotations ${JSON.stringify(tally)}, ${refused.length} refused`,
      );
    }, 1_800_000);

    test.each(Object.entries(losers))('Go sees what is lost when it is forced: %s', async (_, make) => {
      const { files } = await makeBundle({ at: new Date(startsAt) });
      const forced = await make(files);
      expect(await countBroken(judge, forced.files, forced.plan, forced.acts)).toBeGreaterThan(0);
    });

    test('Go sees nothing lost when nobody does anything, or does it in its order', async () => {
      const { files } = await makeBundle({ at: new Date(startsAt) });
      const plan = await planFor(files, {});
      const { switched, after, 'both-anchors': both } = plan.material.stages;
      expect(await countBroken(judge, files, plan, [{}, {}, {}])).toBe(0);
      const acts: Act[] = [
        { writes: both?.files, restarts: everybody },
        { writes: switched?.files, restarts: ['sentry'] },
        { restarts: ['services', 'applications'] },
        { writes: after?.files, restarts: ['sentry', 'services'] },
      ];
      expect(await countBroken(judge, files, plan, acts)).toBe(0);
    });
  });
}

/** What a procedure would do if nobody proved, waited or looked: writes and restarts, one after the other. */
interface Act {
  readonly writes?: BundleFiles | undefined;
  readonly restarts?: readonly RestartScope[];
}

/** A town in which nothing is odd but what the case makes so. */
function openPlainTown(files: BundleFiles, seed: number): RotationTown {
  const old = files.anchors.toString();
  const wish = { kind: 'cluster', files, startsAt, ttlMs: hourMs, skewMs: 60_000, held: [old, old, old] } as const;
  const sees = { sentry: true, handout: true };
  const calm = { skipped: [], hasExternalClient: false, keepsIssuers: false, sees, restartCommand: false };
  return new RotationTown({ ...wish, ...calm }, openChance(seed));
}

async function planFor(files: BundleFiles, change: Partial<RotationWish>): Promise<RotationPlan> {
  const { wish } = await drawWorld(openChance(1), 'staged', startsAt);
  const plain = { procedure: 'staged', request: { kind: 'fresh' }, keyType: 'p256', daprVersion: undefined } as const;
  const calm = { issuerPathLength: undefined, issuerValidMs: 30 * 24 * hourMs };
  return planRotation(
    currentOf(files, new Date(startsAt), 'cluster'),
    { sidecars: [] },
    { ...wish, ...plain, ...calm, ...change },
  );
}

/** How many pairs Go finds broken of those who met while the acts were carried out blindly. */
async function countBroken(
  judge: Judge,
  files: BundleFiles,
  plan: RotationPlan,
  acts: readonly Act[],
): Promise<number> {
  const towns = [1, 2, 3].map((seed) => openPlainTown(files, seed));
  for (const town of towns) {
    for (const { writes, restarts = [] } of acts) {
      if (writes) town.write(writes);
      const since = new Date(town.now + 2000);
      town.restart({ phase: '', scopes: restarts, since, neededAnchors: [], skipped: [] });
      // Once more, for who was born of an injector that was about to go.
      if (restarts.includes('applications')) for (const _ of restarts) town.restartAll();
      town.pass(hourMs / 10);
    }
  }
  const world = { files, now: startsAt, kind: 'cluster' } as RotationWorld;
  const lives = towns.map(
    (town, number): Life => ({ number, plan, world, town, end: 'done', trouble: undefined, rounds: 1 }),
  );
  return (await judgeLives(judge, lives)).length;
}

const everybody = ['sentry', 'services', 'applications'] as const;

const losers: Record<string, (plain: BundleFiles) => Promise<{ files: BundleFiles; plan: RotationPlan; acts: Act[] }>> =
  {
    'nobody is restarted before the issuer is switched': async (files) => {
      const plan = await planFor(files, {});
      const { switched, 'both-anchors': both } = plan.material.stages;
      return {
        files,
        plan,
        acts: [
          { writes: both?.files, restarts: ['sentry'] },
          { writes: switched?.files, restarts: ['sentry'] },
        ],
      };
    },
    'the old anchor goes while old certificates live': async (files) => {
      const plan = await planFor(files, {});
      const { switched, after, 'both-anchors': both } = plan.material.stages;
      return {
        files,
        plan,
        acts: [
          { writes: both?.files, restarts: everybody },
          { writes: switched?.files, restarts: ['sentry'] },
          { writes: after?.files, restarts: ['sentry', 'services'] },
        ],
      };
    },
    'a bridge under an issuer with path length 1': async () => {
      const times = { notBefore: startsAt - 24 * hourMs, notAfter: startsAt + 300 * 24 * hourMs };
      const root = forgeAuthority({ name: 'root', ...times });
      const issuer = forgeAuthority({ name: 'issuer', signer: root, pathLength: 1, ...times });
      const files = filesOf([root], [issuer]);
      const plan = await planFor(files, {});
      const { switched } = plan.material.stages;
      const old = { certificate: readCertificate(issuer.der), key: issuer.key };
      const bridge = await issueBridge(old, plan.material.root, contextAt(new Date(startsAt)));
      const chain = encodeCertificates([...(switched?.issuerChain ?? []), bridge, old.certificate]);
      const writes = switched && { ...switched.files, issuerChain: chain };
      return { files, plan, acts: [{ writes, restarts: ['sentry'] }] };
    },
    'the root on its key, its name in another string type': async () => {
      const times = { notBefore: startsAt - 24 * hourMs, notAfter: startsAt + 300 * 24 * hourMs };
      const root = forgeAuthority({ name: 'cluster.local', as: 'utf8', ...times });
      const files = filesOf([root], [forgeAuthority({ name: 'issuer', signer: root, ...times })]);
      const ownRoot = forgeAuthority({ name: 'cluster.local', as: 'printable', key: root.key, ...times });
      const own = forgeAuthority({ name: 'own issuer', signer: ownRoot, ...times });
      const bundle: TrustBundle = {
        anchors: [readCertificate(ownRoot.der)],
        issuerChain: [readCertificate(own.der)],
        issuerKey: own.key,
      };
      const plan = await planFor(files, { request: { kind: 'own', bundle } });
      return { files, plan, acts: [{ writes: plan.material.stages.switched?.files, restarts: ['sentry'] }] };
    },
  };

/** One world: planned, begun, carried out with every interruption. The words of a refusal where none begins. */
async function live(number: number): Promise<Life | string> {
  const chance = openChance(randomSeed.value + number * 7919);
  const aims: readonly (Procedure | undefined)[] = [...procedures, 'staged', 'same-root', 'retire', undefined];
  const world = await drawWorld(chance, aims[number % aims.length], startsAt + chance.between(0, 999));
  const { wish, kind } = world;
  const town = new RotationTown(
    {
      kind,
      files: world.files,
      startsAt: world.now,
      ttlMs: wish.workloadCertTtlMs,
      skewMs: wish.allowedClockSkewMs,
      held: world.held,
      skipped: world.skipped,
      hasExternalClient: world.hasExternalClient,
      keepsIssuers: keepIssuers(wish),
      daprVersion: wish.daprVersion && `${wish.daprVersion.major}.${wish.daprVersion.minor}`,
      sees: { sentry: chance.is(0.7), handout: chance.is(0.7) },
      restartCommand: chance.is(0.6),
    },
    chance,
  );
  const current = currentOf(world.files, new Date(world.now), kind);
  let plan: RotationPlan;
  try {
    plan = await planRotation(current, town.look(), { ...wish, skipped: world.skipped });
  } catch (error) {
    if (error instanceof DaprMtlsError) return error.message;
    throw error;
  }
  const { end, trouble, rounds } = await carryOut(town, plan, world, chance);
  // Who comes later lives with what was left.
  for (let count = 0; count < 5; count++) town.pass(wish.workloadCertTtlMs / 4);
  return { number, plan, world, town, end, trouble, rounds };
}

async function carryOut(
  town: RotationTown,
  plan: RotationPlan,
  { wish, skipped, hasExternalClient }: RotationWorld,
  chance: Chance,
): Promise<Pick<Life, 'end' | 'trouble' | 'rounds'>> {
  const ports = { ...town.ports(), who: 'chance', chooseWriter: async () => ({ kind: 'this' as const }) };
  await startRotation(
    ports.rotations,
    plan,
    {
      id: 'one',
      who: 'chance',
      now: new Date(town.now),
      settings: {
        workloadCertTtlMs: wish.workloadCertTtlMs,
        allowedClockSkewMs: wish.allowedClockSkewMs,
        hasExternalClients: hasExternalClient,
        keepsIssuers: keepIssuers(wish),
        sentryAddress: undefined,
      },
      skipped,
      rootKey: undefined,
      passphrase: undefined,
    },
    0,
  );
  const options: AdvanceOptions = {
    wait: false,
    until: undefined,
    closedUntil: () => undefined,
    lockWaitMs: 0,
    pollMs: 10_000,
    restarts: chance.is(0.75) ? ['sentry', 'services', 'applications'] : chance.is(0.5) ? ['sentry', 'services'] : [],
  };
  const wantsUndo = chance.is(0.3);
  const patience = 200;
  let trouble: string | undefined;
  town.killRate = chance.is(0.5) ? 0.03 : 0;
  for (let rounds = 1; rounds <= patience; rounds++) {
    try {
      const { record } = await advanceRotation(ports, options);
      trouble = undefined;
      if (record.state !== 'running') return { end: record.state, trouble, rounds };
    } catch (error) {
      if (error instanceof DaprMtlsError) trouble = `${error.code}: ${error.message}`;
      else if (!(error instanceof Killed)) throw error;
    }
    town.pass(chance.between(10_000, (wish.workloadCertTtlMs + wish.allowedClockSkewMs) / 4));
    town.tidy(rounds > 30 ? 1 : 0.2);
    const rate = town.killRate;
    town.killRate = 0;
    await answer(town, chance);
    // Nothing leads on, or people have changed their minds.
    if ((wantsUndo && chance.is(0.15)) || (trouble && rounds > 60 && chance.is(0.1))) {
      const ended = await undo(town);
      if (ended) return { end: 'undone', trouble, rounds };
    }
    town.killRate = rate;
  }
  // The old issuer has ended on the way, as the plan had said it would: that is what giving up is for.
  const hasLapsed = plan.proof.deadline !== undefined && town.now > plan.proof.deadline.getTime();
  return { end: hasLapsed ? 'abandoned' : 'stuck', trouble, rounds: patience };
}

/** What a human confirms, after it was done. */
async function answer(town: RotationTown, chance: Chance): Promise<void> {
  if (!town.record || !chance.is(0.5)) return;
  const record = decodeRecord(town.record);
  const phase = currentPhase(record);
  if (record.state !== 'running' || phase?.status !== 'written') return;
  const say = async (what: 'restarted' | 'issuer-switched' | 'external-clients') => {
    const voice = { who: 'chance', now: new Date(town.now) };
    await amendRotation(town.ports().rotations, 'confirm', (present) => confirm(present, what, voice), 0);
  };
  if (town.hasSentryRead()) await say('issuer-switched');
  if (phase.gates.includes('verifiers-updated') && record.settings.hasExternalClients) {
    town.supplyClients();
    await say('external-clients');
  }
  const asksForRestart = phase.gates.some((gate) => gate === 'verifiers-updated' || gate === 'old-leaves-gone');
  if (asksForRestart && town.ports().site.kind === 'directory') {
    town.restartAll();
    await say('restarted');
  }
}

/** @returns whether nothing is left to be done */
async function undo(town: RotationTown): Promise<boolean> {
  const voice = { who: 'chance', now: new Date(town.now) };
  try {
    const { rotations } = town.ports();
    const record = await amendRotation(rotations, 'undo', (present) => undoRotation(present, town.files, voice), 0);
    return record.state === 'undone';
  } catch (error) {
    if (error instanceof DaprMtlsError) return false;
    throw error;
  }
}

interface Verdict {
  readonly ok: boolean;
  readonly error?: string;
}

/** Collects what is to be asked, each thing once, so that Go is asked in one go. */
function openBatch() {
  const places = new Map<string, number>();
  const requests: JudgeRequest[] = [];
  let verdicts: readonly Verdict[] = [];
  return {
    ask: (request: JudgeRequest): (() => Verdict) => {
      const key = JSON.stringify(request);
      const place = places.get(key) ?? requests.push(request) - 1;
      places.set(key, place);
      return () => verdicts[place] as Verdict;
    },
    send: async (judge: Judge) => {
      verdicts = await judge(requests);
      return requests.length;
    },
  };
}

/** Everybody who met, and every bundle that stood there, judged by Go: what broke that nobody had announced. */
async function judgeLives(judge: Judge, lives: readonly Life[]): Promise<object[]> {
  const batch = openBatch();
  const asked = lives.flatMap((life) => [...askAboutMeetings(batch, life), ...askAboutBundles(batch, life)]);
  await batch.send(judge);
  return asked.flatMap((tell) => tell() ?? []);
}

type Batch = ReturnType<typeof openBatch>;
type Tell = () => object | undefined;

function askAboutMeetings({ ask }: Batch, life: Life): Tell[] {
  const { town, world } = life;
  const oldAnchors = world.files.anchors.toString();
  const oldChain = presentedUnder(world.files);
  return [...town.meetings.values()].flatMap((meeting) => {
    const { holder, chain, usage, first, last, isInitial } = meeting;
    const verify = (anchors: string, shown: string, at: number) =>
      ask({ op: 'verify', chain: shown, anchors, at: new Date(at), ...(usage ? { usages: [usage] } : {}) });
    // Whoever verified nobody before loses nothing, and whom nobody verified is not lost.
    const isOld = isInitial || holder === oldAnchors;
    const worked = isOld ? verify(holder, oldChain, world.now) : undefined;
    const isOldChain = chain === oldChain || chain === world.files.issuerChain.toString();
    const wasVerified = isOldChain ? verify(oldAnchors, chain, world.now) : undefined;
    return [...new Set([first, last])].map((at): Tell => {
      const verdict = verify(holder, chain, at);
      return () => {
        const { ok, error = '' } = verdict();
        if (ok || worked?.().ok === false || wasVerified?.().ok === false) return undefined;
        if (isAnnounced(life, meeting, at, error)) return undefined;
        return { ...describeLife(life), at: new Date(at), error, ...describeMeeting(meeting, life) };
      };
    });
  });
}

function askAboutBundles({ ask }: Batch, life: Life): Tell[] {
  const { written } = life.town;
  return written.map(({ files: { anchors, issuerChain, issuerKey }, at }, index): Tell => {
    const next = written[index + 1];
    const verdict = ask({ op: 'sentry', ca: anchors, issuer: issuerChain, key: issuerKey, at: new Date(at) });
    return () => {
      const { ok, error } = verdict();
      // One Sentry does not run already: then what stands there between two steps hurts nobody.
      const isBetween = life.plan.emergency !== undefined && next !== undefined && next.at - at < 60_000;
      return ok || isBetween ? undefined : { ...describeLife(life), at: new Date(at), refused: error };
    };
  });
}

/** What the plan has said: that nothing holds behind some moment, and in an emergency who is cut off. */
function isAnnounced({ plan }: Life, { workloads }: Meeting, at: number, error: string): boolean {
  const { deadline, pairs, cutOff } = plan.proof;
  if (deadline && at > deadline.getTime() && /expired/.test(error)) return true;
  if (plan.procedure !== 'replace') return false;
  // Who verified nobody may still have been let in by Sentry, up to Dapr 1.11 by its issuer's certificate.
  if (cutOff.some((name) => workloads.has(name))) return true;
  const named = pairs.filter(({ verifies }) => !verifies);
  return named.some((pair) => pair.workloads.length === 0 || pair.workloads.some((name) => workloads.has(name)));
}

function describeLife({ number, plan, world, end, trouble, rounds, town }: Life) {
  const phases = town.record ? decodeRecord(town.record).phases.map(({ name, status }) => `${name} ${status}`) : [];
  return {
    number,
    procedure: plan.procedure,
    kind: world.kind,
    emergency: plan.emergency,
    end,
    trouble,
    rounds,
    phases,
  };
}

function describeMeeting({ holder, usage, isInitial, workloads, first, last }: Meeting, { world }: Life) {
  const minutes = (at: number) => Math.round((at - world.now) / 60_000);
  return {
    holder:
      holder === world.files.anchors.toString() ? 'the old anchors' : `${holder.split('BEGIN').length - 1} anchors`,
    usage,
    isInitial,
    workloads: [...workloads],
    from: minutes(first),
    to: minutes(last),
  };
}
