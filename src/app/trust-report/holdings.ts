import type { AuditReport, SidecarAudit } from '../audit/report.ts';

/** The sidecars that were born with the same anchors, by workload. */
export interface Holding {
  readonly state: SidecarAudit['state'];
  /** Why they are not current; of those that do not tell there may be several reasons. */
  readonly reasons: readonly string[];
  /** SHA-256 of each anchor; empty where they are not known. */
  readonly anchors: readonly string[];
  readonly sidecars: number;
  /** Those with the most such sidecars first. */
  readonly workloads: readonly WorkloadHolding[];
}

export interface WorkloadHolding {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  /** So many of its sidecars hold these anchors. */
  readonly sidecars: number;
  /** Of so many that it has. */
  readonly of: number;
}

/** Who holds which anchors, the gravest first. Pure. */
export function collectHoldings({ anchorSets, workloads, sidecars }: AuditReport): Holding[] {
  const sizes = new Map(workloads.map((workload) => [keyOf(workload.namespace, workload), workload.sidecars]));
  const holders = new Map<string, Map<string, Tally>>();
  for (const sidecar of sidecars) countHolder(holders, sidecar, sizes);
  const holdings = new Map<string, { -readonly [Key in keyof Holding]: Holding[Key] }>();
  for (const set of anchorSets) {
    const key = keyOfSet(set);
    const holding = holdings.get(key) ?? { ...set, reasons: [], sidecars: 0, workloads: rankHolders(holders.get(key)) };
    holding.sidecars += set.sidecars;
    if (set.reason !== null) holding.reasons = [...holding.reasons, set.reason];
    holdings.set(key, holding);
  }
  return [...holdings.values()].map(({ state, reasons, anchors, sidecars: number, workloads: by }) => ({
    state,
    reasons,
    anchors,
    sidecars: number,
    workloads: by,
  }));
}

type Tally = { -readonly [Key in keyof WorkloadHolding]: WorkloadHolding[Key] };

function countHolder(
  holders: Map<string, Map<string, Tally>>,
  sidecar: SidecarAudit,
  sizes: ReadonlyMap<string, number>,
): void {
  const { namespace, workload } = sidecar;
  const ofSet = holders.get(keyOfSet(sidecar)) ?? new Map<string, Tally>();
  holders.set(keyOfSet(sidecar), ofSet);
  const key = keyOf(namespace, workload);
  const tally = ofSet.get(key) ?? { namespace, ...workload, sidecars: 0, of: sizes.get(key) ?? 0 };
  tally.sidecars += 1;
  ofSet.set(key, tally);
}

function rankHolders(tallies: ReadonlyMap<string, Tally> | undefined): WorkloadHolding[] {
  const named = [...(tallies ?? [])];
  return named
    .sort(([nameA, a], [nameB, b]) => b.sidecars - a.sidecars || (nameA < nameB ? -1 : 1))
    .map(([, tally]) => tally);
}

function keyOf(namespace: string, { kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${namespace}/${kind}/${name}`;
}

function keyOfSet({ state, anchors }: Pick<SidecarAudit, 'state' | 'anchors'>): string {
  return [state, ...anchors].join(' ');
}
