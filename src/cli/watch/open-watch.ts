import type { Announcer, Leadership, WatchSource } from '../../app/watch/ports.ts';
import { chooseStore, locateDirectory } from '../open-store.ts';
import { watchDirectory } from './directory-source.ts';
import { assertNothingOfClusters, type WatchFlags } from './watch-flags.ts';

/** What is watched, and whom to tell of it. */
export interface OpenedWatch {
  readonly source: WatchSource;
  readonly announcer: Announcer | undefined;
  readonly leadership: Leadership | undefined;
  close(): void;
}

/**
 * @param everyMs how often all is looked at where nothing tells of a change
 * @throws DaprMtlsError `usage.*`, `store.layout`, `cluster.*`, `dapr.*`
 */
export async function openWatch(flags: WatchFlags, everyMs: number, env: NodeJS.ProcessEnv): Promise<OpenedWatch> {
  if (chooseStore(flags, env, 'read').kind === 'cluster') {
    const { openClusterWatch } = await import('./cluster-source.ts');
    return openClusterWatch({ ...flags, every: everyMs }, env);
  }
  assertNothingOfClusters(flags);
  const source = watchDirectory(() => locateDirectory(flags, env));
  return { source, announcer: undefined, leadership: undefined, close: () => {} };
}
