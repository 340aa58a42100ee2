import { abandonInterrupted, finishInterrupted, type RepairReport } from '../app/repair.ts';
import { isUnited } from '../app/rotate/sides.ts';
import { type UnionSource, uniteSides } from '../app/unite.ts';
import { DaprMtlsError } from '../errors.ts';
import { renderChanges } from '../render/renewal.ts';
import { assertNotRotating, warnOfRotation } from './assert-not-rotating.ts';
import { confirmAtTerminal } from './confirm.ts';
import { readPassphrase } from './key-files.ts';
import type { Site } from './site.ts';
import type { Streams } from './streams.ts';

export interface RepairFlags {
  readonly from: UnionSource | undefined;
  readonly backup: string | undefined;
  readonly abandon: boolean;
  readonly 'dry-run': boolean;
  readonly yes: boolean;
  readonly 'passphrase-file': string | undefined;
}

/**
 * Finishes what was interrupted, or makes the two sides of a cluster's bundle one again. Who will undo
 * that is told, and does not stop it: the next Sentry to start would do worse.
 */
export async function performRepair(
  { store, inCluster }: Site,
  flags: RepairFlags,
  now: Date,
  streams: Streams,
): Promise<RepairReport> {
  const { from } = flags;
  if (from === undefined) {
    const report = await (flags.abandon ? abandonInterrupted(store) : finishInterrupted(store));
    // "Nothing was interrupted" must not be said of objects that differ for another reason.
    await inCluster?.store.assertUnited();
    return report;
  }
  if (!inCluster) {
    throw new DaprMtlsError('usage.invalid', {
      message: '--from chooses between Secret and ConfigMap, and a directory has neither',
      hint: 'Leave --from out; to bring a copy back: `dapr-mtls backup restore --dir DIR`.',
    });
  }
  const isDryRun = flags['dry-run'];
  const passphrase = readPassphrase(flags['passphrase-file']);
  const saved = from === 'backup' ? (await store.openBackup(flags.backup, passphrase)).files : undefined;
  const { warnOfOwners } = await import('./ask-owners.ts');
  const lookForRotation = (await isUnited(inCluster.store)) ? assertNotRotating : warnOfRotation;
  return uniteSides(inCluster.store, {
    from,
    saved,
    isDryRun,
    passphrase,
    now,
    onPlanned: async ({ files, changes }) => {
      if (!isDryRun) await lookForRotation({ place: undefined, inCluster }, streams, files);
      await warnOfOwners(inCluster, files, streams);
      if (isDryRun) return;
      streams.note(`${renderChanges(changes, false)}\n`);
      await confirmAtTerminal('Write this?', flags.yes);
    },
  });
}
