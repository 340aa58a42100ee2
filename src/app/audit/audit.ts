import type { SidecarPod } from '../../kube/pods/sidecar-pod.ts';
import type { ClusterReport } from '../cluster-report.ts';
import { document, formatInstant } from '../report.ts';
import { type AnchorVerdict, judgeEachOnce, type SidecarState, sidecarStates } from './judge-anchors.ts';
import { troubleOf } from './mend.ts';
import { type Reference, type ReferenceFiles, readReference } from './reference.ts';
import type { AgainstReport, AuditReport, AuditScope, Counts, SidecarAudit, WorkloadAudit } from './report.ts';

export interface AuditInput {
  readonly cluster: ClusterReport;
  readonly against: ReferenceFiles;
  readonly scope: AuditScope;
  /** In batches, as they come. */
  readonly pods: AsyncIterable<readonly SidecarPod[]> | Iterable<readonly SidecarPod[]>;
}

/**
 * Which anchors every sidecar was born with, and who would break under the reference. daprd reads
 * its anchors once, when the pod starts, and an established connection is never verified again: what
 * the pod was born with is the evidence. Pods are looked at as they come.
 * @throws DaprMtlsError as `readReference` does, and what `pods` throws
 */
export async function auditSidecars({ cluster, against, scope, pods }: AuditInput, at: Date): Promise<AuditReport> {
  const reference = readReference(against, at);
  const judge = judgeEachOnce(reference, at);
  const verdicts = new Map<AnchorVerdict, number>();
  const workloads = new Map<string, WorkloadTally>();
  let workload: WorkloadTally | undefined;
  const sidecars: SidecarAudit[] = [];
  const counts = newCounts();
  for await (const batch of pods) {
    for (const pod of batch) {
      if (hasEnded(pod)) continue;
      const verdict = judge(pod.daprd);
      count(counts, verdict.state);
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
      // The pods of one stand together.
      if (!workload || !isOfWorkload(pod, workload)) workload = findTally(workloads, pod, verdict);
      tallyWorkload(workload, verdict);
      sidecars.push(describeSidecar(pod, verdict));
    }
  }
  const sets = uniteVerdicts(verdicts);
  return document('Audit', {
    cluster,
    at: formatInstant(at),
    against: describeReference(reference, sets),
    scope,
    totals: { ...counts, workloads: workloads.size },
    anchorSets: sets
      .map(({ verdict, sidecars: number }) => ({ ...verdict, sidecars: number }))
      .sort((a, b) => rank(a.state) - rank(b.state) || b.sidecars - a.sidecars),
    workloads: [...workloads.values()].map(describeWorkload).sort(compareWorkloads),
    sidecars,
  });
}

export type FailOn = 'never' | 'warning' | 'error';

/**
 * 10 when somebody would break (error), or is not proved to have followed (warning). A bundle that nobody
 * verifies, or that is two, is an error whoever is there: the next pod breaks.
 */
export function exitCodeOfAudit({ against, totals }: AuditReport, failOn: FailOn): number {
  if (failOn === 'never') return 0;
  if (troubleOf(against)) return 10;
  const counted = totals.broken + (failOn === 'warning' ? totals.stale + totals.unknown : 0);
  return counted > 0 ? 10 : 0;
}

/** What has ended talks to nobody; what is being deleted still does. */
function hasEnded({ phase }: SidecarPod): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

type MutableCounts = { -readonly [Key in keyof Counts]: Counts[Key] };

interface WorkloadTally {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly counts: MutableCounts;
  gravest: AnchorVerdict;
}

function newCounts(): MutableCounts {
  return { sidecars: 0, broken: 0, stale: 0, unknown: 0, current: 0 };
}

function count(counts: MutableCounts, state: SidecarState): void {
  counts.sidecars += 1;
  counts[state] += 1;
}

interface AnchorSet {
  readonly verdict: AnchorVerdict;
  sidecars: number;
}

/** Two texts of the same anchors are one set. */
function uniteVerdicts(verdicts: ReadonlyMap<AnchorVerdict, number>): readonly AnchorSet[] {
  const sets = new Map<string, AnchorSet>();
  for (const [verdict, sidecars] of verdicts) {
    const key = [verdict.state, verdict.reason, ...verdict.anchors].join(' ');
    const set = sets.get(key) ?? { verdict, sidecars: 0 };
    set.sidecars += sidecars;
    sets.set(key, set);
  }
  return [...sets.values()];
}

function isOfWorkload({ namespace, workload }: SidecarPod, tally: WorkloadTally): boolean {
  return workload.name === tally.name && namespace === tally.namespace && workload.kind === tally.kind;
}

function findTally(tallies: Map<string, WorkloadTally>, pod: SidecarPod, verdict: AnchorVerdict): WorkloadTally {
  const { namespace, workload } = pod;
  const key = `${namespace}/${workload.kind}/${workload.name}`;
  const tally = tallies.get(key) ?? { namespace, ...workload, counts: newCounts(), gravest: verdict };
  tallies.set(key, tally);
  return tally;
}

function tallyWorkload(tally: WorkloadTally, verdict: AnchorVerdict): void {
  count(tally.counts, verdict.state);
  if (rank(verdict.state) < rank(tally.gravest.state)) tally.gravest = verdict;
}

function describeWorkload({ namespace, kind, name, counts, gravest }: WorkloadTally): WorkloadAudit {
  return { namespace, kind, name, state: gravest.state, reason: gravest.reason, ...counts };
}

function describeSidecar(pod: SidecarPod, { state, anchors }: AnchorVerdict): SidecarAudit {
  const { namespace, name, workload, appId, daprd, deletionTimestamp } = pod;
  return {
    namespace,
    pod: name,
    workload,
    appId: appId ?? null,
    daprVersion: daprd?.version ?? null,
    terminating: deletionTimestamp !== undefined,
    state,
    anchors,
  };
}

function describeReference(
  { kind, name, anchors, root, issuer, issuerUnread, conflict, needed, problem }: Reference,
  sets: readonly AnchorSet[],
): AgainstReport {
  const heldBy = (fingerprint: string) =>
    sets
      .filter(({ verdict }) => verdict.anchors.includes(fingerprint))
      .reduce((total, { sidecars }) => total + sidecars, 0);
  return {
    kind,
    name,
    issuer: issuer?.fingerprint ?? null,
    ...(issuerUnread === undefined ? {} : { issuerUnread }),
    problem: problem ?? null,
    ...(conflict === undefined ? {} : { conflict }),
    anchors: anchors.map((anchor) => ({
      role: anchor === root ? ('root' as const) : ('anchor' as const),
      needed: needed.includes(anchor),
      fingerprint: anchor.fingerprint,
      subject: anchor.subject,
      notAfter: formatInstant(anchor.notAfter),
      heldBy: heldBy(anchor.fingerprint),
    })),
  };
}

function rank(state: SidecarState): number {
  return sidecarStates.indexOf(state);
}

function compareWorkloads(a: WorkloadAudit, b: WorkloadAudit): number {
  const nameOf = ({ namespace, kind, name }: WorkloadAudit) => `${namespace}/${kind}/${name}`;
  return rank(a.state) - rank(b.state) || (nameOf(a) < nameOf(b) ? -1 : 1);
}
