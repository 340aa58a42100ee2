import type { Cluster } from '../port.ts';
import { injectedGroup, readCaller } from './caller.ts';
import { type Rehearsal, rehearsePod } from './dry-run-pod.ts';

export interface NextPodRehearsal {
  readonly outcome: Rehearsal;
  /**
   * Whether the injector gives sidecars to pods of the one who asked: to controllers and to
   * system:masters it does, those of others it lets pass.
   */
  readonly counts: boolean;
}

/**
 * What the next pod gets that asks for a sidecar. Asked as this user first, who may be one whose pods
 * get a sidecar; else as the controller that would make the next pod, where this user may act as that.
 * @param openAsController the same cluster with the headers of `asController`; closed here
 * @throws DaprMtlsError `cluster.*` where the API server gives no answer
 */
export async function rehearseNextPod(
  cluster: Cluster,
  namespace: string,
  openAsController: () => Promise<Cluster>,
): Promise<NextPodRehearsal> {
  const own = await rehearsePod(cluster, namespace);
  if (hasSidecar(own)) return { outcome: own, counts: true };
  const caller = await readCaller(cluster);
  if (own.kind === 'made' && caller?.groups.includes(injectedGroup)) return { outcome: own, counts: true };
  const controller = await openAsController();
  try {
    const outcome = await rehearsePod(controller, namespace);
    if (outcome.kind === 'made') return { outcome, counts: true };
    return outcome.error.code === 'cluster.forbidden' ? { outcome: own, counts: false } : { outcome, counts: true };
  } finally {
    controller.close();
  }
}

function hasSidecar(rehearsal: Rehearsal): boolean {
  return rehearsal.kind === 'made' && rehearsal.daprd !== undefined;
}
