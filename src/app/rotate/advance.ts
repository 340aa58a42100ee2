import { DaprMtlsError } from '../../errors.ts';
import type { BundleFiles } from '../../pki/bundle.ts';
import type { FoundFiles, PublishingStore, TrustStore } from '../../store/port.ts';
import type { RotationLock, RotationStore } from '../../store/rotation-port.ts';
import { describeStage, diverged } from './divergence.ts';
import { type GateVerdict, judgeGate, sinceOf, type Wait } from './gates.ts';
import { readAnchors } from './held-anchors.ts';
import { unsafe } from './plan.ts';
import { brokenPairs, isProven, provePhases } from './proof.ts';
import {
  currentPhase,
  decodeRecord,
  encodeRecord,
  isWayBack,
  type PendingFile,
  type PhaseName,
  type PhaseRecord,
  type RestartScope,
  type RotationRecord,
  type StageName,
} from './record.ts';
import { isStage, openStage, readStages, withoutKeys } from './stage-record.ts';
import { stepsToward } from './steps.ts';
import type { RotationSite, World } from './world.ts';

/** What the engine works with. */
export interface RotationPorts {
  readonly store: TrustStore;
  readonly rotations: RotationStore;
  readonly site: RotationSite;
  readonly clock: { readonly now: () => Date; readonly sleep: (ms: number) => Promise<void> };
  /** Person, host and process. */
  readonly who: string;
  /** Of the keys in the record. */
  readonly passphrase: string | undefined;
  /** Writes a file once; the same content there already is well. @throws DaprMtlsError `file.exists`, `file.io` */
  readonly keepFile: (file: PendingFile) => void;
  /** Throws when the run is to stop. */
  readonly assertRunning: () => void;
  /**
   * Asked before each write: whether it is this program's to do, or was handed to whoever owns the objects.
   * @throws DaprMtlsError `store.owned`
   */
  readonly chooseWriter: (id: string, phase: PhaseName, files: BundleFiles) => Promise<Writer>;
  readonly onProgress: (progress: RotationProgress) => void;
  /** ` -k`, or nothing. */
  readonly wayToStore: string;
}

/** this: the program writes. other: somebody else does, who has been told; then that is waited for. */
export type Writer =
  | { readonly kind: 'this' }
  /** handedOut: where to, for the history. */
  | { readonly kind: 'other'; readonly handedOut: string; readonly wait: Wait };

export type RotationProgress =
  | { readonly kind: 'proved'; readonly phase: PhaseName; readonly pairs: number }
  | { readonly kind: 'writing'; readonly phase: PhaseName }
  | { readonly kind: 'written'; readonly phase: PhaseName }
  | { readonly kind: 'restarting'; readonly phase: PhaseName }
  | { readonly kind: 'passed'; readonly phase: PhaseName; readonly evidence: readonly string[] }
  | { readonly kind: 'waiting'; readonly phase: PhaseName; readonly waits: readonly Wait[] }
  | { readonly kind: 'closed'; readonly until: Date }
  | { readonly kind: 'remark'; readonly text: string };

export interface AdvanceOptions {
  /** Whether to stay until every gate has closed. */
  readonly wait: boolean;
  /** The phase behind which to stop; undefined: none. */
  readonly until: PhaseName | undefined;
  /** When nothing may be written or restarted: the moment from which on it may be again; undefined while it may. */
  readonly closedUntil: (now: Date) => Date | undefined;
  /** How long to wait for another run that is at work. */
  readonly lockWaitMs: number;
  readonly pollMs: number;
  /** Who may be restarted; the others are left to people. */
  readonly restarts: readonly RestartScope[];
}

/**
 * ended: done or undone. until: the phase asked for has passed. waiting: at a gate. closed: outside of the
 * window.
 */
export type AdvanceEnd = 'ended' | 'until' | 'waiting' | 'closed';

export interface Advanced {
  readonly end: AdvanceEnd;
  readonly record: RotationRecord;
  readonly waits: readonly Wait[];
}

/**
 * Goes on with the rotation that the record tells of, as far as it gets: each transition is saved before
 * the next thing is begun, so that it may stop anywhere and go on from anywhere. The lock is held while
 * something is done, and let go while a gate is waited for: a human may confirm or undo meanwhile.
 * @throws DaprMtlsError `rotation.missing`, `rotation.diverged`, `rotation.unsafe`, `store.*`, `rollout.failed`
 */
