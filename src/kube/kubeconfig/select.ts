import { DaprMtlsError } from '../../errors.ts';
import type { ClusterEntry, ContextEntry, KubeconfigDocument, UserEntry } from './document.ts';

/** One context with what it names: what `kubectl config view --minify` leaves. */
export interface Selection {
  readonly name: string;
  readonly context: ContextEntry;
  readonly cluster: ClusterEntry;
  /** Undefined where the context names none: an anonymous request. */
  readonly user: UserEntry | undefined;
}

/** @throws DaprMtlsError `cluster.kubeconfig`: names what is missing, and what there is */
export function selectContext(
  document: KubeconfigDocument,
  named: string | undefined,
  files: readonly string[],
): Selection {
  const name = named ?? document.currentContext;
  if (!name) {
    throw new DaprMtlsError('cluster.kubeconfig', {
      message: `no context is the current one in ${files.join(', ')}`,
      hint: `Name one with --context: ${listed(document.contexts)}. Or choose it for good: kubectl config use-context NAME`,
    });
  }
  const context = document.contexts.get(name);
  if (!context) {
    throw new DaprMtlsError('cluster.kubeconfig', {
      message: `there is no context "${name}" in ${files.join(', ')}`,
      hint: `These are there: ${listed(document.contexts)}.`,
    });
  }
  const cluster = document.clusters.get(context.cluster);
  if (!cluster) throw noEntry('cluster', context.cluster, name, context, document.clusters);
  const user = context.user ? document.users.get(context.user) : undefined;
  if (context.user && !user) throw noEntry('user', context.user, name, context, document.users);
  return { name, context, cluster, user };
}

function noEntry(
  kind: 'cluster' | 'user',
  name: string,
  contextName: string,
  { file }: ContextEntry,
  entries: ReadonlyMap<string, unknown>,
): DaprMtlsError {
  return new DaprMtlsError('cluster.kubeconfig', {
    message: name
      ? `the context "${contextName}" in ${file} names the ${kind} "${name}", which is not there`
      : `the context "${contextName}" in ${file} names no ${kind}`,
    hint: `These are there: ${listed(entries)}. Set it: kubectl config set-context ${contextName} --${kind}=NAME`,
  });
}

const mostNames = 20;

function listed(entries: ReadonlyMap<string, unknown>): string {
  const names = [...entries.keys()];
  if (names.length === 0) return '(none)';
  const rest = names.length - mostNames;
  return names.slice(0, mostNames).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
