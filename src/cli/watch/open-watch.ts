import type { Announcer, Leadership, WatchSource } from '../../app/watch/ports.ts';
import { DaprMtlsError } from '../../errors.ts';
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

/** @throws DaprMtlsError `usage.*`, `store.layout`, `cluster.*`, `dapr.*` */
export async function openWatch(flags: WatchFlags, env: NodeJS.ProcessEnv): Promise<OpenedWatch> {
  if (chooseStore(flags, env, 'read').kind === 'cluster') {
    throw new DaprMtlsError('usage.store', {
      message: 'a cluster cannot be watched yet',
      hint: 'Name a directory: --dir DIR.',
    });
  }
  assertNothingOfClusters(flags);
  const source = watchDirectory(() => locateDirectory(flags, env));
  return { source, announcer: undefined, leadership: undefined, close: () => {} };
}
