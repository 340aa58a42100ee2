import { type FSWatcher, realpathSync, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { assertBundle } from '../../app/assert-bundle.ts';
import { checkBundle, type Surroundings } from '../../app/check/check.ts';
import { defaultWarnBeforeMs } from '../../app/report.ts';
import { ageOf, datesOf } from '../../app/watch/keep-judgement.ts';
import type { WatchSource } from '../../app/watch/ports.ts';
import type { Finding } from '../../pki/rules/finding.ts';
import type { Place } from '../../store/directory/place.ts';
import { DirectoryReader } from '../../store/directory/read.ts';
import type { StoredBundle, StoreLocation } from '../../store/port.ts';
import { surveyDirectory } from '../survey.ts';

/** So often the watchers are held against what they watch; a folder may be replaced without a word. */
const inspectMs = 60_000;

/**
 * A directory that may go away and come back, and may be a link that comes to lead elsewhere.
 * @param locate where it is at this moment
 */
export function watchDirectory(locate: () => Place): WatchSource {
  const { location } = new DirectoryReader(locate());
  let deafness: string | undefined;
  const judge = judgeNewOnly(location);
  return {
    location,
    look: async (at) => {
      const place = locate();
      const stored = await new DirectoryReader(place).read();
      assertBundle(stored, location);
      const findings = judge(stored, await surveyDirectory(place, undefined), at);
      return { bundle: stored, unread: deafness ? [deafness] : [], findings, sidecars: undefined };
    },
    follow: (changed, signal) =>
      follow(locate, signal, changed, (reason) => {
        deafness = reason && `Changes are not seen at once, only at the next look: ${reason}`;
      }),
  };
}

/** The same bundle is not judged at each look (`keepJudgement`); here its bytes tell whether it is the same. */
function judgeNewOnly(location: StoreLocation) {
  let last: { readonly key: string; readonly findings: readonly Finding[] } | undefined;
  return (stored: StoredBundle, surroundings: Surroundings, at: Date): readonly Finding[] => {
    const { revision, state, files } = stored;
    const key = JSON.stringify([revision, state, surroundings, ageOf(datesOf(files), at)]);
    if (last?.key !== key) {
      const options = { at, warnBeforeMs: defaultWarnBeforeMs, daprVersion: undefined };
      last = { key, findings: checkBundle(stored, location, surroundings, options).findings };
    }
    return last.findings;
  };
}

/** @param deaf is told why nothing can be heard, or undefined once it can */
async function follow(
  locate: () => Place,
  signal: AbortSignal,
  changed: () => void,
  deaf: (reason: string | undefined) => void,
): Promise<void> {
  const { givenPath } = locate();
  let watchers: FSWatcher[] = [];
  let watched = '';
  const close = () => {
    for (const watcher of watchers) watcher.close();
    watchers = [];
  };
  const isMoved = () => identify(chooseTargets(givenPath)) !== watched;
  const rearm = () => {
    close();
    const targets = chooseTargets(givenPath);
    try {
      for (const target of targets) watchers.push(listen(target));
      watched = identify(targets);
      deaf(undefined);
    } catch (error) {
      close();
      watched = '';
      deaf((error as Error).message);
    }
  };
  const listen = ({ path, names }: Target) => {
    const watcher = watch(path, (_event, name) => {
      if (names && name !== null && !names.includes(name)) return;
      if (isMoved()) rearm();
      changed();
    });
    // Looked into again at the next inspection.
    return watcher.on('error', () => {
      watched = '';
    });
  };
  const inspect = () => {
    if (!isMoved()) return;
    rearm();
    // Who still hears nothing has no news either.
    if (watched !== '') changed();
  };
  rearm();
  const timer = setInterval(inspect, inspectMs);
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve());
    if (signal.aborted) resolve();
  });
  clearInterval(timer);
  close();
}

interface Target {
  readonly path: string;
  /** The entries that matter; undefined: all. */
  readonly names: readonly string[] | undefined;
}

/** The directory where it is there, and above it the entries by which one gets there, links included. */
function chooseTargets(givenPath: string): readonly Target[] {
  const directory = realDirectory(givenPath);
  const entries = new Map<string, Set<string>>();
  for (const path of new Set([givenPath, directory ?? givenPath])) {
    const [folder, name] = nearestEntry(path);
    entries.set(folder, (entries.get(folder) ?? new Set()).add(name));
  }
  const above = [...entries].map(([path, names]) => ({ path, names: [...names] }));
  return directory === undefined ? above : [{ path: directory, names: undefined }, ...above];
}

function realDirectory(path: string): string | undefined {
  try {
    const directory = realpathSync(path);
    return statSync(directory).isDirectory() ? directory : undefined;
  } catch {
    return undefined;
  }
}

/** The folder above that is there, and the entry in it that leads on. */
function nearestEntry(path: string): readonly [string, string] {
  const parent = dirname(path);
  return parent === path || realDirectory(parent) !== undefined ? [parent, basename(path)] : nearestEntry(parent);
}

/** Another folder of the same name is another one. */
function identify(targets: readonly Target[]): string {
  return targets.map(({ path, names }) => `${path} ${inodeOf(path)} ${names?.join(' ') ?? ''}`).join('\n');
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}
