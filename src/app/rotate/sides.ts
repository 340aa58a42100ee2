import { DaprMtlsError } from '../../errors.ts';
import type { PublishingStore, TrustStore } from '../../store/port.ts';

export function isPublishing(store: TrustStore): store is PublishingStore {
  return 'openForRepair' in store;
}

/** Where the two sides differ, or one is away, the next Sentry to start makes a root of its own, or none starts. */
export async function isUnited(store: TrustStore): Promise<boolean> {
  try {
    if (isPublishing(store)) await store.assertUnited();
    return true;
  } catch (error) {
    if (!(error instanceof DaprMtlsError) || error.code !== 'store.mismatch') throw error;
    return false;
  }
}
