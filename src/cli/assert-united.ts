import { DaprMtlsError } from '../errors.ts';
import type { StoredBundle } from '../store/port.ts';
import type { Site } from './site.ts';

/**
 * For who builds on a bundle, or goes away from it: where Secret and ConfigMap differ the next Sentry makes a root
 * of its own, and while the ConfigMap is away none starts.
 * @param mayFinish whether what a dead run left half written is going to be finished anyway
 * @throws DaprMtlsError `store.mismatch`
 */
export async function assertUnited(
  { inCluster }: Pick<Site, 'inCluster'>,
  { state }: Pick<StoredBundle, 'state'>,
  mayFinish = false,
): Promise<void> {
  if (!inCluster) return;
  if (state !== 'interrupted') return inCluster.store.assertUnited();
  if (mayFinish) return;
  throw new DaprMtlsError('store.mismatch', {
    message: `a change of ${inCluster.store.location.name} died half-way, and the ConfigMap is away: no Sentry can start; nothing was written`,
    hint: 'Restart nothing. Have it finished first: `dapr-mtls repair -k`.',
  });
}
