import type { PairReport, PhasePlan, RotationPlanReport } from '../app/rotate/report.ts';
import { renderChanges } from './renewal.ts';
import { formatMinute, hang } from './rotation-text.ts';
import { columns, painter, printable, type Terminal, widthOf } from './text.ts';

type Paint = ReturnType<typeof painter>;

/** What a rotation would do, who waits for what, and what proves it. */
export function renderRotationPlan(report: RotationPlanReport, terminal: Terminal): string {
  const paint = painter(terminal.colour);
  const width = widthOf(terminal);
  const { procedure, emergency, reasons, warnings, phases, pairs, changes, notPromised, deadline, store } = report;
  const title = (text: string) => paint('bold', text);
  const parts = [
    [
      `${title('Procedure:')} ${procedure}`,
      ...hang('  ', summaries[procedure], width),
      ...reasons.flatMap((reason) => hang('  ', reason, width)),
      ...(emergency === null
        ? []
        : hang('✗ ', `Calls fail now: ${emergency}. This is the shortest way out.`, width).map((line) =>
            paint('red', line),
          )),
      ...warnings.flatMap((warning) => hang('! ', warning, width).map((line) => paint('yellow', line))),
    ],
    [
      ...hang('Phases: ', sayEstimate(phases, store.kind), width).map((line) =>
        line.replace('Phases:', title('Phases:')),
      ),
      ...phases.flatMap((phase, index) => describePhase(phase, index, store.kind, width)),
    ],
    [title('Certificates, before and after'), renderChanges(changes, terminal.colour, width)],
    [
      title('Who verifies whom while it is under way'),
      ...describePairs(pairs, procedure, width, paint),
      ...(deadline === null
        ? []
        : hang('  ', `Holds until ${formatMinute(deadline)}: then the first of these certificates ends.`, width)),
    ],
    [title('Not promised'), ...notPromised.flatMap((sentence) => hang('  - ', sentence, width))],
  ];
  return parts.map((lines) => `${lines.join('\n')}\n`).join('\n');
}

const summaries: Record<RotationPlanReport['procedure'], string> = {
  'same-root': 'A new issuer under the same root; nobody has to be restarted but Sentry.',
  'same-key': 'The root anew on its own key: old and new verify each other, in any order.',
  bridge: 'A new root, cross-signed by the old issuer: old and new verify each other until everybody has followed.',
  staged: 'A new root that everybody trusts before anybody shows it.',
  retire: 'No new certificate: what stands beside the root goes.',
  replace: 'Everything at once.',
};

function describePhase(
  { name, writes, restarts, waitsFor, estimatedSeconds, pairs, broken }: PhasePlan,
  index: number,
  kind: RotationPlanReport['store']['kind'],
  width: number,
): string[] {
  const proof = broken > 0 ? `${broken} of ${pairs} pairs do not verify` : `all ${pairs} pairs verify`;
  return [
    ...hang(`  ${index + 1}. ${name}: `, `${formatEstimate(estimatedSeconds)}${besides(restarts, kind)}`, width),
    ...(writes === null ? [] : hang('     writes    ', writes, width)),
    ...(restarts.length === 0 ? [] : hang('     restarts  ', restarts.join('; '), width)),
    ...waitsFor.flatMap((wait, position) =>
      hang(
        position === 0 ? '     waits     ' : '               ',
        `${position === 0 ? 'until' : 'and until'} ${wait}`,
        width,
      ),
    ),
    ...hang('     proved    ', proof, width),
  ];
}

/** How long the daprds of a directory take is not known here. */
function besides(restarts: readonly string[], kind: RotationPlanReport['store']['kind']): string {
  return kind === 'directory' && restarts.length > 0 ? ', and the restarts' : '';
}

function sayEstimate(phases: readonly PhasePlan[], kind: RotationPlanReport['store']['kind']): string {
  const seconds = phases.reduce((total, { estimatedSeconds }) => total + estimatedSeconds, 0);
  const restarts = phases.flatMap((phase) => phase.restarts);
  return `${formatEstimate(seconds)} in all${besides(restarts, kind)}`;
}

/** Nobody plans an evening by the second. */
function formatEstimate(seconds: number): string {
  if (seconds < 90) return 'about a minute';
  if (seconds < 90 * 60) return `about ${Math.round(seconds / 60)} minutes`;
  const hours = seconds / 3600;
  return `about ${hours < 10 ? Math.round(hours * 10) / 10 : Math.round(hours)} hours`;
}

interface Row {
  readonly holder: string;
  readonly workloads: readonly string[];
  /** For each chain that is shown: undefined where the two never meet. */
  readonly met: readonly (PairReport | undefined)[];
}

/** A table, or a list where there is no room for one; then each pair that does not verify, and why. */
function describePairs(
  pairs: readonly PairReport[],
  procedure: RotationPlanReport['procedure'],
  width: number,
  paint: Paint,
): string[] {
  const shown = [...new Set(pairs.map((pair) => pair.shown))];
  const rows = [...new Set(pairs.map(({ holder }) => holder))].map((holder): Row => {
    const own = pairs.filter((pair) => pair.holder === holder);
    return {
      holder,
      workloads: [...new Set(own.flatMap(({ workloads }) => workloads))],
      met: shown.map((of) => worst(own.filter((pair) => pair.shown === of))),
    };
  });
  const header = ['  WHO HOLDS', ...shown.map((of) => sayShown(of, procedure).toUpperCase())];
  const table = columns([header, ...rows.map((row) => [`  ${sayHolder(row)}`, ...row.met.map(answer)])]);
  const fits = table.every((line) => line.length <= width);
  const lines = fits ? table : rows.flatMap((row) => listRow(row, shown, procedure, width));
  return [
    ...lines.map((line) => line.replace(/\bNO\b/g, paint('red', 'NO'))),
    ...rows.flatMap(({ met }) => met.flatMap((pair) => (pair && !pair.verifies ? describeBroken(pair, width) : []))),
  ];
}

/** Over all phases in which they meet. */
function worst(pairs: readonly PairReport[]): PairReport | undefined {
  return pairs.find(({ verifies }) => !verifies) ?? pairs[0];
}

function answer(pair: PairReport | undefined): string {
  if (!pair) return 'never meet';
  return pair.verifies ? 'yes' : 'NO';
}

function listRow(
  row: Row,
  shown: readonly string[],
  procedure: RotationPlanReport['procedure'],
  width: number,
): string[] {
  const answers = shown.map((of, index) => `    ${sayShown(of, procedure)}: ${answer(row.met[index])}`);
  return [...hang('  ', sayHolder(row), width), ...answers];
}

function sayHolder({ holder, workloads }: Row): string {
  const count = workloads.length;
  if (count === 0) return printable(holder);
  return `${printable(holder)} (${count} workload${count === 1 ? '' : 's'})`;
}

/** There are two issuers at most, unless one stays and only what stands behind it goes. */
function sayShown(shown: string, procedure: RotationPlanReport['procedure']): string {
  const name = printable(shown).replace(/^certificates of the /, '');
  return procedure === 'retire' ? name : name.replace(/^issuer [0-9a-f]{8}$/, 'new issuer');
}

const named = 5;

function describeBroken({ holder, workloads, shown, reason }: PairReport, width: number): string[] {
  const more = workloads.length > named ? ` and ${workloads.length - named} more` : '';
  const who = workloads.length > 0 ? ` (${workloads.slice(0, named).join(', ')}${more})` : '';
  return hang('  - ', `Who holds ${holder}${who} does not verify ${shown}: ${reason}`, width);
}
