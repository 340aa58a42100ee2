import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import type { Script } from 'node:vm';

/** What V8 made of the bundles in an earlier run of the same Node. */
export interface CodeCache {
  /** A real path. */
  readonly folder: string;
  read(name: string): Buffer | undefined;
}

/** Whoever has told Node where to keep such code, or that none is to be kept, means this, too. */
export function isCodeCacheWanted(env: NodeJS.ProcessEnv): boolean {
  return !(env.NODE_COMPILE_CACHE || env.NODE_DISABLE_COMPILE_CACHE || env.NODE_V8_COVERAGE);
}

/**
 * The cache of a build for this very Node. What it holds is run unseen: so it counts only where nobody else can have
 * put it there. Undefined where there is none.
 * @param build changes with every byte of the bundles: V8 itself compares only their lengths
 */
export function openCodeCache(build: string, env: NodeJS.ProcessEnv): CodeCache | undefined {
  try {
    const folder = realpathSync(folderOf(build, env));
    if (!isPrivate(folder) || !isWayOurs(dirname(folder))) return undefined;
    return { folder, read: (name) => readOrUndefined(join(folder, name)) };
  } catch {
    return undefined;
  }
}

function readOrUndefined(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** Makes the folder where it is missing. A machine that does not allow it is as fast as it was. */
export function fillCodeCache(build: string, env: NodeJS.ProcessEnv, scripts: ReadonlyMap<string, Script>): void {
  try {
    const wanted = folderOf(build, env);
    // A home that is not there is not ours to make.
    if (!env.XDG_CACHE_HOME && !existsSync(env.HOME ?? '')) return;
    // With sudo it may be the home of somebody else.
    if (!isWayOurs(nearestFolder(wanted))) return;
    const isNew = makeFolder(wanted);
    const folder = openCodeCache(build, env)?.folder;
    if (!folder) return;
    if (isNew) removeForgotten(dirname(folder));
    for (const [name, script] of scripts) {
      const draft = join(folder, `${name}.${process.pid}`);
      writeFileSync(draft, script.createCachedData(), { mode: 0o600 });
      // Another run sees the whole of it or nothing; V8 refuses a file that a failing machine has cut short.
      renameSync(draft, join(folder, name));
    }
  } catch {
    // Read-only or full: there is nothing to be said of it.
  }
}

/** @throws Error where there is no place for it */
function folderOf(build: string, { XDG_CACHE_HOME: named, HOME: home }: NodeJS.ProcessEnv): string {
  const caches = named && isAbsolute(named) ? named : home && isAbsolute(home) && join(home, '.cache');
  if (!caches) throw new Error('no folder for caches');
  // V8 of Node 20 does not notice that another build of the same version lays its heap out otherwise.
  const { size, mtimeMs } = statSync(process.execPath);
  const node = [process.version, process.arch, size, Math.trunc(mtimeMs)].join('-');
  return join(caches, 'dapr-mtls', 'code', `${node}-${build}`);
}

/** Nobody else can write a file there. Windows does not tell. */
function isPrivate(folder: string): boolean {
  const { uid, mode } = statSync(folder);
  return uid === process.geteuid?.() && (mode & 0o022) === 0;
}

/** Nobody but this user and root can put another folder into the place of one in it. @param folder a real path */
function isWayOurs(folder: string): boolean {
  const { uid, mode } = statSync(folder);
  const isOurs = uid === process.geteuid?.() || uid === 0;
  const isSafe = (mode & 0o022) === 0 || (mode & 0o1000) !== 0;
  return isOurs && isSafe && (folder === dirname(folder) || isWayOurs(dirname(folder)));
}

/** Not Node's own way of making parents, which never ends in /proc. @returns whether it was missing */
function makeFolder(folder: string): boolean {
  if (existsSync(folder)) return false;
  makeFolder(dirname(folder));
  mkdirSync(folder, 0o700);
  return true;
}

function nearestFolder(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return nearestFolder(dirname(path));
  }
}

const forgottenMs = 30 * 24 * 60 * 60 * 1000;

/** Of older builds and other Nodes. */
function removeForgotten(caches: string): void {
  for (const name of readdirSync(caches)) {
    const path = join(caches, name);
    if (Date.now() - statSync(path).mtimeMs > forgottenMs) rmSync(path, { recursive: true, force: true });
  }
}
