import {
  accessSync,
  constants,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DaprMtlsError } from '../../errors.ts';
import { type BundlePart, bundleParts, type FoundFiles } from '../../pki/reading.ts';
import { digest, digestOrNull } from '../digest.ts';
import type { ChangePlan, ChangeStep, SideFile } from '../port.ts';
import {
  explaining,
  makeFolder,
  type Ownership,
  ownerIn,
  ownershipOf,
  privateFile,
  readIfExists,
  syncDirectory,
  writeNewFile,
} from './durable.ts';
import {
  type Journal,
  type PendingChange,
  type PendingFile,
  type PendingSideFile,
  pendingDirectory,
  pendingFile,
  pendingFolder,
  pendingSideFile,
} from './journal.ts';
import { dataLink, type Layout, type Place } from './place.ts';

export interface StageRequest {
  readonly place: Place;
  readonly layout: Layout;
  readonly plan: ChangePlan;
  readonly current: FoundFiles;
  readonly id: string;
  readonly purpose: string;
  readonly now: Date;
}

/** Puts every new file, synced, into the pending folder and returns the journal that names them. */
export function stage(request: StageRequest): Journal {
  const { place, plan, id } = request;
  const folder = pendingFolder(place.workDirectory, id);
  makeFolder(folder);
  const sideFiles = plan.sideFiles.map((file, index) =>
    stageSideFile(file, pendingSideFile(place.workDirectory, id, index)),
  );
  const change = stageChange(request);
  syncDirectory(folder);
  syncDirectory(place.workDirectory);
  const { names } = place;
  return { version: 1, id, purpose: request.purpose, startedAt: request.now.toISOString(), names, sideFiles, change };
}

function stageSideFile(file: SideFile, path: string): PendingSideFile {
  const present = readIfExists(file.path);
  const asExpected = file.replaces ? present?.equals(file.replaces) : present === undefined;
  if (!asExpected) {
    throw new DaprMtlsError(file.replaces ? 'store.conflict' : 'file.exists', {
      message: `${file.path} ${file.replaces ? 'was changed meanwhile' : 'exists already'}`,
      hint: file.replaces ? 'Run the command again.' : 'Name another file, or move this one away.',
    });
  }
  // Once the journal stands there is no way back, so what could fail then is tried now.
  explaining(`write ${file.path}`, () => accessSync(dirname(file.path), constants.W_OK));
  writeNewFile(path, file.content, { mode: file.mode, ...ownerIn(dirname(path)) });
  return { path: file.path, mode: file.mode, sha256: digest(file.content), replaces: digestOrNull(file.replaces) };
}

function stageChange(request: StageRequest): PendingChange {
  // Side files alone: no reason to make the directory.
  if (request.plan.steps.length === 0) return { kind: 'files', steps: [] };
  switch (request.layout) {
    case 'absent':
      return stageDirectory(request);
    case 'empty':
      if (mayReplace(request.place.directory)) return stageDirectory(request);
      return { kind: 'files', steps: stageSteps(request, stageFiles) };
    case 'plain':
      return { kind: 'files', steps: stageSteps(request, stageFiles) };
    case 'linked':
      return { kind: 'linked', formerFolder: dataFolderOf(request.place), steps: stageSteps(request, stageDataFolder) };
  }
}

