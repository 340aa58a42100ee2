import type { PairReport, PhasePlan, RotationPlanReport } from '../app/rotate/report.ts';
import { renderChanges } from './renewal.ts';
import { columns, painter, printable } from './text.ts';

/** What a rotation would do, who waits for what, and what proves it. */
export function renderRotationPlan(report: RotationPlanReport, { colour }: { readonly colour: boolean }): string {
  const paint = painter(colour);
  const { procedure, emergency, reasons, warnings, phases, changes, notPromised, deadline } = report;
  return [
    paint('bold', `Procedure: ${procedure}. ${summaries[procedure]}`),
    ...(emergency === null
      ? []
      : [paint('red', `Calls fail now: ${printable(emergency)}. This is the shortest way out.`)]),
    ...reasons.map((reason) => printable(reason)),
    ...warnings.map((warning) => paint('yellow', printable(warning))),
    '',
    'Phases',
    ...phases.flatMap(describePhase),
    '',
    'Certificates, from the first to the last bundle',
    renderChanges(changes, colour),
    '',
    'Who verifies whom, while it is under way',
    ...describePairs(report.pairs, paint),
    ...(deadline === null ? [] : [`Holds until ${deadline}: then the first of these certificates ends.`]),
    '',
    'Not promised',
    ...notPromised.map((sentence) => `  ${sentence}`),
    '',
  ].join('\n');
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
) {
  const proof = broken > 0 ? `${pairs} pairs, of which ${broken} do NOT verify` : `${pairs} pairs verified`;
  return [
    `  ${index + 1}. ${name}, ${formatEstimate(estimatedSeconds)} (${proof})`,
    ...(writes === null ? [] : [`     writes    ${writes}`]),
    ...(restarts.length === 0 ? [] : [`     restarts  ${restarts.join('; ')}`]),
    ...waitsFor.map((wait) => `     waits     until ${wait}`),
  ];
}

/** Nobody plans an evening by the second. */
function formatEstimate(seconds: number): string {
  if (seconds < 90) return 'about a minute';
  if (seconds < 90 * 60) return `about ${Math.round(seconds / 60)} minutes`;
  return `about ${Math.round(seconds / 360) / 10} hours`;
}

function describePairs(pairs: readonly PairReport[], paint: ReturnType<typeof painter>): string[] {
  const shown = [...new Set(pairs.map((pair) => pair.shown))];
  const holders = [...new Set(pairs.map(({ holder }) => holder))];
  const answer = (holder: string, of: string) => {
    const met = pairs.filter((pair) => pair.holder === holder && pair.shown === of);
    if (met.length === 0) return 'never meet';
    return met.every(({ verifies }) => verifies) ? 'yes' : 'NO';
  };
  const rows = holders.map((holder) => [`  ${holder}`, ...shown.map((of) => answer(holder, of))]);
  const lines = columns([['  WHO HOLDS', ...shown.map((of) => of.toUpperCase())], ...rows]);
  return lines.map((line) => line.replace(/\bNO\b/g, paint('red', 'NO')));
}
