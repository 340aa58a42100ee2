import type { BundleFiles } from '../../pki/bundle.ts';
import type { RotationRecord, StageName } from './record.ts';
import { openStage, readStages } from './stage-record.ts';
import type { Stages } from './stages.ts';

/** The bundles that a record holds, each read once: behind a passphrase a key takes hundreds of milliseconds. */
export interface OpenedStages {
  /** As they can be judged; their key files are as they were recorded, perhaps encrypted. */
  readonly sealed: Stages;
  /** One with its key, to be written. @throws DaprMtlsError `store.damaged`, `key.passphrase` */
  files(name: StageName): BundleFiles;
  /** All with their keys, which a proof of Sentry's start needs. @throws DaprMtlsError as `files` does */
  unsealed(): Stages;
}

/** @throws DaprMtlsError `store.damaged` */
export function openStages(
  record: Pick<RotationRecord, 'stages' | 'encrypted'>,
  passphrase: string | undefined,
  wayToStore?: string,
): OpenedStages {
  const sealed = readStages(record);
  const opened = new Map<StageName, BundleFiles>();
  const files = (name: StageName) => {
    const known = opened.get(name) ?? openStage(record, name, passphrase, wayToStore);
    opened.set(name, known);
    return known;
  };
  const unsealed = () =>
    Object.fromEntries(
      Object.entries(sealed).map(([name, stage]) => [name, { ...stage, files: files(name as StageName) }]),
    );
  return { sealed, files, unsealed };
}