export async function advanceRotation(ports: RotationPorts, options: AdvanceOptions): Promise<Advanced> {
  let id: string | undefined;
  for (;;) {
    ports.assertRunning();
    const { outcome, record } = await takeTurn(ports, options, id);
    id = record.id;
    if (outcome.kind === 'stopped') return { end: outcome.end, record, waits: [] };
    if (outcome.kind === 'closed') {
      ports.onProgress({ kind: 'closed', until: outcome.until });
      if (!options.wait) return { end: 'closed', record, waits: [] };
    } else {
      ports.onProgress({ kind: 'waiting', phase: outcome.phase, waits: outcome.waits });
      if (!options.wait) return { end: 'waiting', record, waits: outcome.waits };
    }
    await ports.clock.sleep(untilNextLook(outcome, ports.clock.now(), options));
  }
}

/** In milliseconds: a wait that ends by itself is not slept over. */
function untilNextLook(
  outcome: Exclude<TurnOutcome, { kind: 'stopped' }>,
  now: Date,
  { pollMs }: Pick<AdvanceOptions, 'pollMs'>,
): number {
  const ends = outcome.kind === 'closed' ? [outcome.until] : outcome.waits.flatMap(({ until }) => until ?? []);
  // One that has passed by this clock and not by the API server's must not make this loop spin.
  const left = ends.map((end) => end.getTime() - now.getTime()).filter((ms) => ms > 0);
  return Math.min(pollMs, ...left);
}

type TurnOutcome =
  | { readonly kind: 'stopped'; readonly end: 'ended' | 'until' }
  | { readonly kind: 'closed'; readonly until: Date }
  | { readonly kind: 'gate'; readonly phase: PhaseName; readonly waits: readonly Wait[] };

/** All that can be done without waiting, under the lock. */
async function takeTurn(
  ports: RotationPorts,
  options: AdvanceOptions,
  id: string | undefined,
): Promise<{ readonly outcome: TurnOutcome; readonly record: RotationRecord }> {
  const lock = await ports.rotations.lock('rotate run', options.lockWaitMs);
  try {
    const turn = new Turn(ports, lock, await readRunning(lock, id));
    const outcome = await turn.run(options);
    return { outcome, record: turn.record };
  } finally {
    await lock.release();
  }
}

/** @throws DaprMtlsError `rotation.missing`; `rotation.diverged` where another rotation has taken the place of this one */
async function readRunning(lock: RotationLock, id: string | undefined): Promise<RotationRecord> {
  const saved = await lock.read();
  const record = saved && decodeRecord(saved.content);
  if (record && (id === undefined || record.id === id)) return record;
  throw new DaprMtlsError('rotation.missing', {
    message: record ? 'another rotation has begun meanwhile' : 'there is no rotation to go on with',
    hint: 'See what there is: `dapr-mtls rotate status`. Begin one: `dapr-mtls rotate plan`, then `dapr-mtls rotate run`.',
  });
}

class Turn {
  record: RotationRecord;
  readonly #ports: RotationPorts;
  readonly #lock: RotationLock;
  /** What was proved in this turn: an older proof is of another world. */
  #proved: PhaseName | undefined;

  constructor(ports: RotationPorts, lock: RotationLock, record: RotationRecord) {
    this.#ports = ports;
    this.#lock = lock;
    this.record = record;
  }

