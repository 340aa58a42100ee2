import type { DaprVersion } from '../pki/rules/context.ts';
import type { Place } from '../store/directory/place.ts';
import type { PublishingStore, TrustStore } from '../store/port.ts';
import type { ClusterSite } from './cluster-site.ts';
import { type FoundSettings, findSettings } from './configuration-file.ts';
import { findTrustDomain } from './environment.ts';
import { openForChange } from './open-for-change.ts';
import { chooseStore, type StoreFlags } from './open-store.ts';
import { installStopSwitch, type StopSwitch } from './stop.ts';
import type { Streams } from './streams.ts';

export interface ChangeFlags extends StoreFlags {
  readonly settle: number;
  readonly config?: string | undefined;
}

/** A store that is to be changed, and what must be known of where it stands. */
export interface Site {
  readonly store: TrustStore;
  readonly settings: FoundSettings;
  readonly trustDomain: string;
  /** What runs there; undefined where that is not known. */
  readonly daprVersion: DaprVersion | undefined;
  /** Stops a run between two steps. */
  readonly stop: StopSwitch;
  /** The directory, where it is one. */
  readonly place: Place | undefined;
  /** The control plane, where it is one. */
  readonly inCluster: (ClusterSite & { readonly stop: StopSwitch; readonly store: PublishingStore }) | undefined;
}

/** @throws DaprMtlsError `usage.store`, and those of the cluster */
export async function openSite(flags: ChangeFlags, env: NodeJS.ProcessEnv, streams: Streams): Promise<Site> {
  const choice = chooseStore(flags, env, 'change');
  if (choice.kind === 'cluster') {
    const { openClusterForChange } = await import('./open-cluster-for-change.ts');
    return openClusterForChange(flags, env, streams);
  }
  const { place } = choice;
  const stop = installStopSwitch();
  return {
    store: openForChange(place, flags.settle, streams, stop),
    stop,
    settings: await findSettings(place, flags.config),
    trustDomain: await findTrustDomain(place, flags.config),
    daprVersion: undefined,
    place,
    inCluster: undefined,
  };
}
