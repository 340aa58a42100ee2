import { listBackups } from '../store/directory/backups.ts';
import { DirectoryReader } from '../store/directory/read.ts';
import type { Backup, StoreLocation } from '../store/port.ts';
import { chooseStore, type StoreFlags } from './open-store.ts';

/** The copies of a store, for who only looks. */
export async function openBackups(
  flags: StoreFlags,
  env: NodeJS.ProcessEnv,
): Promise<{ backups: readonly Backup[]; location: StoreLocation }> {
  const choice = chooseStore(flags, env, 'read');
  if (choice.kind === 'cluster') {
    const { openClusterBackups } = await import('./open-cluster-backups.ts');
    return openClusterBackups(flags, env);
  }
  const { place } = choice;
  return { backups: listBackups(place.workDirectory), location: new DirectoryReader(place).location };
}
