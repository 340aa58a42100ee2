import { DaprMtlsError } from '../../errors.ts';
import type { WorkloadKind } from '../../kube/rollout/workload.ts';
import { type Applications, nameApplication } from './applications.ts';

/** A workload as `--only` names it. */
export interface WorkloadName {
  readonly kind: WorkloadKind;
  readonly name: string;
}

/** As kubectl abbreviates them. */
const kinds = new Map<string | undefined, WorkloadKind>([
  ['deploy', 'Deployment'],
  ['deployment', 'Deployment'],
  ['deployments', 'Deployment'],
  ['sts', 'StatefulSet'],
  ['statefulset', 'StatefulSet'],
  ['statefulsets', 'StatefulSet'],
  ['ds', 'DaemonSet'],
  ['daemonset', 'DaemonSet'],
  ['daemonsets', 'DaemonSet'],
]);

/** `deploy/checkout`, `statefulsets.apps/store`. @throws DaprMtlsError `usage.invalid` */
export function parseWorkloadName(text: string): WorkloadName {
  const match = /^([a-z]+)(?:\.apps)?\/([a-z0-9](?:[-a-z0-9.]*[a-z0-9])?)$/.exec(text);
  const kind = kinds.get(match?.[1]);
  if (kind && match?.[2]) return { kind, name: match[2] };
  throw new DaprMtlsError('usage.invalid', {
    message: `--only ${text} names no workload`,
    hint: 'Write deploy/NAME, sts/NAME or ds/NAME.',
  });
}

/**
 * Those that are named alone; all of them where none is.
 * @throws DaprMtlsError `usage.invalid` for a name that no workload with a sidecar bears
 */
export function chooseApplications(found: Applications, only: readonly WorkloadName[]): Applications {
  if (only.length === 0) return found;
  const chosen = only.map(({ kind, name }) => {
    const due = found.due.filter(({ ref }) => ref.resource.kind === kind && ref.name === name);
    if (due.length === 0) throw notFound(kind, name, found);
    return due;
  });
  return { due: [...new Set(chosen.flat())], left: [] };
}

function notFound(kind: WorkloadKind, name: string, { due }: Applications): DaprMtlsError {
  const there = due.slice(0, 10).map(({ ref }) => nameApplication(ref));
  const more = due.length > there.length ? ` and ${due.length - there.length} more` : '';
  return new DaprMtlsError('usage.invalid', {
    message: `there is no ${kind} ${name} whose pods have a sidecar`,
    hint:
      there.length > 0
        ? `There are ${there.join(', ')}${more}.`
        : 'Look elsewhere with -n NAMESPACE, or everywhere with -A.',
  });
}
