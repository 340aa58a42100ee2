import type { Wait } from '../app/rotate/gates/gate.ts';
import type { HolderReport, PhaseReport, RotationReport, WaitReport } from '../app/rotate/report.ts';
import { quotePosix } from '../app/shell-quote.ts';
import { formatMinute, hang, nameOf, readInstants } from './rotation-text.ts';
import { type Colour, foldColumns, painter, printable, type Terminal, widthOf } from './text.ts';

type Paint = ReturnType<typeof painter>;

/** What a run has done, what it waits for, and what to type next. */
export function renderRotation(report: RotationReport, terminal: Terminal): string {
  const paint = painter(terminal.colour);
  return joinParts([...describeState(report, terminal, paint), describeNext(report, widthOf(terminal), paint)]);
}

/** The whole record besides, to attach to a change ticket. */
export function renderRotationStatus(report: RotationReport, terminal: Terminal): string {
  const paint = painter(terminal.colour);
  const width = widthOf(terminal);
  return joinParts([
    ...describeState(report, terminal, paint),
    ...describeRecord(report, width, paint),
    describeNext(report, width, paint),
  ]);
}

/** What belongs on standard error. */
export function rotationRemarks({ remarks }: RotationReport): readonly string[] {
  return remarks;
}

/** What, and its mend below it. */
export function describeWaits(waits: readonly (Wait | WaitReport)[], width: number): string {
  return waits
    .flatMap(({ what, mend }) => [...hang('  - ', what, width), ...hang('    Mend: ', mend, width)])
    .map((line) => `${line}\n`)
    .join('');
}

