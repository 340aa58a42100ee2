import { randomBytes } from 'node:crypto';
import { linkSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DaprMtlsError, isSystemError } from '../../errors.ts';
import { explaining, ownerIn, privateFile, readIfExists, remove, rename, writeNewFile } from './durable.ts';
import { identifyThisProcess, type Liveness, livenessOf, type ProcessIdentity } from './process-identity.ts';

export interface LockOwner extends ProcessIdentity {
  /** Person, host and process, where it is told whom to ask. */
  readonly holder?: string;
  readonly purpose: string;
  readonly since: string;
  readonly nonce: string;
}

export interface Lock {
  /** @throws DaprMtlsError `store.locked` when the lock is not this run's any more */
  assertHeld(): void;
  release(): void;
}

/** One of the locks of a work directory. */
export interface LockKind {
  readonly fileName: string;
  /** The words before its owner. */
  readonly says: string;
  /** What to do while its owner lives. */
  readonly mend: string;
}

/** Held for one change of the files. */
const storeLock: LockKind = {
  fileName: 'lock',
  says: 'the store is locked by',
  mend: 'Wait until that run has ended, then try again.',
};

export interface LockOptions {
  readonly kind?: LockKind;
  /** Person, host and process. */
  readonly holder?: string;
}

/**
 * One run at a time. The lock appears with its content in one step (a hard link is an exclusive
 * create); a dead owner's is renamed away, a living or unknown one's is respected.
 * @throws DaprMtlsError `store.locked`
 */
export function acquireLock(
  workDirectory: string,
  purpose: string,
  now: Date,
  { kind = storeLock, holder }: LockOptions = {},
): Lock {
  const path = join(workDirectory, kind.fileName);
  const nonce = randomBytes(8).toString('hex');
  const owner: LockOwner = {
    ...identifyThisProcess(),
    ...(holder === undefined ? {} : { holder }),
    purpose,
    since: now.toISOString(),
    nonce,
  };
  const draft = `${path}.${nonce}`;
  const content = Buffer.from(`${JSON.stringify(owner, undefined, 2)}\n`);
  writeNewFile(draft, content, { mode: privateFile, ...ownerIn(workDirectory) });
  try {
    if (!tryLink(draft, path)) {
      clearDeadLock(path, nonce, kind);
      if (!tryLink(draft, path)) throw lockedBy(path, readLock(workDirectory, kind), kind);
    }
  } finally {
    remove(draft);
  }
  return {
    assertHeld: () => {
      const found = readLock(workDirectory, kind);
      if (found?.nonce !== nonce) throw lockedBy(path, found, kind);
    },
    release: () => {
      if (readLock(workDirectory, kind)?.nonce === nonce) remove(path);
    },
  };
}

function tryLink(from: string, to: string): boolean {
  return explaining(`lock ${to}`, () => {
    try {
      linkSync(from, to);
      return true;
    } catch (error) {
      // ENOENT: the lock's owner took the draft for a dead run's.
      if (isSystemError(error) && (error.code === 'EEXIST' || error.code === 'ENOENT')) return false;
      throw error;
    }
  });
}

function clearDeadLock(path: string, nonce: string, kind: LockKind): void {
  const content = readIfExists(path);
  if (!content) return;
  const owner = parseOwner(content);
  if (!owner || livenessOf(owner) !== 'dead') throw lockedBy(path, owner, kind);
  const away = `${path}.dead-${nonce}`;
  rename(path, away);
  const taken = parseOwner(readIfExists(away) ?? Buffer.alloc(0));
  // Two runs may have judged the same dead lock: the slower one now holds the faster one's.
  if (taken && taken.nonce !== owner.nonce) {
    tryLink(away, path);
    remove(away);
    throw lockedBy(path, taken, kind);
  }
  remove(away);
}

/**
 * Removes drafts and dead locks that runs which died have left. What names a living owner is in use
 * this very moment: its draft, or the lock that a slower run has moved away and is about to give back.
 */
export function clearDeadDrafts(workDirectory: string, { fileName }: LockKind = storeLock): void {
  for (const name of explaining(`list ${workDirectory}`, () => readdirSync(workDirectory))) {
    const isDraft = name.startsWith(`${fileName}.`) && /^(dead-)?[0-9a-f]{16}$/.test(name.slice(fileName.length + 1));
    if (!isDraft) continue;
    const path = join(workDirectory, name);
    const owner = parseOwner(readIfExists(path) ?? Buffer.alloc(0));
    if (!owner || livenessOf(owner) !== 'alive') remove(path);
  }
}

/** What is known of the lock's owner; undefined without a lock or with an unreadable one. */
export function readLock(workDirectory: string, { fileName }: LockKind = storeLock): LockOwner | undefined {
  const content = readIfExists(join(workDirectory, fileName));
  return content && parseOwner(content);
}

/** Undefined without a lock. */
export function livenessOfLock(
  workDirectory: string,
  { fileName }: Pick<LockKind, 'fileName'> = storeLock,
): Liveness | undefined {
  const content = readIfExists(join(workDirectory, fileName));
  if (!content) return undefined;
  const owner = parseOwner(content);
  return owner ? livenessOf(owner) : 'unknown';
}

function parseOwner(content: Buffer): LockOwner | undefined {
  try {
    const owner = JSON.parse(content.toString('utf8')) as Partial<LockOwner>;
    return typeof owner.host === 'string' && typeof owner.pid === 'number' ? (owner as LockOwner) : undefined;
  } catch {
    return undefined;
  }
}

function lockedBy(path: string, owner: LockOwner | undefined, { says, mend }: LockKind): DaprMtlsError {
  const who = owner
    ? `"${owner.purpose}" ${describeOwner(owner)}, since ${owner.since}`
    : 'an owner that cannot be read';
  const isHere = owner && livenessOf(owner) === 'alive';
  return new DaprMtlsError('store.locked', {
    message: `${says} ${who}`,
    hint: isHere ? mend : `If you know that it has ended, remove ${path} and try again.`,
  });
}

function describeOwner({ holder, host, pid }: LockOwner): string {
  return holder === undefined ? `on ${host}, process ${pid}` : `(${holder})`;
}
