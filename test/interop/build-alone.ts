import { readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { isSystemError } from '../../src/errors.ts';

/** Of several processes that want the same built one builds, and the others wait: together they would all do all of it. */
export async function buildAlone(lock: string, isBuilt: () => Promise<boolean>, build: () => Promise<void>) {
  while (!(await takeLock(lock))) await pause(500);
  try {
    if (!(await isBuilt())) await build();
  } finally {
    await rm(lock, { force: true });
  }
}

async function takeLock(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (!isSystemError(error) || error.code !== 'EEXIST') throw error;
  }
  const holder = Number(await readFile(lock, 'utf8').catch(() => ''));
  // Nothing stands there yet where it is being taken.
  if (holder > 0 && !isAlive(holder)) await rm(lock, { force: true });
  return false;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return isSystemError(error) && error.code === 'EPERM';
  }
}
