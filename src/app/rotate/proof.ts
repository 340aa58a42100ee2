import type { Certificate } from '../../pki/certificate.ts';
import { type Verification, verifyLeafOf } from '../../pki/chain.ts';
import { whySentryRefuses } from '../../pki/sentry.ts';
import { holdsAll, readAnchors } from './held-anchors.ts';
import type { Phase, PhaseName, PhaseStatus, StageName } from './record.ts';
import type { Stage, Stages } from './stages.ts';
import type { Sidecar, World } from './world.ts';

/** One party that verifies, one that shows, and whether they understand each other. */
export interface Pair {
  readonly phase: PhaseName;
  readonly holder: string;
  /** NAMESPACE/NAME of the workloads whose sidecars hold just that; empty where no pod is known to. */
  readonly workloads: readonly string[];
  readonly shown: string;
  readonly verifies: boolean;
  /** It did not verify before this rotation had its next turn: nothing more is lost. */
  readonly isOld: boolean;
  /** Why it does not; empty where it does. */
  readonly reason: string;
  /** Until when it does, as long as nothing is restarted. */
  readonly until: Date | undefined;
}

export interface Proof {
  readonly pairs: readonly Pair[];
  /** Stages that a starting Sentry would refuse. */
  readonly refusals: readonly { readonly stage: StageName; readonly reason: string }[];
  /** Whose sidecars verify nobody already, before anything is begun. */
  readonly cutOff: readonly string[];
  /** When the first certificate ends on which a pair depends. */
  readonly deadline: Date | undefined;
}

export interface ProofInput {
  /** All of a rotation; those that have passed set the scene, the others are proved. */
  readonly phases: readonly (Phase & { readonly status: PhaseStatus })[];
  readonly stages: Stages;
  readonly world: Pick<World, 'sidecars'>;
  /** SHA-256 of the anchors that a verifier has to hold before a gate `verifiers-updated` closes. */
  readonly needed: readonly string[];
  /** NAMESPACE/NAME of workloads that somebody has answered for. */
  readonly skipped: readonly string[];
  readonly at: Date;
}

/** A set of anchors that somebody may hold. */
interface Holder {
  readonly label: string;
  readonly anchors: readonly Certificate[];
  readonly workloads: readonly string[];
  /** The API server asks for what a TLS server must have; peers take any usage, as go-spiffe does. */
  readonly usage: 'serverAuth' | undefined;
}

interface Shown {
  readonly label: string;
  readonly chain: readonly [Certificate, ...Certificate[]];
}

interface Scene {
  readonly holders: readonly Holder[];
  readonly shown: readonly Shown[];
  readonly live: Stage | undefined;
}

/**
 * Whether Sentry runs on every stage, and no pair breaks that is whole now. The phase `replace` breaks
 * those that its plan names; nothing overrides what Sentry refuses, nor a pair of a phase behind it.
 */
export function isProven({ pairs, refusals }: Pick<Proof, 'pairs' | 'refusals'>): boolean {
  return refusals.length === 0 && unforeseenPairs({ pairs }).length === 0;
}

export function unforeseenPairs(proof: Pick<Proof, 'pairs'>): Pair[] {
  return brokenPairs(proof).filter(({ phase }) => phase !== 'replace');
}

export function brokenPairs({ pairs }: Pick<Proof, 'pairs'>): Pair[] {
  return pairs.filter(({ verifies, isOld }) => !verifies && !isOld);
}

/**
 * Every pair that can meet while each phase is under way: whatever set of anchors anybody may hold by
 * then, against whatever chain anybody may show, Sentry and the injector included. Verified from leaf
 * to anchor as Go does (pki/chain.ts). A gate narrows the scene down: after `verifiers-updated` nobody
 * lacks a needed anchor, after `old-leaves-gone` nobody shows another chain than Sentry's.
 */
