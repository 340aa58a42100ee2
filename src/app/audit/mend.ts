import { quotePosix } from '../shell-quote.ts';
import type { SidecarState } from './judge-anchors.ts';
import type { AgainstReport, AuditReport, WorkloadAudit } from './report.ts';

/** What is wrong with the bundle itself, and comes before all sidecars; undefined where it is well. */
export function troubleOf(against: AgainstReport) {
  const { problem, conflict, name: subject } = against;
  const common = { severity: 'error', subject, hint: mendOfBundle(against) } as const;
  if (problem !== null) {
    const message = `nobody verifies this bundle, whatever they hold: ${problem}`;
    return { ...common, code: 'bundle.unverifiable', message };
  }
  if (conflict === undefined) return undefined;
  return {
    ...common,
    code: 'bundle.conflict',
    message: `a pod that starts now does not get what it needs: ${conflict}`,
  };
}

/** Pods that are re-created under a bundle that nobody verifies never start. */
function mendOfBundle({ kind, name }: AgainstReport): string {
  if (kind === 'live') return 'The bundle comes first: `dapr-mtls check -k`.';
  const command = kind === 'directory' ? 'check --dir' : 'inspect';
  return `The bundle comes first: \`dapr-mtls ${command} ${quotePosix(name)}\`.`;
}

/**
 * What is done about sidecars that are behind, in every format the same. A pod that is re-created gets
 * the anchors of the live bundle, which is no mend for who lacks those of another.
 * @param namespace of the sidecars; null: of all namespaces
 */
export function mendOfSidecars(
  { cluster, against }: Pick<AuditReport, 'cluster' | 'against'>,
  state: Exclude<SidecarState, 'current'>,
  namespace: string | null,
): string {
  const trouble = troubleOf(against);
  if (trouble) return trouble.hint;
  if (state === 'unknown') return 'Look at these pods; their object does not tell what they hold.';
  if (against.kind !== 'live')
    return 'Let the live bundle carry these anchors, too, and re-create the pods, before the issuer changes.';
  const where = namespace === null ? '-A' : `-n ${namespace}`;
  const control = cluster.namespace === 'dapr-system' ? '' : ` --control-plane-namespace ${cluster.namespace}`;
  return `Re-create the pods, which get the anchors of today: \`dapr-mtls restart -k --apps ${where}${control}\`.`;
}

/** Why a workload is in its gravest state; sidecars that are behind for another reason are told of beside it. */
export function explainState(workload: WorkloadAudit): string {
  const others = (['broken', 'stale', 'unknown'] as const)
    .filter((state) => state !== workload.state && workload[state] > 0)
    .map((state) => `${workload[state]} ${state}`);
  return [workload.reason, others.join(', ')].filter(Boolean).join('; ');
}