function mayReplace(directory: string): boolean {
  try {
    accessSync(dirname(directory), constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A new directory is built whole; it inherits owner and mode of an empty one that it replaces. */
function stageDirectory({ place, plan, id }: StageRequest): PendingChange {
  const folder = pendingDirectory(place.workDirectory, id);
  const final = Object.assign({}, ...plan.steps.map(({ files }) => files)) as ChangeStep['files'];
  makeFolder(folder, ownershipOf(place.directory));
  const files = entriesOf(final).map(([part, content]): PendingFile => {
    writeNewFile(join(folder, place.names[part]), content, { mode: privateFile, ...ownerIn(folder) });
    return { part, sha256: digest(content), replaces: null };
  });
  syncDirectory(folder);
  return { kind: 'directory', files };
}

type Stager<Step> = (request: StageRequest, step: ChangeStep, index: number, before: FoundFiles) => Step;

/** Each step is staged against what the steps before it have led to. */
function stageSteps<Step>(request: StageRequest, stageStep: Stager<Step>): Step[] {
  let before: FoundFiles = request.current;
  return request.plan.steps.map((step, index) => {
    const staged = stageStep(request, step, index, before);
    before = { ...before, ...step.files };
    return staged;
  });
}

function stageFiles({ place, id }: StageRequest, step: ChangeStep, index: number, before: FoundFiles) {
  makeFolder(join(pendingFolder(place.workDirectory, id), `step-${index}`));
  const files = entriesOf(step.files).map(([part, content]) => {
    const name = place.names[part];
    writeNewFile(pendingFile(place.workDirectory, id, index, name), content, ownershipFor(join(place.directory, name)));
    return pendingOf(part, content, before);
  });
  syncDirectory(join(pendingFolder(place.workDirectory, id), `step-${index}`));
  return { name: step.name, files };
}

/** Kubelet's layout: a copy of the whole data folder with the changed files in it. */
function stageDataFolder({ place, id }: StageRequest, step: ChangeStep, index: number, before: FoundFiles) {
  const source = explaining(`open ${join(place.directory, dataLink)}`, () =>
    realpathSync(join(place.directory, dataLink)),
  );
  const folder = join(pendingFolder(place.workDirectory, id), `step-${index}`);
  makeFolder(folder, ownershipOf(source));
  const content: FoundFiles = { ...before, ...step.files };
  for (const [part, bytes] of entriesOf(content)) {
    const name = place.names[part];
    writeNewFile(join(folder, name), bytes, ownershipFor(join(source, name)));
  }
  const ours = new Set<string>(Object.values(place.names));
  for (const name of explaining(`list ${source}`, () => readdirSync(source))) {
    if (!ours.has(name)) copyEntry(join(source, name), join(folder, name));
  }
  syncDirectory(folder);
  const files = entriesOf(step.files).map(([part, bytes]) => pendingOf(part, bytes, before));
  return { name: step.name, dataFolder: `..${id}-${index}`, files };
}

/** @throws DaprMtlsError `store.layout`: only a sibling can be swapped as kubelet does */
function dataFolderOf({ directory }: Place): string {
  const target = readlinkSync(join(directory, dataLink));
  if (target === basename(target) && target !== '..') return target;
  throw new DaprMtlsError('store.layout', {
    message: `${join(directory, dataLink)} leads to ${target}, outside the directory`,
    hint: 'Work on the directory where the files really are.',
  });
}

/** What else lies there is the user's: it comes along as it is. */
function copyEntry(from: string, to: string): void {
  explaining(`copy ${from}`, () => {
    const stat = lstatSync(from);
    if (stat.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
    else if (stat.isFile()) writeNewFile(to, readFileSync(from), ownershipFor(from));
    else if (stat.isDirectory()) {
      makeFolder(to, ownershipOf(from));
      for (const name of readdirSync(from)) copyEntry(join(from, name), join(to, name));
    }
  });
}

function pendingOf(part: BundlePart, content: Buffer, before: FoundFiles): PendingFile {
  return { part, sha256: digest(content), replaces: digestOrNull(before[part]) };
}

/** A replaced file keeps its owner and mode: Sentry may run as another user than the one who renews. */
function ownershipFor(path: string): Partial<Ownership> & { mode: number } {
  return ownershipOf(path) ?? { mode: privateFile, ...ownerIn(dirname(path)) };
}

function entriesOf(files: Partial<FoundFiles>): [BundlePart, Buffer][] {
  return bundleParts.flatMap((part) => (files[part] ? [[part, files[part]] as [BundlePart, Buffer]] : []));
}
