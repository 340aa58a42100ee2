import { DaprMtlsError } from '../../errors.ts';
import type { Cluster, KubeObject } from '../port.ts';
import { resources } from '../resources.ts';
import type { PodTrouble } from './judge-pod.ts';
import type { RollingWorkload } from './workload.ts';

interface Event extends KubeObject {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTimestamp?: string;
  readonly eventTime?: string;
  readonly involvedObject?: { readonly kind?: string; readonly name?: string };
}

/**
 * The newest warning about a pod, or about the workload where there is no pod: a volume that cannot
 * be mounted and a pod that may not be made are told in events alone. Undefined where there is none,
 * or where this user may not read them.
 */
export async function explainByEvents(
  cluster: Cluster,
  { kind, metadata }: RollingWorkload,
  trouble: PodTrouble | undefined,
): Promise<string | undefined> {
  const about = trouble ? { kind: 'Pod', name: trouble.pod } : { kind, name: metadata.name };
  const events: Event[] = [];
  try {
    const query = { namespace: metadata.namespace, fieldSelector: `involvedObject.name=${about.name},type=Warning` };
    for await (const event of cluster.list<Event>(resources.events, query)) events.push(event);
  } catch (error) {
    if (error instanceof DaprMtlsError) return undefined;
    throw error;
  }
  const newest = events
    .filter(({ type, involvedObject }) => type === 'Warning' && involvedObject?.kind === about.kind)
    .sort((a, b) => (instantOf(a) < instantOf(b) ? 1 : -1))[0];
  return newest && `${newest.reason ?? 'Warning'}: ${newest.message ?? ''}`.trim();
}

function instantOf({ lastTimestamp, eventTime, metadata }: Event): string {
  return lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '';
}
