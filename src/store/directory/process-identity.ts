import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Enough to tell, later and from another process, whether the owner of a lock still lives. */
export interface ProcessIdentity {
  readonly host: string;
  /** Changes with every start of the machine; empty where the system does not tell. */
  readonly bootId: string;
  /** Process numbers mean something only inside one such namespace; empty where there are none. */
  readonly pidNamespace: string;
  readonly pid: number;
  /** Tells a process from a later one with the same number. */
  readonly startTime: string;
}

export type Liveness = 'alive' | 'dead' | 'unknown';

export function identifyThisProcess(): ProcessIdentity {
  return { ...identifyMachine(), pid: process.pid, startTime: startTimeOf(process.pid) ?? '' };
}

function identifyMachine(): Pick<ProcessIdentity, 'host' | 'bootId' | 'pidNamespace'> {
  return { host: hostname(), bootId: readBootId(), pidNamespace: readPidNamespace() };
}

/** unknown: another machine or another container; only a human can tell. */
export function livenessOf(owner: ProcessIdentity): Liveness {
  const here = identifyMachine();
  if (owner.host !== here.host) return 'unknown';
  if (owner.bootId !== here.bootId) return owner.bootId && here.bootId ? 'dead' : 'unknown';
  if (owner.pidNamespace !== here.pidNamespace) return 'unknown';
  if (!exists(owner.pid)) return 'dead';
  const startTime = startTimeOf(owner.pid);
  // Another user's process may be hidden (mount option hidepid), or end this very moment.
  if (startTime === undefined) return 'unknown';
  return startTime === owner.startTime ? 'alive' : 'dead';
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function readBootId(): string {
  return process.platform === 'linux' ? (readOrUndefined('/proc/sys/kernel/random/boot_id')?.trim() ?? '') : '';
}

function readPidNamespace(): string {
  try {
    return process.platform === 'linux' ? readlinkSync('/proc/self/ns/pid') : '';
  } catch {
    return '';
  }
}

/**
 * Linux: field 22 of /proc/PID/stat, counted behind the command's closing bracket; empty for a
 * zombie, which in a container without an init may stay for ever. Else: ps.
 */
function startTimeOf(pid: number): string | undefined {
  if (process.platform === 'linux') {
    const stat = readOrUndefined(`/proc/${pid}/stat`);
    const [state, ...rest] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
    return state === 'Z' ? '' : rest[18];
  }
  if (process.platform === 'win32') return '';
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
