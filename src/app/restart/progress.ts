/** What a restart tells while it goes on. Workloads bear the names under which people type them. */
export type RestartProgress =
  | { readonly kind: 'planned'; readonly workloads: readonly string[] }
  | { readonly kind: 'skipped'; readonly workload: string; readonly reason: string }
  /** What was not checked, or is not as it should be. */
  | { readonly kind: 'remark'; readonly text: string }
  /** isBegun: an earlier run has restarted it, and it is only waited for. */
  | { readonly kind: 'restarting'; readonly workload: string; readonly isBegun?: boolean }
  | {
      readonly kind: 'waiting';
      readonly workload: string;
      readonly message: string;
      /** A reason to worry, and not only pods that take their time. */
      readonly isTrouble: boolean;
    }
  | {
      readonly kind: 'restarted';
      readonly workload: string;
      readonly elapsedMs: number;
      readonly isBegun?: boolean;
    };

/** What is done and what is not, at any moment. */
export interface RestartLedger {
  readonly planned: readonly string[];
  readonly begun: readonly string[];
  readonly back: readonly string[];
}

export const emptyLedger: RestartLedger = { planned: [], begun: [], back: [] };

export function recordProgress(ledger: RestartLedger, progress: RestartProgress): RestartLedger {
  switch (progress.kind) {
    case 'planned':
      return { ...ledger, planned: progress.workloads };
    case 'restarting':
      return { ...ledger, begun: [...ledger.begun, progress.workload] };
    case 'restarted':
      return { ...ledger, back: [...ledger.back, progress.workload] };
    default:
      return ledger;
  }
}

/**
 * `restarted: deploy/dapr-sentry; under way: deploy/dapr-operator; not restarted: ...`, each part only
 * where there is something to tell.
 */
export function describeLedger({ planned, begun, back }: RestartLedger): string {
  if (begun.length === 0) return 'nothing was restarted';
  return [
    ['restarted', back],
    ['under way', begun.filter((name) => !back.includes(name))],
    ['not restarted', planned.filter((name) => !begun.includes(name))],
  ]
    .flatMap(([title, names]) => (names?.length ? `${title}: ${enumerate(names as readonly string[])}` : []))
    .join('; ');
}

const named = 10;

function enumerate(names: readonly string[]): string {
  const rest = names.length - named;
  return rest > 0 ? `${names.slice(0, named).join(', ')} and ${rest} more` : names.join(', ');
}
