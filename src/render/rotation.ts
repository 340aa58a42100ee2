import type { Wait } from '../app/rotate/gates.ts';
import type { PhaseReport, RotationReport, WaitReport } from '../app/rotate/report.ts';
import { type Colour, columns, painter, printable } from './text.ts';

type Terminal = { readonly colour: boolean };

const statusColours: Partial<Record<PhaseReport['status'], Colour>> = {
  passed: 'green',
  written: 'yellow',
  begun: 'yellow',
  abandoned: 'grey',
};

const statusWords: Record<PhaseReport['status'], string> = {
  due: 'to come',
  begun: 'being written',
  written: 'waiting',
  passed: 'passed',
  abandoned: 'given up',
};

/** What a run has done and what it waits for; `rotate status` tells the history too. */
export function renderRotation(report: RotationReport, { colour }: Terminal): string {
  const paint = painter(colour);
  return [
    paint('bold', headline(report)),
    ...renderPhases(report.phases, paint),
    ...(report.waits.length > 0 ? ['', 'Waiting', ...describeWaits(report.waits).trimEnd().split('\n')] : []),
    '',
  ].join('\n');
}

/** The whole record, to attach to a change ticket. */
export function renderRotationStatus(report: RotationReport, terminal: Terminal): string {
  if (report.state === 'none') return renderRotation(report, terminal);
  const { confirmations, skipped, history, holder } = report;
  return [
    renderRotation(report, terminal),
    ...(holder ? [`At work: "${holder.purpose}" (${holder.name}), since ${holder.since}`, ''] : []),
    ...(skipped.length > 0
      ? ['Answered for', ...skipped.map(({ workload, by, at }) => `  ${workload}, by ${by}, ${at}`), '']
      : []),
    ...(confirmations.length > 0
      ? ['Confirmed', ...confirmations.map(({ what, phase, by, at }) => `  ${what} in ${phase}, by ${by}, ${at}`), '']
      : []),
    'History',
    ...history.map(({ at, by, what }) => printable(`  ${at.slice(0, 19)}Z  ${what}  (${by})`)),
    '',
  ].join('\n');
}

function headline({ state, end, procedure, startedAt, startedBy }: RotationReport): string {
  if (state === 'none') return 'No rotation was ever begun here.';
  const name = `rotation (${procedure}), begun ${startedAt?.slice(0, 16)}Z by ${printable(startedBy ?? '')}`;
  if (state === 'done') return `The ${name}, is done.`;
  if (state === 'undone') return `The ${name}, is undone.`;
  return `The ${name}, ${end === 'closed' ? 'waits for its window' : end === 'until' ? 'has come as far as was asked for' : 'is under way'}.`;
}

function renderPhases(phases: readonly PhaseReport[], paint: ReturnType<typeof painter>): string[] {
  const rows = phases.map(({ name, status, passedAt, writtenAt }) => [
    `  ${name}`,
    statusWords[status],
    passedAt ?? (writtenAt ? `since ${writtenAt}` : ''),
  ]);
  return columns(rows).map((line, index) => {
    const colour = statusColours[phases[index]?.status ?? 'due'];
    return colour ? paint(colour, line) : line;
  });
}

/** A line for each, and its mend below it. */
export function describeWaits(waits: readonly (Wait | WaitReport)[]): string {
  return waits.map(({ what, mend }) => `  ${printable(what)}\n    ${printable(mend)}\n`).join('');
}

/** What belongs on standard error. */
export function rotationRemarks({ remarks }: RotationReport): readonly string[] {
  return remarks;
}