  async run({ until, closedUntil, restarts }: AdvanceOptions): Promise<TurnOutcome> {
    await this.#keepRootKey();
    for (;;) {
      const phase = currentPhase(this.record);
      if (!phase || this.record.state !== 'running') return { kind: 'stopped', end: 'ended' };
      if (until && this.#hasPassed(until)) return { kind: 'stopped', end: 'until' };
      this.#ports.assertRunning();
      const opening = closedUntil(this.#ports.clock.now());
      if (opening && !(await this.#mayOutsideOfWindow(phase))) return { kind: 'closed', until: opening };
      if (phase.status === 'due') await this.#begin(phase);
      else {
        const waits =
          phase.status === 'begun' ? await this.#write(phase) : await this.#tryToPass(phase, opening ? [] : restarts);
        if (waits.length > 0) return { kind: 'gate', phase: phase.name, waits };
      }
    }
  }

  /** Gates are looked at whenever, and what a dead run left half written is no state to leave anything in. */
  async #mayOutsideOfWindow({ status }: PhaseRecord): Promise<boolean> {
    if (status === 'due') return false;
    return status === 'written' || (await this.#ports.store.read()).state === 'interrupted';
  }

  #hasPassed(name: PhaseName): boolean {
    return this.record.phases.some((phase) => phase.name === name && phase.status === 'passed');
  }

  /** The key of a root that is used and not kept would be lost. */
  async #keepRootKey(): Promise<void> {
    const { rootKeyFile } = this.record;
    if (!rootKeyFile) return;
    this.#ports.keepFile(rootKeyFile);
    await this.#save({ rootKeyFile: undefined }, `kept the key of the new root in ${rootKeyFile.path}`);
  }

  /** Nothing is begun that has not been proved against the world as it is now. */
  async #begin(phase: PhaseRecord): Promise<void> {
    await this.#assertLive();
    const proved = await this.#prove(phase);
    if (phase.writes) return this.#saveAbout(phase, { status: 'begun' }, `begins ${phase.name}: ${proved}`);
    const writtenAt = roundUp(await this.#ports.site.instant()).toISOString();
    await this.#saveAbout(phase, { status: 'written', writtenAt }, `begins ${phase.name}: ${proved}`);
  }

  /** @returns what was found. @throws DaprMtlsError `rotation.unsafe` */
  async #prove(phase: PhaseRecord): Promise<string> {
    const world = await this.#ports.site.gather();
    const proof = provePhases({
      phases: this.record.phases,
      stages: this.#stagesWithKeys(),
      world,
      needed: neededAnchors(this.record),
      skipped: this.record.skipped.map(({ workload }) => workload),
      at: world.at,
    });
    const own = { ...proof, pairs: proof.pairs.filter((pair) => pair.phase === phase.name) };
    if (!isProven(own)) throw unsafe(`the phase ${phase.name}`, own);
    this.#ports.onProgress({ kind: 'proved', phase: phase.name, pairs: own.pairs.length });
    const broken = brokenPairs(own).length;
    this.#proved = phase.name;
    return `${own.pairs.length} pairs verified${broken > 0 ? `, ${broken} of them cannot` : ''}`;
  }

  /** A proof judges Sentry's start, too, which needs the keys. */
  #stagesWithKeys() {
    const stages = readStages(this.record);
    return Object.fromEntries(
      Object.entries(stages).map(([name, stage]) => [
        name,
        { ...stage, files: openStage(this.record, name as StageName, this.#ports.passphrase) },
      ]),
    );
  }

  /** @returns what is waited for; empty where the bundle of the phase stands in the store */
  async #write(phase: PhaseRecord): Promise<readonly Wait[]> {
    const { writes } = phase;
    if (!writes) throw new Error('a phase that writes nothing is never begun');
    const files = openStage(this.record, writes, this.#ports.passphrase);
    const isThere = await this.#stands(writes);
    const writer = isThere ? undefined : await this.#ports.chooseWriter(this.record.id, phase.name, files);
    if (writer?.kind === 'other') return await this.#handOut(phase, writes, writer);
    // It was begun by a run that is gone, before the window closed, or handed out days ago.
    if (!isThere && this.#proved !== phase.name) await this.#prove(phase);
    this.#ports.onProgress({ kind: 'writing', phase: phase.name });
    const { backup, replaced } = await this.#apply(phase, writes, files);
    if (replaced) await this.#repair(files, replaced);
    this.#ports.onProgress({ kind: 'written', phase: phase.name });
    const writtenAt = roundUp(await this.#ports.site.instant()).toISOString();
    const done = phase.handedOut ? 'found in its place' : 'wrote';
    const what = `${done} the bundle of ${phase.name}, ${describeStage(readStages(this.record)[writes])}${backup ? `; the former one is in ${backup}` : ''}`;
    await this.#saveAbout(phase, { status: 'written', writtenAt }, what);
    return [];
  }

  /** Who applies Secret and ConfigMap does so one after the other: half of it is no divergence yet. */
  async #handOut(
    phase: PhaseRecord,
    writes: StageName,
    { handedOut, wait }: Extract<Writer, { kind: 'other' }>,
  ): Promise<readonly Wait[]> {
    const { files } = await this.#ports.store.read();
    const target = readStages(this.record)[writes];
    if (!target || !isStage(target, files)) this.#assertIsLive(files);
    const what = `handed the bundle of ${phase.name} out in ${handedOut}`;
    if (!phase.handedOut) await this.#saveAbout(phase, { handedOut: true }, what);
    return [wait];
  }

  /**
   * Also finishes what a dead run left in the store.
   * @returns where the former bundle was copied to, and what was thrown where the new one did not stay
   */
  async #apply(
    phase: PhaseRecord,
    writes: StageName,
    files: BundleFiles,
  ): Promise<{ readonly backup?: string | undefined; readonly replaced?: DaprMtlsError }> {
    const { store, passphrase } = this.#ports;
    const purpose = `rotate ${isWayBack(phase) ? 'undo' : 'run'} (${phase.name})`;
    const session = await store.openForChange(purpose);
    try {
      const stored = await session.read();
      const target = readStages(this.record)[writes];
      if (target && isStage(target, stored.files)) return {};
      this.#assertIsLive(stored.files);
      const copy = await session.backUp({ reason: purpose, passphrase });
      await this.#lock.assertHeld();
      const steps = stepsToward(stored.files, files, store.location.kind);
      try {
        await session.apply({ steps, sideFiles: [] }, stored.revision);
      } catch (error) {
        if (!(error instanceof DaprMtlsError) || !isReplacement(error)) throw error;
        return { backup: copy?.path, replaced: error };
      }
      return { backup: copy?.path };
    } finally {
      await session.close();
    }
  }

  /**
   * A Sentry that had read one object before the write and the other after it has made a root of its own,
   * within the time that the store looks on. Nobody but who started in these seconds knows it.
   */
  async #repair(files: BundleFiles, error: DaprMtlsError): Promise<void> {
    const { store } = this.#ports;
    if (!isPublishing(store) || !(await this.#isForeign())) throw error;
    const session = await store.openForRepair('rotate run (repair)');
    try {
      await session.unite(files);
    } finally {
      await session.close();
    }
    await this.#save({}, 'put the bundle back that somebody else had replaced right after it was written');
  }

  /** Whether not one of the anchors that stand there is known to the rotation. */
  async #isForeign(): Promise<boolean> {
    const { anchors } = (await this.#ports.store.read()).files;
    if (!anchors) return true;
    const known = Object.values(readStages(this.record)).flatMap((stage) => stage.anchors);
    return !readAnchors(anchors).some(({ fingerprint }) => known.some((anchor) => anchor.fingerprint === fingerprint));
  }

  async #stands(name: StageName): Promise<boolean> {
    const stage = readStages(this.record)[name];
    return stage !== undefined && isStage(stage, (await this.#ports.store.read()).files) && (await this.#isUnited());
  }

  async #isUnited(): Promise<boolean> {
    const { store } = this.#ports;
    try {
      if (isPublishing(store)) await store.assertUnited();
      return true;
    } catch (error) {
      if (!(error instanceof DaprMtlsError) || error.code !== 'store.mismatch') throw error;
      return false;
    }
  }

  /** @returns what is waited for; empty where the phase has passed */
  async #tryToPass(phase: PhaseRecord, restarts: readonly RestartScope[]): Promise<readonly Wait[]> {
    await this.#assertLive();
    let current = phase;
    const scopes = phase.restarts.filter((scope) => restarts.includes(scope));
    if (scopes.length > 0) current = await this.#restart(phase, scopes);
    const world = await this.#ports.site.gather();
    await this.#assertLive();
    const { waits, evidence } = judgePhase(this.record, current, world, this.#ports.wayToStore);
    if (waits.length > 0) return waits;
    this.#ports.onProgress({ kind: 'passed', phase: phase.name, evidence });
    // Not the moment of the evidence, but one behind it: who started in between may be of the old world.
    const passedAt = roundUp(await this.#ports.site.instant()).toISOString();
    await this.#saveAbout(
      current,
      { status: 'passed', passedAt, evidence },
      `${phase.name} has passed: ${evidence.join('; ')}`,
    );
    return [];
  }

  async #restart(phase: PhaseRecord, scopes: readonly RestartScope[]): Promise<PhaseRecord> {
    const { site } = this.#ports;
    // The command of a directory restarts everybody, each time; a cluster's restart looks who is due.
    if (phase.restartedAt !== undefined && site.kind === 'directory') return phase;
    this.#ports.onProgress({ kind: 'restarting', phase: phase.name });
    const { carriedOut, restarted, remarks } = await site.restart({
      phase: phase.name,
      scopes,
      since: sinceOf(phase, this.record.phases),
      neededAnchors: phase.gates.includes('verifiers-updated') ? neededAnchors(this.record) : [],
      skipped: this.record.skipped.map(({ workload }) => workload),
    });
    for (const text of remarks) this.#ports.onProgress({ kind: 'remark', text });
    if (!carriedOut || (phase.restartedAt !== undefined && restarted.length === 0)) return phase;
    const restartedAt = roundUp(await site.instant()).toISOString();
    await this.#saveAbout(phase, { restartedAt }, `restarted ${restarted.join(', ') || 'nobody: nobody was due'}`);
    return { ...phase, restartedAt };
  }

  /** The record and the store must tell the same: whatever else stands there, somebody else has put there. */
  async #assertLive(): Promise<void> {
    const { store } = this.#ports;
    this.#assertIsLive((await store.read()).files);
    // Where the two sides differ the next Sentry to start makes a root of its own.
    if (isPublishing(store)) await store.assertUnited();
  }

  #assertIsLive(files: FoundFiles): void {
    const name = liveStage(this.record);
    const stages = readStages(this.record);
    const stage = stages[name];
    // Without an old bundle that could be read there is nothing to compare with.
    if (!stage || isStage(stage, files)) return;
    throw diverged(stages, files, name, this.#ports.wayToStore);
  }

  async #saveAbout(phase: PhaseRecord, change: Partial<PhaseRecord>, what: string): Promise<void> {
    const phases = this.record.phases.map((other) =>
      other.name === phase.name && other.status !== 'abandoned' ? { ...other, ...change } : other,
    );
    const isOver = currentPhase({ phases }) === undefined;
    await this.#save(isOver ? { phases, ...endOf({ ...this.record, phases }) } : { phases }, what);
  }

