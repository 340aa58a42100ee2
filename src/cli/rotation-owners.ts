import type { Writer } from '../app/rotate/advance.ts';
import type { PhaseName } from '../app/rotate/record.ts';
import type { Stages } from '../app/rotate/stages.ts';
import type { BundleFiles } from '../pki/bundle.ts';
import { assertUnowned, judgeOwnersOf, tellOfOwners } from './ask-owners.ts';
import type { Site } from './site.ts';
import type { Streams } from './streams.ts';

export interface OwnerFlags {
  readonly 'ignore-owner': readonly string[];
}

/** Who writes the bundle of a phase, where somebody else keeps the objects. */
export interface OwnerChoice {
  /** Before anything is begun. @throws DaprMtlsError `store.owned` */
  assertWritable(stages: Stages): Promise<void>;
  choose(phase: PhaseName, files: BundleFiles): Promise<Writer>;
}

/** In a directory nobody else keeps the files. */
export function chooseWriterFor(
  { inCluster }: Pick<Site, 'inCluster'>,
  flags: OwnerFlags,
  typed: string,
  streams: Streams,
): OwnerChoice {
  const ask = async (files: BundleFiles) => {
    if (!inCluster) return;
    const { verdicts } = await judgeOwnersOf(inCluster, files);
    assertUnowned(verdicts, { ignored: flags['ignore-owner'], typed, ways: 'ignoring' });
    tellOfOwners(verdicts, streams);
  };
  return {
    assertWritable: async ({ switched, after }) => {
      const files = (switched ?? after)?.files;
      if (files) await ask(files);
    },
    choose: async (_phase, files) => {
      await ask(files);
      return { kind: 'this' };
    },
  };
}
