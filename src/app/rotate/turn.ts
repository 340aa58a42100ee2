import type { RotationLock } from '../../store/rotation-port.ts';
import { describeHandOut } from './describe-phase.ts';
import { describeProof, listCutOff } from './describe-proof.ts';
import { describeStage } from './divergence.ts';
import { askForLateClients } from './gates/confirmations.ts';
import { sinceOf, type Wait } from './gates/gate.ts';
import { judgePhase } from './gates/judge.ts';
import { followSettings } from './leaf-settings.ts';
import { assertLive, assertLiveOr, type LiveBundle, stands, writeStage } from './live-bundle.ts';
import { neededAnchors } from './live-stage.ts';
import { type OpenedStages, openStages } from './opened-stages.ts';
import { unsafe } from './plan.ts';
import type { RotationPorts, Writer } from './ports.ts';
import { isProven, provePhases } from './proof.ts';
import {
  currentPhase,
  encodeRecord,
  isWayBack,
  type PhaseName,
  type PhaseRecord,
  type RestartScope,
  type RotationRecord,
  type StageName,
} from './record.ts';
import { withoutKeys } from './stage-record.ts';
import { wayOutOf } from './way-out.ts';
import type { World } from './world.ts';

export interface TurnOptions {
  /** The phase behind which to stop; undefined: none. */
  readonly until: PhaseName | undefined;
  /** When nothing may be written or restarted: the moment from which on it may be again; undefined while it may. */
  readonly closedUntil: (now: Date) => Date | undefined;
  /** Who may be restarted; the others are left to people. */
  readonly restarts: readonly RestartScope[];
}

export type TurnOutcome =
  | { readonly kind: 'stopped'; readonly end: 'ended' | 'until' }
  | { readonly kind: 'closed'; readonly until: Date }
  | { readonly kind: 'gate'; readonly phase: PhaseName; readonly waits: readonly Wait[] };

/** All of a rotation that can be done without waiting, under one lock. */
export class Turn {
  record: RotationRecord;
  readonly #ports: RotationPorts;
  readonly #lock: RotationLock;
  readonly #stages: OpenedStages;
  /** What was proved in this turn: an older proof is of another world. */
  #proved: PhaseName | undefined;

  /** @throws DaprMtlsError `store.damaged` */
  constructor(ports: RotationPorts, lock: RotationLock, record: RotationRecord) {
    this.#ports = ports;
    this.#lock = lock;
    this.record = record;
    this.#stages = openStages(record, ports.passphrase, ports.wayToStore);
  }