  async #save(change: Partial<RotationRecord>, what: string): Promise<void> {
    const event = { at: this.#ports.clock.now().toISOString(), by: this.#ports.who, what };
    const record: RotationRecord = { ...this.record, ...change, history: [...this.record.history, event] };
    await this.#lock.save(encodeRecord(record));
    this.record = record;
  }
}

/** What the gates of a phase have to say of the world as it is. Pure. */
export function judgePhase(record: RotationRecord, phase: PhaseRecord, world: World, wayToStore: string): GateVerdict {
  const live = readStages(record)[liveStage(record)];
  if (!live) throw new Error('a phase that has begun has a bundle');
  const verdicts = phase.gates.map((gate) =>
    judgeGate(gate, { record, phase, live, needed: neededAnchors(record), world, wayToStore }),
  );
  return {
    evidence: verdicts.flatMap(({ evidence }) => evidence),
    waits: verdicts.flatMap(({ waits }) => waits),
  };
}

/** What is left of a rotation that has ended is its history; the keys go. */
function endOf(record: RotationRecord): Pick<RotationRecord, 'state' | 'stages'> {
  const isUndone = record.phases.some(isWayBack);
  return { state: isUndone ? 'undone' : 'done', stages: withoutKeys(record) };
}

/** The bundle that stands in the store, as far as the record knows: that of the last phase that wrote. */
export function liveStage({ phases }: Pick<RotationRecord, 'phases'>): StageName {
  const written = phases.findLast(
    ({ writes, status, writtenAt }) => writes !== undefined && writtenAt !== undefined && status !== 'due',
  );
  return written?.writes ?? 'before';
}

/** SHA-256 of the anchors without which a verifier is lost when the rotation goes on. */
export function neededAnchors(record: Pick<RotationRecord, 'procedure' | 'stages'>): string[] {
  if (record.procedure === 'same-root') return [];
  return (readStages(record).after?.anchors ?? []).map(({ fingerprint }) => fingerprint);
}

/** API servers tell whole seconds: what started in the same second may have started before. */
function roundUp(date: Date): Date {
  return new Date(Math.ceil(date.getTime() / 1000) * 1000);
}

/** What only the look behind a write throws. */
function isReplacement({ code }: DaprMtlsError): boolean {
  return code === 'store.replaced' || code === 'store.mismatch';
}

function isPublishing(store: TrustStore): store is PublishingStore {
  return 'openForRepair' in store;
}
