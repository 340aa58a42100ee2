import { abandonInterrupted, finishInterrupted, type RepairReport } from '../app/repair.ts';
import { type UnionSource, uniteSides } from '../app/unite.ts';
import { DaprMtlsError } from '../errors.ts';
import { renderChanges } from '../render/renewal.ts';
import type { PublishingStore, TrustStore } from '../store/port.ts';
import { confirmAtTerminal } from './confirm.ts';
import { readPassphrase } from './key-files.ts';
import type { Streams } from './streams.ts';

export interface RepairFlags {
  readonly from: UnionSource | undefined;
  readonly backup: string | undefined;
  readonly abandon: boolean;
  readonly 'dry-run': boolean;
  readonly yes: boolean;
  readonly 'passphrase-file': string | undefined;
}

/** Finishes what was interrupted, or makes the two sides of a cluster's bundle one again. */
export async function performRepair(
  store: TrustStore,
  flags: RepairFlags,
  now: Date,
  streams: Streams,
): Promise<RepairReport> {
  const { from } = flags;
  if (from === undefined) {
    const report = await (flags.abandon ? abandonInterrupted(store) : finishInterrupted(store));
    // "Nothing was interrupted" must not be said of objects that differ for another reason.
    if (isPublishing(store)) await store.assertUnited();
    return report;
  }
  if (!isPublishing(store)) {
    throw new DaprMtlsError('usage.invalid', {
      message: '--from chooses between Secret and ConfigMap, and a directory has neither',
      hint: 'Leave --from out; to bring a copy back: `dapr-mtls backup restore --dir DIR`.',
    });
  }
  const passphrase = readPassphrase(flags['passphrase-file']);
  const saved = from === 'backup' ? (await store.openBackup(flags.backup, passphrase)).files : undefined;
  return uniteSides(store, {
    from,
    saved,
    isDryRun: flags['dry-run'],
    passphrase,
    now,
    onPlanned: async (changes) => {
      streams.note(`${renderChanges(changes, false)}\n`);
      await confirmAtTerminal('Write this?', flags.yes);
    },
  });
}

function isPublishing(store: TrustStore): store is PublishingStore {
  return store.location.kind === 'cluster';
}
