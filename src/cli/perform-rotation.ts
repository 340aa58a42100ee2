import { assertBundle } from '../app/assert-bundle.ts';
import { readCurrent } from '../app/renew/current.ts';
import { rootKeyLost } from '../app/root-key.ts';
import { type Advanced, type AdvanceOptions, advanceRotation } from '../app/rotate/advance.ts';
import { amendRotation, changeDrain, confirm, skipWorkloads } from '../app/rotate/amend.ts';
import type { Wait } from '../app/rotate/gates/gate.ts';
import { judgePhase } from '../app/rotate/gates/judge.ts';
import { planRotation, type RotationPlan } from '../app/rotate/plan.ts';
import { assertReadableKey } from '../app/rotate/readable-key.ts';
import {
  type Confirmable,
  currentPhase,
  type Drain,
  decodeRecord,
  isWayBack,
  type Phase,
  type PhaseName,
  type PhaseStatus,
  type RotationRecord,
} from '../app/rotate/record.ts';
import { type RotationPlanReport, type RotationReport, reportPlan, reportRotation } from '../app/rotate/report.ts';
import { openStage } from '../app/rotate/stage-record.ts';
import { startRotation } from '../app/rotate/start.ts';
import { tellToWithdraw, undoRotation } from '../app/rotate/undo.ts';
import { warnOfUnknownWorkloads } from '../app/rotate/unknown-workloads.ts';
import { wayOut } from '../app/rotate/way-out.ts';
import { DaprMtlsError } from '../errors.ts';
import { formatMinute, nameOf } from '../render/rotation-text.ts';
import type { FoundFiles, StoredBundle } from '../store/port.ts';
import { assertUnited } from './assert-united.ts';
import { confirmAtTerminal } from './confirm.ts';
import { dropDraft } from './keep-file.ts';
import type { OpenRotation } from './open-rotation.ts';
import { chooseWriterFor, type OwnerChoice, type OwnerFlags } from './rotation-owners.ts';
import { type RotationInput, readRotationInput, type WishFlags } from './rotation-wish.ts';
import { Interrupted } from './stop.ts';
import type { Streams } from './streams.ts';

export interface Surroundings {
  readonly streams: Streams;
  readonly now: Date;
  /** The command line as it was typed. */
  readonly typed: string;
}

export interface RunFlags extends WishFlags, OwnerFlags {
  readonly yes: boolean;
  /** Never begins one. */
  readonly resume: boolean;
}

export interface UndoFlags extends OwnerFlags {
  readonly yes: boolean;
  readonly drain: Drain | undefined;
}

interface Planned {
  readonly stored: StoredBundle;
  readonly plan: RotationPlan;
  readonly report: RotationPlanReport;
  readonly input: RotationInput;
}

/** What a rotation would do here and now. Nothing is written. */
export async function planHere({ site, rotationSite }: OpenRotation, flags: WishFlags, now: Date): Promise<Planned> {
  const { store } = site;
  const stored = await store.read();
  assertBundle(stored, store.location);
  await assertUnited(site, stored);
  assertReadableKey(stored, store.location, flags.procedure);
  const input = readRotationInput(flags, site, now);
  const world = await rotationSite.gather();
  const { location } = store;
  const plan = await planRotation(readCurrent(stored, location, now), world, input.wish);
  const { settings, rootKey } = input;
  const { 'skip-workload': skipped } = flags;
  const report = reportPlan(plan, { stored, location, world, settings, rootKey, skipped, now });
  return { stored, plan, input, report };
}

/**
 * Begins a rotation, or goes on with the one that is under way, whoever has begun it.
 * @param onPlanned shows the plan of a new one before anybody is asked
 */
export async function runRotation(
  open: OpenRotation,
  flags: RunFlags,
  options: AdvanceOptions,
  { streams, now, typed }: Surroundings,
  onPlanned: (report: RotationPlanReport) => void,
): Promise<RotationReport> {
  const { rotations, site, ports } = open;
  const saved = await rotations.read();
  const present = saved && decodeRecord(saved.content, saved.place);
  const owners = chooseWriterFor(site, flags, typed, streams);
  if (present?.state === 'running') {
    assertSameProcedure(present, flags, ports.wayToStore);
    assertHasPhase(present, options.until);
    tellOfRunning(present, streams);
    await amendRunning(open, flags, options, now);
    await warnOfSkipped(open, flags, streams);
  } else if (flags.resume) {
    if (!present) throw nothingToResume(ports.wayToStore);
    tellOfRunning(present, streams);
    return reportAdvanced(open, { end: 'ended', record: present, waits: [] });
  } else {
    const { stored, plan, report, input } = await planHere(open, flags, now);
    assertHasPhase(plan, options.until);
    onPlanned(report);
    const written = plan.phases.flatMap(({ writes }) => (writes && plan.material.stages[writes]?.files) ?? []);
    await owners.assertWritable(written, stored.files);
    await confirmAtTerminal('Begin this rotation?', flags.yes);
    const start = {
      id: now.toISOString(),
      who: ports.who,
      now,
      settings: { ...input.settings, keepsIssuers: plan.keepsIssuers },
      skipped: flags['skip-workload'],
      rootKey: input.rootKey,
      passphrase: ports.passphrase,
    };
    const from = {
      formerId: present?.id,
      assertUnmoved: async () => {
        if ((await site.store.read()).revision !== stored.revision) throw moved(site.store.location.name);
      },
    };
    const { isNew, record } = await startRotation(rotations, plan, start, options.lockWaitMs, from);
    if (!isNew) tellOfRunning(record, streams);
    else if (plan.material.newRootKey && !input.rootKey) streams.warn(`${rootKeyLost}\n`);
  }
  return reportAdvanced(open, await advance(open, options, owners));
}

