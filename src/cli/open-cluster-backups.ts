import { listBackups } from '../store/cluster/backups.ts';
import { readKeeper } from '../store/cluster/keeper.ts';
import { locationOf } from '../store/cluster/location.ts';
import type { Backup, StoreLocation } from '../store/port.ts';
import { openClusterSite } from './cluster-site.ts';
import type { StoreFlags } from './open-store.ts';

export async function openClusterBackups(
  flags: StoreFlags,
  env: NodeJS.ProcessEnv,
): Promise<{ backups: readonly Backup[]; location: StoreLocation }> {
  const { place } = await openClusterSite(flags, env);
  return { backups: listBackups(await readKeeper(place), place), location: locationOf(place) };
}
