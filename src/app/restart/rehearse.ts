import { DaprMtlsError } from '../../errors.ts';
import type { Cluster } from '../../kube/port.ts';
import { restartWorkload } from '../../kube/rollout/restart-workload.ts';
import type { DueRestart } from './report.ts';
import { runInTurns } from './run-in-turns.ts';

/** More bring nothing (measured on 500 restarts), and an API server may have other work. */
export const requestsAtOnce = 8;

/**
 * Asks the API server to carry out every restart without doing it, so that a missing right is told
 * before the first one and not after the third.
 * @throws DaprMtlsError `cluster.forbidden` and what else stands in the way of any request
 */
export async function rehearseRestarts(cluster: Cluster, due: readonly DueRestart[]): Promise<void> {
  // The instant of a patch that is not carried out says nothing.
  const at = new Date(0);
  await runInTurns(due, requestsAtOnce, async ({ ref, isBegun }) => {
    if (isBegun) return;
    try {
      await restartWorkload(cluster, ref, at, { dryRun: true });
    } catch (error) {
      // An admission webhook that does not know dry runs refuses this one only.
      if (!(error instanceof DaprMtlsError) || error.code !== 'cluster.rejected') throw error;
    }
  });
}