  async run({ until, closedUntil, restarts }: TurnOptions): Promise<TurnOutcome> {
    await this.#keepRootKey();
    for (;;) {
      const phase = currentPhase(this.record);
      if (!phase || this.record.state !== 'running') return { kind: 'stopped', end: 'ended' };
      if (until && this.#hasPassed(until)) return { kind: 'stopped', end: 'until' };
      this.#ports.assertRunning();
      const opening = closedUntil(this.#ports.clock.now());
      if (opening && !(await this.#mayOutsideOfWindow(phase))) return { kind: 'closed', until: opening };
      const waits = await this.#goOn(phase, restarts, closedUntil);
      if (waits.length > 0) return { kind: 'gate', phase: phase.name, waits };
    }
  }

  /** @returns what is waited for; empty where the phase has come a step further */
  #goOn(
    phase: PhaseRecord,
    restarts: readonly RestartScope[],
    closedUntil: TurnOptions['closedUntil'],
  ): Promise<readonly Wait[]> {
    if (phase.status === 'due') return this.#begin(phase);
    return phase.status === 'begun' ? this.#write(phase) : this.#tryToPass(phase, restarts, closedUntil);
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
  async #begin(phase: PhaseRecord): Promise<readonly Wait[]> {
    await assertLive(this.#live());
    const { waits, found } = await this.#prove(phase);
    if (waits.length > 0) return waits;
    const begun: Partial<PhaseRecord> = phase.writes
      ? { status: 'begun' }
      : { status: 'written', writtenAt: await this.#instant() };
    await this.#saveAbout(phase, begun, `begins ${phase.name}: ${found}`);
    return [];
  }

  /** @returns what was found, or what is waited for before. @throws DaprMtlsError `rotation.unsafe` */
  async #prove(phase: PhaseRecord): Promise<{ readonly waits: readonly Wait[]; readonly found: string }> {
    const world = await this.#look();
    const { wayToStore } = this.#ports;
    const { waits } = askForLateClients({ record: this.record, phase, wayToStore });
    if (waits.length > 0) return { waits, found: '' };
    const proof = provePhases({
      phases: this.record.phases,
      stages: this.#stages.unsealed(),
      world,
      needed: this.#needed(),
      skipped: this.#skipped(),
      at: world.at,
    });
    const own = { ...proof, pairs: proof.pairs.filter((pair) => pair.phase === phase.name) };
    if (!isProven(own)) throw unsafe(`the phase ${phase.name}`, own, wayOutOf(phase, wayToStore));
    this.#ports.onProgress({ kind: 'proved', phase: phase.name, pairs: own.pairs.length, cutOff: listCutOff(own) });
    this.#proved = phase.name;
    return { waits, found: describeProof(own) };
  }

  /** The world as it is, and in the record what people have set anew since the last look. */
  async #look(): Promise<World> {
    const world = await this.#ports.site.gather();
    const { settings, changes } = followSettings(this.record.settings, world, currentPhase(this.record)?.name);
    if (changes.length > 0) await this.#save({ settings }, changes.join('; '));
    for (const text of [...changes, ...(world.isOwnClock ? [ownClock] : [])])
      this.#ports.onProgress({ kind: 'remark', text });
    return world;
  }

  /** @returns what is waited for; empty where the bundle of the phase stands in the store */
  async #write(phase: PhaseRecord): Promise<readonly Wait[]> {
    const { writes } = phase;
    if (!writes) throw new Error('a phase that writes nothing is never begun');
    const isThere = await stands(this.#live(), writes);
    const writer = isThere ? undefined : await this.#chooseWriter(phase, writes);
    if (writer?.kind === 'other') return await this.#handOut(phase, writes, writer);
    // It was begun by a run that is gone, before the window closed, or handed out days ago.
    if (!isThere && this.#proved !== phase.name) {
      const { waits } = await this.#prove(phase);
      if (waits.length > 0) return waits;
    }
    this.#ports.onProgress({ kind: 'writing', phase: phase.name });
    const { backup, isRepaired } = await writeStage(this.#live(), this.#lock, phase, writes);
    if (isRepaired)
      await this.#save({}, 'put the bundle back that somebody else had replaced right after it was written');
    this.#ports.onProgress({ kind: 'written', phase: phase.name });
    const writtenAt = await this.#instant();
    const done = phase.handedOut ? 'found in its place' : 'wrote';
    const what = `${done} the bundle of ${phase.name}, ${describeStage(this.#stages.sealed[writes])}${backup ? `; the former one is in ${backup}` : ''}`;
    await this.#saveAbout(phase, { status: 'written', writtenAt }, what);
    return [];
  }

  #chooseWriter(phase: PhaseRecord, writes: StageName): Promise<Writer> {
    return this.#ports.chooseWriter(this.record.id, phase.name, this.#stages.files(writes));
  }

  async #handOut(
    phase: PhaseRecord,
    writes: StageName,
    { handedOut, wait }: Extract<Writer, { kind: 'other' }>,
  ): Promise<readonly Wait[]> {
    await assertLiveOr(this.#live(), writes);
    const what = describeHandOut(phase.name, handedOut);
    if (!phase.handedOut) await this.#saveAbout(phase, { handedOut: true }, what);
    return [wait];
  }

  /** @returns what is waited for; empty where the phase has passed */
  async #tryToPass(
    phase: PhaseRecord,
    restarts: readonly RestartScope[],
    closedUntil: TurnOptions['closedUntil'],
  ): Promise<readonly Wait[]> {
    await assertLive(this.#live());
    const opening = () => closedUntil(this.#ports.clock.now());
    const scopes = phase.restarts.filter((scope) => restarts.includes(scope));
    const current = scopes.length > 0 && !opening() ? await this.#restart(phase, scopes, opening) : phase;
    const world = await this.#look();
    await assertLive(this.#live());
    const { wayToStore } = this.#ports;
    const { waits, evidence } = judgePhase(this.record, current, world, wayToStore, this.#stages.sealed);
    if (waits.length > 0) {
      const until = scopes.length > 0 && current.restartedAt === undefined ? opening() : undefined;
      return until ? [waitForOpening(phase, until, wayToStore), ...waits] : waits;
    }
    this.#ports.onProgress({ kind: 'passed', phase: phase.name, evidence });
    // Not the moment of the evidence, but one behind it: who started in between may be of the old world.
    const passedAt = await this.#instant();
    await this.#saveAbout(
      current,
      { status: 'passed', passedAt, evidence },
      `${phase.name} has passed: ${evidence.join('; ')}`,
    );
    return [];
  }

  /** Also stops in its middle, between two workloads: what has been restarted by then stays so. */
  async #restart(
    phase: PhaseRecord,
    scopes: readonly RestartScope[],
    opening: () => Date | undefined,
  ): Promise<PhaseRecord> {
    const { site } = this.#ports;
    // The command of a directory restarts everybody, each time; a cluster's restart looks who is due.
    if (phase.restartedAt !== undefined && site.kind === 'directory') return phase;
    this.#ports.onProgress({ kind: 'restarting', phase: phase.name });
    const { carriedOut, restarted, remarks } = await site.restart({
      phase: phase.name,
      scopes,
      since: sinceOf(phase, this.record.phases),
      neededAnchors: phase.gates.includes('verifiers-updated') ? this.#needed() : [],
      skipped: this.#skipped(),
      mayBegin: async () => {
        // Another run may have taken this one for dead, and restarts them, too, or has undone it all.
        await this.#lock.assertHeld();
        const until = opening();
        if (until) this.#ports.onProgress({ kind: 'closed', until });
        return until === undefined;
      },
    });
    for (const text of remarks) this.#ports.onProgress({ kind: 'remark', text });
    if (!carriedOut) {
      if (restarted.length > 0) await this.#save({}, `restarted ${restarted.join(', ')}, and not all who are due`);
      return phase;
    }
    if (phase.restartedAt !== undefined && restarted.length === 0) return phase;
    const restartedAt = await this.#instant();
    await this.#saveAbout(phase, { restartedAt }, `restarted ${restarted.join(', ') || 'nobody: nobody was due'}`);
    return { ...phase, restartedAt };
  }

  #live(): LiveBundle {
    return { ports: this.#ports, record: this.record, stages: this.#stages };
  }

  #needed(): string[] {
    return neededAnchors(this.record, this.#stages.sealed);
  }

  #skipped(): string[] {
    return this.record.skipped.map(({ workload }) => workload);
  }

  /** API servers tell whole seconds: what started in the same second may have started before. */
  async #instant(): Promise<string> {
    const instant = await this.#ports.site.instant();
    return new Date(Math.ceil(instant.getTime() / 1000) * 1000).toISOString();
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

const ownClock =
  "The API server's clock may not be asked, which takes the right to create ConfigMaps in the namespace of the control plane, as a dry run: this machine's clock counts instead. Where it is behind, a pod of before a write may be taken for one of after it. Compare both clocks, or have that right granted.";

function waitForOpening({ name }: Pick<PhaseRecord, 'name'>, until: Date, wayToStore: string): Wait {
  return {
    what: `nobody is restarted in ${name} before the window opens at ${until.toISOString()}`,
    mend: `Who was restarted stays so, and the others follow then: stay with --wait, or run the same command then. Not to wait for it: \`dapr-mtls rotate run${wayToStore}\` without --window.`,
    until,
  };
}

/** What is left of a rotation that has ended is its history; the keys go. */
function endOf(record: RotationRecord): Pick<RotationRecord, 'state' | 'stages'> {
  const isUndone = record.phases.some(isWayBack);
  return { state: isUndone ? 'undone' : 'done', stages: withoutKeys(record) };
}