export function provePhases({ phases, stages, world, needed, skipped, at }: ProofInput): Proof {
  const verify = verifyOnce(at);
  const label = labelSets(stages);
  let scene = beginScene(stages, world.sidecars !== undefined, label);
  const pairs: Pair[] = [];
  const refusals: Proof['refusals'][number][] = [];
  let entry: Entry | undefined;
  for (const phase of phases) {
    const stage = phase.writes && stages[phase.writes];
    const isBehind = phase.status === 'passed' || phase.status === 'abandoned';
    if (stage && (isBehind || phase.status === 'written')) scene = write(scene, stage, label);
    if (isBehind) {
      if (phase.status === 'passed') scene = close(scene, phase, needed);
      continue;
    }
    if (!entry) {
      entry = enter(scene, stages.before, world.sidecars, skipped, label, verify);
      scene = entry.scene;
    }
    if (stage) scene = write(scene, stage, label);
    pairs.push(...pairsOf(phase.name, scene, verify, entry.broken));
    const reason = stage && whySentryRefuses(stage.files, at);
    if (phase.writes && reason !== undefined) refusals.push({ stage: phase.writes, reason });
    scene = close(scene, phase, needed);
  }
  return { pairs, refusals, cutOff: entry?.cutOff ?? [], deadline: earliest(pairs) };
}

/** The scene with everybody who is seen, and what is broken in it before anything more is done. */
interface Entry {
  readonly scene: Scene;
  readonly broken: ReadonlySet<string>;
  readonly cutOff: readonly string[];
}

/** Who verifies nobody any more cannot lose a call, and whom nobody verifies cannot, either. */
function enter(
  scene: Scene,
  before: Stage | undefined,
  sidecars: readonly Sidecar[] | undefined,
  skipped: readonly string[],
  label: Labeller,
  verify: Verify,
): Entry {
  const isServed = (anchors: readonly Certificate[]) =>
    scene.shown.some((shown) => verify({ label: '', anchors, workloads: [], usage: undefined }, shown).ok);
  const untold = (before?.anchors ?? []).map((anchor) => [anchor]).filter(isServed);
  const holders = [...scene.holders, ...groupSidecars(sidecars ?? [], skipped, untold, label)];
  const lost = holders.filter((holder) => !scene.shown.some((shown) => verify(holder, shown).ok));
  const isLost = (holder: Holder) => scene.shown.length > 0 && lost.includes(holder);
  const others = holders.filter((holder) => !isLost(holder));
  const broken = others.flatMap((holder) =>
    scene.shown.filter((shown) => !verify(holder, shown).ok).map((shown) => ({ holder, key: keyOf(holder, shown) })),
  );
  const shown = scene.shown.filter((one) => others.some((holder) => verify(holder, one).ok));
  const hurt = [...lost.filter(isLost), ...broken.map(({ holder }) => holder)];
  return {
    scene: { ...scene, holders: others, shown },
    broken: new Set(broken.map(({ key }) => key)),
    cutOff: [...new Set(hurt.flatMap(({ workloads }) => workloads))].sort(),
  };
}

/**
 * Somebody may hold any one of the old anchors alone: a service that started before an earlier renewal,
 * a client or a daprd that nobody sees. Of a directory no API server asks anything.
 */
function beginScene({ before }: Stages, isSeen: boolean, label: Labeller): Scene {
  if (!before) return { holders: [], shown: [], live: undefined };
  const sets = [before.anchors, ...singlesOf(before)];
  return {
    holders: sets.flatMap((anchors) => [
      { label: label(anchors), anchors, workloads: [], usage: undefined },
      ...(isSeen ? [apiServer(anchors, label)] : []),
    ]),
    shown: [{ label: 'certificates of the old issuer', chain: before.issuerChain }],
    live: before,
  };
}

function singlesOf({ anchors }: Stage): [Certificate][] {
  return anchors.length > 1 ? anchors.map((anchor) => [anchor]) : [];
}

/** The caBundle of the injector's webhook, which the API server asks, is a set of anchors, too. */
function apiServer(anchors: readonly Certificate[], label: Labeller): Holder {
  return { label: `${label(anchors)} (API server)`, anchors, workloads: [], usage: 'serverAuth' };
}

/**
 * What pods were born with, each distinct value once.
 * @param untold what one that does not tell may hold: it verifies somebody today
 */
function groupSidecars(
  sidecars: readonly Sidecar[],
  skipped: readonly string[],
  untold: readonly (readonly Certificate[])[],
  label: Labeller,
): Holder[] {
  const groups = new Map<string | undefined, Set<string>>();
  for (const { anchors, namespace, workload } of sidecars) {
    const name = `${namespace}/${workload.name}`;
    if (skipped.includes(name)) continue;
    groups.set(anchors, (groups.get(anchors) ?? new Set<string>()).add(name));
  }
  return [...groups].flatMap(([pem, names]) => {
    const workloads = [...names].sort();
    const sets = pem === undefined ? untold : [readAnchors(pem)];
    return sets.map((anchors) => ({ label: label(anchors), anchors, workloads, usage: undefined }));
  });
}