/** Who wants to stop at a phase that never comes would go on to the end. @throws DaprMtlsError `usage.invalid` */
function assertHasPhase(
  { phases, procedure }: Pick<RotationRecord, 'procedure'> & { readonly phases: readonly PhaseOnItsWay[] },
  until: PhaseName | undefined,
): void {
  const names = phases.filter(({ status }) => status !== 'abandoned').map(({ name }) => name);
  if (until === undefined || names.includes(until)) return;
  throw new DaprMtlsError('usage.invalid', {
    message: `--until ${until}: this rotation (${procedure}) has no such phase; nothing was written`,
    hint: `Its phases: ${names.join(', ')}. Name one of them, or leave --until out.`,
  });
}

type PhaseOnItsWay = Pick<Phase, 'name'> & { readonly status?: PhaseStatus };

function tellOfRunning({ state, procedure, startedAt, startedBy }: RotationRecord, streams: Streams): void {
  const rotation = `the rotation (${procedure}) that ${nameOf(startedBy)} began ${formatMinute(startedAt)}`;
  streams.note(state === 'running' ? `Going on with ${rotation}\n` : `Nothing is left to do of ${rotation}\n`);
}

/** What may be said anew while it is under way; all else was settled when it began. */
async function amendRunning(
  { rotations, ports }: OpenRotation,
  flags: Pick<RunFlags, 'skip-workload' | 'drain'>,
  { lockWaitMs }: AdvanceOptions,
  now: Date,
): Promise<void> {
  const { drain, 'skip-workload': skipped } = flags;
  if (skipped.length === 0 && drain === undefined) return;
  const voice = { who: ports.who, now };
  const amend = (record: RotationRecord) => {
    const next = skipWorkloads(record, skipped, voice);
    return drain === undefined ? next : changeDrain(next, drain, voice);
  };
  await amendRotation(rotations, 'rotate run', amend, lockWaitMs);
}

/** The plan of a new rotation says so itself. */
async function warnOfSkipped(
  { rotationSite }: Pick<OpenRotation, 'rotationSite'>,
  { 'skip-workload': skipped }: Pick<RunFlags, 'skip-workload'>,
  streams: Streams,
): Promise<void> {
  if (skipped.length === 0) return;
  for (const warning of warnOfUnknownWorkloads(skipped, await rotationSite.gather())) streams.warn(`${warning}\n`);
}

/** @throws DaprMtlsError `rotation.running` */
function assertSameProcedure(
  { procedure, startedAt, startedBy }: RotationRecord,
  { procedure: wanted }: Pick<RunFlags, 'procedure'>,
  wayToStore: string,
): void {
  if (wanted === undefined || wanted === procedure) return;
  throw new DaprMtlsError('rotation.running', {
    message: `a rotation of another procedure (${procedure}) is under way, begun ${startedAt} by ${startedBy}; nothing was written`,
    hint: `Go on with it without --procedure, or undo it first: \`dapr-mtls rotate undo${wayToStore}\`.`,
  });
}

function moved(name: string): DaprMtlsError {
  return new DaprMtlsError('store.conflict', {
    message: `${name} was changed by somebody else since the plan was made; nothing was begun`,
    hint: 'Run the command again: it plans from what stands there now.',
  });
}

async function advance(
  { ports }: OpenRotation,
  options: AdvanceOptions,
  { choose: chooseWriter }: Pick<OwnerChoice, 'choose'>,
): Promise<Advanced> {
  try {
    return await advanceRotation({ ...ports, chooseWriter }, options);
  } catch (error) {
    if (error instanceof DaprMtlsError && error.code === 'trust.refused') throw lapsed(error, ports.wayToStore);
    if (!(error instanceof Interrupted)) throw error;
    throw new Interrupted(error.signal, {
      message: 'the rotation is recorded as far as it has come, and nothing is half written',
      hint: `Go on at any time, from any machine: \`dapr-mtls rotate run${ports.wayToStore}\`. How far it is: \`dapr-mtls rotate status${ports.wayToStore}\`.`,
    });
  }
}

