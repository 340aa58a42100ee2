import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Writer } from '../app/rotate/ports.ts';
import type { PhaseName } from '../app/rotate/record.ts';
import { DaprMtlsError } from '../errors.ts';
import type { BundleFiles } from '../pki/bundle.ts';
import type { FoundFiles } from '../store/port.ts';
import { assertUnowned, judgeOwnersOf, type OwnerJudgement, tellOfOwners } from './ask-owners.ts';
import { draftHandOut, type HandOutFile, type HandOutFlags, isHandedOut, tellOfFile } from './hand-out.ts';
import { writeForCommit } from './helm/write-file.ts';
import type { Site } from './site.ts';
import type { Streams } from './streams.ts';

export interface OwnerFlags extends HandOutFlags {
  readonly 'ignore-owner': readonly string[];
}

/** Who writes the bundle of a phase, where somebody else keeps the objects. */
export interface OwnerChoice {
  /**
   * Before anything is begun.
   * @param bundles that are going to be written, in their order
   * @param id of the rotation, where it is under way
   * @throws DaprMtlsError `store.owned`, `usage.invalid`, `file.exists`
   */
  assertWritable(bundles: readonly FoundFiles[], live: FoundFiles, id?: string): Promise<void>;
  /** @param id of the rotation @throws DaprMtlsError `store.owned`, `file.exists`, `file.io` */
  choose(id: string, phase: PhaseName, files: BundleFiles): Promise<Writer>;
}

type OwnedSite = NonNullable<Site['inCluster']>;

/** In a directory nobody else keeps the files. */
export function chooseWriterFor(
  { inCluster }: Pick<Site, 'inCluster'>,
  flags: OwnerFlags,
  typed: string,
  streams: Streams,
): OwnerChoice {
  if (isHandedOut(flags)) {
    if (!inCluster) throw notInDirectory(flags);
    return handOutTo(inCluster, flags, typed, onceOnly(streams));
  }
  const told = onceOnly(streams);
  const ask = async (files: FoundFiles) => {
    if (!inCluster) return;
    const { verdicts } = await judgeOwnersOf(inCluster, files);
    assertUnowned(verdicts, { ignored: flags['ignore-owner'], typed, ways: 'handing-out' });
    tellOfOwners(verdicts, told);
  };
  return {
    assertWritable: async (bundles) => {
      for (const files of bundles) await ask(files);
    },
    choose: async (_id, _phase, files) => {
      await ask(files);
      return { kind: 'this' };
    },
  };
}

/** Each step into the same file, as somebody commits it: what has been applied may be replaced by what comes next. */
function handOutTo(site: OwnedSite, flags: OwnerFlags, typed: string, streams: Streams): OwnerChoice {
  const holdsKey = flags['with-issuer-key'];
  const draft = (judgement: OwnerJudgement, files: FoundFiles) =>
    draftHandOut(judgement, files, site.place.names, flags, 'it is the one that is in the Secret now');
  return {
    assertWritable: async (bundles, live, id) => {
      const needsKey = bundles.some(({ issuerKey }) => !live.issuerKey || !issuerKey?.equals(live.issuerKey));
      if (needsKey && !holdsKey) throw keyNeeded();
      for (const path of [flags['output-helm-values'], flags['output-manifest']]) if (path) assertFree(path, id);
    },
    choose: async (id, phase, files) => {
      const judgement = await judgeOwnersOf(site, files);
      const { secret } = judgement.objects;
      const isSameKey = secret?.data?.[site.place.names.issuerKey] === files.issuerKey.toString('base64');
      if (!isSameKey && !holdsKey) throw keyNeeded();
      const written = draft(judgement, files).map((file) => writePhase(file, { id, phase, holdsKey, streams }));
      const owners = judgement.verdicts.filter(({ stops }) => stops).map(({ title }) => title);
      const paths = written.join(' and ');
      return {
        kind: 'other',
        handedOut: paths,
        wait: {
          what: `the bundle of ${phase} in ${paths} is not applied yet`,
          mend: `Commit it and let ${owners.join(' and ') || 'whoever keeps the objects'} apply it; then \`${typed}\` goes on.`,
          until: undefined,
        },
      };
    },
  };
}

interface PhaseFile {
  readonly id: string;
  readonly phase: PhaseName;
  readonly holdsKey: boolean;
  readonly streams: Streams;
}

/** A line by which a later step knows that it may replace the file. */
function markOf(id: string): string {
  return `# dapr-mtls rotation ${id},`;
}

/** @returns the absolute path */
function writePhase({ path, text }: HandOutFile, { id, phase, holdsKey, streams }: PhaseFile): string {
  const marked = `${markOf(id)} phase ${phase}\n${text}`;
  const present = readPresent(path);
  if (present === marked) return resolve(path);
  const isOurs = present?.startsWith(markOf(id)) ?? false;
  const target = writeForCommit(path, marked, { holdsKey, force: isOurs });
  tellOfFile(streams, target, holdsKey);
  return target;
}

function readPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Missing, or nothing that can be read: writing tells which.
    return undefined;
  }
}

/** @throws DaprMtlsError `file.exists` */
function assertFree(path: string, id: string | undefined): void {
  const present = readPresent(path);
  if (present === undefined || (id !== undefined && present.startsWith(markOf(id)))) return;
  throw new DaprMtlsError('file.exists', {
    message: `${path} exists already; nothing was begun`,
    hint: 'Name another file: each step of the rotation is written into it, in the place of the one before.',
  });
}

function keyNeeded(): DaprMtlsError {
  return new DaprMtlsError('usage.invalid', {
    message: 'a step of this rotation changes the issuer, and its key would be in nothing that could be applied',
    hint: 'Say --with-issuer-key and treat the file as the secret it is.',
  });
}

function notInDirectory(flags: HandOutFlags): DaprMtlsError {
  const name = flags['output-manifest'] === undefined ? 'output-helm-values' : 'output-manifest';
  return new DaprMtlsError('usage.invalid', {
    message: `--${name} is for the bundle of a cluster (-k)`,
    hint: `Leave --${name} out: in a directory nobody else keeps the files.`,
  });
}

/** What cannot be found out about an owner is the same in each phase. */
function onceOnly(streams: Streams): Streams {
  const told = new Set<string>();
  const once = (say: (text: string) => void) => (text: string) => {
    if (told.has(text)) return;
    told.add(text);
    say(text);
  };
  return { ...streams, note: once((text) => streams.note(text)), warn: once((text) => streams.warn(text)) };
}