/** From the first write on there are both: who has met the new bundle, and who has not. */
function write({ holders, shown }: Scene, stage: Stage, label: Labeller): Scene {
  const isKnown = holders.some(({ anchors, usage }) => usage === undefined && isSameSet(anchors, stage.anchors));
  const holder: Holder = { label: label(stage.anchors), anchors: stage.anchors, workloads: [], usage: undefined };
  const hasApiServer = holders.some(({ usage }) => usage !== undefined);
  const isShown = shown.some(({ chain }) => isSameSet(chain, stage.issuerChain));
  const issuer = stage.issuerChain[0].fingerprint.slice(0, 8);
  return {
    holders: isKnown ? holders : [...holders, holder, ...(hasApiServer ? [apiServer(stage.anchors, label)] : [])],
    shown: isShown ? shown : [...shown, { label: `certificates of the issuer ${issuer}`, chain: stage.issuerChain }],
    live: stage,
  };
}

function close({ holders, shown, live }: Scene, { gates }: Phase, needed: readonly string[]): Scene {
  const isUpdated = gates.includes('verifiers-updated');
  const isDrained = gates.includes('old-leaves-gone');
  return {
    holders: isUpdated ? holders.filter(({ anchors }) => holdsAll(anchors, needed)) : holders,
    shown: isDrained && live ? shown.filter(({ chain }) => isSameSet(chain, live.issuerChain)) : shown,
    live,
  };
}

type Verify = (holder: Holder, shown: Shown) => Verification;

function pairsOf(
  phase: PhaseName,
  { holders, shown }: Scene,
  verify: Verify,
  brokenBefore: ReadonlySet<string>,
): Pair[] {
  return holders.flatMap((holder) =>
    shown.map((chain): Pair => {
      const { ok, reason, chains } = verify(holder, chain);
      return {
        phase,
        holder: holder.label,
        workloads: holder.workloads,
        shown: chain.label,
        verifies: ok,
        isOld: brokenBefore.has(keyOf(holder, chain)),
        reason,
        until: ok ? endOf(chains) : undefined,
      };
    }),
  );
}

function keyOf({ anchors, usage }: Holder, { chain }: Shown): string {
  return `${usage} ${fingerprintsOf(anchors)} < ${fingerprintsOf(chain)}`;
}

/** The same few sets and chains meet in every phase. */
function verifyOnce(at: Date): Verify {
  const known = new Map<string, Verification>();
  return (holder, shown) => {
    const key = keyOf(holder, shown);
    const { anchors, usage } = holder;
    const verification = known.get(key) ?? verifyLeafOf(shown.chain, { anchors, at, ...(usage ? { usage } : {}) });
    known.set(key, verification);
    return verification;
  };
}

/** A chain ends with its first link, and of several chains the longest-lived counts. */
function endOf(chains: Verification['chains']): Date {
  const ends = chains.map((chain) => Math.min(...chain.map(({ notAfter }) => notAfter.getTime())));
  return new Date(Math.max(...ends));
}

function earliest(pairs: readonly Pair[]): Date | undefined {
  const ends = pairs.flatMap(({ until }) => until?.getTime() ?? []);
  return ends.length > 0 ? new Date(Math.min(...ends)) : undefined;
}

type Labeller = (anchors: readonly Certificate[]) => string;

function labelSets({ before, switched, after, 'both-anchors': both }: Stages): Labeller {
  const known: [string, Stage | undefined][] = [
    ['the old anchors', before],
    ['the new anchor alone', after],
    ['old and new anchors', both ?? switched],
  ];
  return (anchors) => {
    const match = known.find(([, stage]) => stage && isSameSet(stage.anchors, anchors));
    if (match) return match[0];
    if (anchors.length === 0) return 'no anchor that can be read';
    const names = anchors.map(({ fingerprint }) => fingerprint.slice(0, 8)).join(', ');
    return anchors.length === 1 ? `only the anchor ${names}` : `the anchors ${names}`;
  };
}

function isSameSet(a: readonly Certificate[], b: readonly Certificate[]): boolean {
  return fingerprintsOf(a) === fingerprintsOf(b);
}

function fingerprintsOf(certificates: readonly Certificate[]): string {
  return [...new Set(certificates.map(({ fingerprint }) => fingerprint))].sort().join(' ');
}