/** What a restart finds ended is not to be renewed in the middle of a rotation. */
function lapsed({ message }: DaprMtlsError, wayToStore: string): DaprMtlsError {
  return new DaprMtlsError('trust.refused', { message, hint: wayOut(wayToStore) });
}

function reportAdvanced({ site }: OpenRotation, { end, record, waits, opensAt }: Advanced): RotationReport {
  return reportRotation(site.store.location, record, { end, opensAt, waits, holder: undefined, remarks: [] });
}

/** Turns the rotation round, and goes the way back as far as it gets. */
export async function undoHere(
  open: OpenRotation,
  flags: UndoFlags,
  options: AdvanceOptions,
  { streams, now, typed }: Surroundings,
): Promise<RotationReport> {
  const { rotations, site, ports } = open;
  const voice = { who: ports.who, now };
  const way = { wayToStore: ports.wayToStore };
  const stored = await site.store.read();
  const { files } = stored;
  const saved = await rotations.read();
  if (!saved) throw noRotation(ports.wayToStore);
  const { drain } = flags;
  const present = decodeRecord(saved.content, saved.place);
  const turnRound = (record: RotationRecord, found: FoundFiles) =>
    undoRotation(drain === undefined ? record : changeDrain(record, drain, voice), found, { ...voice, ...way });
  const planned = turnRound(present, files);
  await assertUnited(site, stored, true);
  const owners = chooseWriterFor(site, flags, typed, streams);
  const written = planned.phases.flatMap(({ status, writes }) =>
    status === 'due' && writes ? openStage(planned, writes, ports.passphrase) : [],
  );
  await owners.assertWritable(written, files, present.id);
  for (const { name } of planned.phases.filter((phase) => isWayBack(phase) && phase.status === 'due'))
    streams.note(`To do: ${name}\n`);
  for (const text of tellToWithdraw(present, files)) streams.warn(`${text}\n`);
  await confirmAtTerminal('Undo the rotation?', flags.yes);
  const turn = async (record: RotationRecord) => {
    const turned = turnRound(record, (await site.store.read()).files);
    // Nobody comes behind it who would need that key, and take away what a dead run has left of it.
    if (record.rootKeyFile && !turned.rootKeyFile) dropDraft(record.rootKeyFile);
    return turned;
  };
  const record = await amendRotation(rotations, 'rotate undo', turn, options.lockWaitMs);
  if (record.state === 'undone') return reportAdvanced(open, { end: 'ended', record, waits: [] });
  return reportAdvanced(open, await advance(open, options, owners));
}

export async function confirmHere(
  { rotations, site, ports }: OpenRotation,
  what: Confirmable,
  now: Date,
): Promise<RotationReport> {
  const { who, wayToStore } = ports;
  const vouch = (present: RotationRecord) => confirm(present, what, { who, now, wayToStore });
  const record = await amendRotation(rotations, 'rotate confirm', vouch, 0, wayToStore);
  return reportRotation(site.store.location, record, { end: undefined, waits: [], holder: undefined, remarks: [] });
}

/** How far it is, and what the gate that is open waits for now. Nothing is written. */
export async function statusHere({ rotations, rotationSite, site, ports }: OpenRotation): Promise<RotationReport> {
  const saved = await rotations.read();
  const record = saved && decodeRecord(saved.content, saved.place);
  const holder = await rotations.whoHolds();
  const { waits, remarks } = record ? await lookAtGate(record) : { waits: [], remarks: [] };
  return reportRotation(site.store.location, record, { end: undefined, waits, holder, remarks });

  async function lookAtGate(present: RotationRecord): Promise<{ waits: readonly Wait[]; remarks: string[] }> {
    const phase = currentPhase(present);
    if (present.state !== 'running' || phase?.status !== 'written') return { waits: [], remarks: [] };
    try {
      const { waits } = judgePhase(present, phase, await rotationSite.gather(), ports.wayToStore);
      return { waits, remarks: [] };
    } catch (error) {
      if (!(error instanceof DaprMtlsError) || error.code !== 'cluster.forbidden') throw error;
      return { waits: [], remarks: [`What the gate waits for was not looked at: ${error.message}`] };
    }
  }
}

function nothingToResume(wayToStore: string): DaprMtlsError {
  return new DaprMtlsError('rotation.missing', {
    message: 'there is no rotation to go on with',
    hint: `Begin one without --resume: \`dapr-mtls rotate plan${wayToStore}\`, then \`dapr-mtls rotate run${wayToStore}\`.`,
  });
}

export function noRotation(wayToStore: string): DaprMtlsError {
  return new DaprMtlsError('rotation.missing', {
    message: 'there is no rotation to undo',
    hint: `What a renewal has replaced is among the copies: \`dapr-mtls backup list${wayToStore}\`.`,
  });
}
