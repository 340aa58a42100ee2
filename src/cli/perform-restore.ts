import { type BackupReportDocument, restoreBackup } from '../app/backup.ts';
import type { FoundFiles } from '../store/port.ts';
import { assertNotRotating } from './assert-not-rotating.ts';
import { readPassphrase } from './key-files.ts';
import type { Site } from './site.ts';
import type { Streams } from './streams.ts';

export interface RestoreFlags {
  readonly keep: number;
  readonly 'passphrase-file': string | undefined;
  readonly 'ignore-owner': readonly string[];
}

/**
 * Brings a copy back; in a cluster not where somebody would undo that.
 * @param id undefined where none was named
 * @param typed the command line, for the ways out of a refusal
 * @throws DaprMtlsError `store.owned`, and those of the store
 */
export async function performRestore(
  { store, inCluster, place }: Site,
  id: string | undefined,
  flags: RestoreFlags,
  now: Date,
  { streams, typed }: { readonly streams: Streams; readonly typed: string },
): Promise<BackupReportDocument> {
  const passphrase = readPassphrase(flags['passphrase-file']);
  const chosen = await store.openBackup(id, passphrase);
  const input = { ...chosen, now, passphrase, keep: flags.keep };
  const assertFree = (files: FoundFiles) => assertNotRotating({ place, inCluster }, streams, files);
  if (!inCluster) return restoreBackup(store, { ...input, onPlanned: assertFree });
  const { assertUnowned, judgeOwnersOf, tellOfOwners } = await import('./ask-owners.ts');
  return restoreBackup(store, {
    ...input,
    onPlanned: async (files) => {
      await assertFree(files);
      const { verdicts } = await judgeOwnersOf(inCluster, files);
      assertUnowned(verdicts, { ignored: flags['ignore-owner'], typed, ways: 'ignoring' });
      tellOfOwners(verdicts, streams);
    },
  });
}