function joinParts(parts: readonly (readonly string[])[]): string {
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

function describeState(report: RotationReport, terminal: Terminal, paint: Paint): string[][] {
  const width = widthOf(terminal);
  const { state, startedAt, startedBy, waits, phases } = report;
  if (state === 'none') return [['No rotation is under way here.']];
  const begun = `Begun ${formatMinute(startedAt ?? '')} by ${nameOf(startedBy ?? '')}`;
  const waiting = describeWaits(waits, width).trimEnd();
  return [
    [paint(state === 'done' || state === 'undone' ? 'green' : 'bold', headline(report)), begun],
    describePhases(phases, width, paint),
    waits.length > 0
      ? [paint('bold', 'Waiting for'), waiting.replaceAll('    Mend:', `    ${paint('bold', 'Mend:')}`)]
      : [],
  ];
}

function headline({ state, end, opensAt, procedure, phases, waits }: RotationReport): string {
  const name = `Rotation (${procedure})`;
  if (state === 'done') return `✓ ${name} is done`;
  if (state === 'undone') return `✓ ${name} is undone: the bundle of before is in its place`;
  if (state === 'abandoned') return `${name} was given up: the bundle that stands there was kept`;
  if (end === 'closed')
    return `${name}: waiting for its window${opensAt ? `, which opens ${formatMinute(opensAt)}` : ''}`;
  if (end === 'until')
    return `${name}: stopped behind ${phases.findLast(({ status }) => status === 'passed')?.name}, as it was asked to`;
  const current = phases.find(({ status }) => status !== 'passed' && status !== 'abandoned')?.name;
  return `${name}: ${waits.length > 0 ? 'waiting' : 'under way'} in ${current}`;
}

const signs: Record<PhaseReport['status'], { readonly mark: string; readonly colour: Colour | undefined }> = {
  due: { mark: '·', colour: undefined },
  begun: { mark: '…', colour: 'yellow' },
  written: { mark: '…', colour: 'yellow' },
  passed: { mark: '✓', colour: 'green' },
  abandoned: { mark: '-', colour: 'grey' },
};

function describePhases(phases: readonly PhaseReport[], width: number, paint: Paint): string[] {
  const rows = phases.map((phase) => [`  ${signs[phase.status].mark} ${phase.name}`, sayStatus(phase)]);
  return foldColumns(rows, width).map((line, index) => {
    const { mark, colour } = signs[phases[index]?.status ?? 'due'];
    return colour ? line.replace(mark, paint(colour, mark)) : line;
  });
}

function sayStatus({ status, handedOut, passedAt, writtenAt }: PhaseReport): string {
  switch (status) {
    case 'due':
      return 'to come';
    case 'begun':
      return handedOut ? 'handed out, to be applied by who keeps the objects' : 'being written';
    case 'written':
      return `waiting since ${formatMinute(writtenAt ?? '')}`;
    case 'passed':
      return `passed ${formatMinute(passedAt ?? '')}`;
    case 'abandoned':
      return 'given up';
  }
}

function describeRecord({ holder, skipped, confirmations, history }: RotationReport, width: number, paint: Paint) {
  const title = (text: string) => paint('bold', text);
  return [
    holder ? hang('At work: ', describeHolder(holder), width) : [],
    skipped.length > 0
      ? [
          title('Answered for by people'),
          ...skipped.flatMap(({ workload, by, at }) =>
            hang('  ', `${workload}, by ${nameOf(by)}, ${formatMinute(at)}`, width),
          ),
        ]
      : [],
    confirmations.length > 0
      ? [
          title('Confirmed by people'),
          ...confirmations.flatMap(({ what, phase, by, at }) =>
            hang('  ', `${what} in ${phase}, by ${nameOf(by)}, ${formatMinute(at)}`, width),
          ),
        ]
      : [],
    history.length > 0 ? [title('History, in UTC'), ...describeHistory(history, width)] : [],
  ];
}

/** Under the name of who did it, which changes less often than what was done. */
function describeHistory(history: RotationReport['history'], width: number): string[] {
  return history.flatMap(({ at, by, what }, index) => {
    const moment = readInstants(`${at.slice(0, 19)}Z`).replace(' UTC', '');
    const heading = history[index - 1]?.by === by ? [] : hang('  ', by, width);
    return [...heading, ...hang(`    ${moment}  `, what, width)];
  });
}

/** The command stands alone and whole, so that it can be copied. */
function describeNext(report: RotationReport, width: number, paint: Paint): string[] {
  const next = sayNext(report);
  if (!next) return [];
  const [first = '', ...rest] = hang('Next: ', next.why, width);
  return [first.replace('Next:', paint('bold', 'Next:')), ...rest, `  ${next.command}`];
}

function sayNext(report: RotationReport): { readonly why: string; readonly command: string } | undefined {
  const { state, end, waits, holder, store, encrypted } = report;
  const way = store.kind === 'cluster' ? ' -k' : ` --dir ${quotePosix(store.name)}`;
  if (state === 'none') return { why: 'see what a rotation would do', command: `dapr-mtls rotate plan${way}` };
  if (state === 'done' && store.kind === 'cluster')
    return { why: 'see that nobody was left behind', command: `dapr-mtls audit${way}` };
  if (state !== 'running') return { why: 'have the bundle judged', command: `dapr-mtls check${way}` };
  // Somebody goes on with it already.
  if (holder) return undefined;
  const run = `dapr-mtls rotate run${way}${encrypted ? ' --passphrase-file FILE' : ''}`;
  if (report.phases.some(({ status, handedOut }) => status === 'begun' && handedOut))
    return { why: 'go on once it is applied, with the flags that have handed it out', command: run };
  if (end === 'closed') return { why: 'go on once the window is open; with --wait it stays for that', command: run };
  if (waits.length === 0) return { why: 'go on', command: run };
  return { why: 'go on when that is so; with --wait it stays until then', command: run };
}

/** One that died in a cluster is named until somebody has seen it stand still. */
function describeHolder({ name, purpose, since, seenAt }: HolderReport): string {
  const seen = seenAt === null ? '' : `, last seen ${seenAt}`;
  return printable(`"${purpose}" (${name}), since ${since}${seen}`);
}
