import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../support/directory.ts';
import { type Outcome, startProcess } from '../support/program.ts';

/** One system call that writes, as strace has seen it. */
export interface Call {
  readonly thread: string;
  readonly name: string;
  /** How many calls of that name the thread had made, this one included. */
  readonly nth: number;
  /** What it does, with all that differs between two runs taken out. */
  readonly what: string;
  /** Undefined: the call was not carried out, because the process was killed at it. */
  readonly result: string | undefined;
}

export interface Tampering {
  readonly call: Pick<Call, 'name' | 'nth'>;
  /** KILL: the process ends before the call is carried out. Else: the call fails with this error. */
  readonly by: 'KILL' | 'ENOSPC' | 'EIO';
}

const byDescriptor = ['write', 'pwrite64', 'writev', 'pwritev', 'fsync', 'fdatasync', 'ftruncate', 'fchmod', 'fchown'];
const byPath = [
  ...['rename', 'renameat', 'renameat2', 'link', 'linkat', 'symlink', 'symlinkat', 'unlink', 'unlinkat', 'rmdir'],
  ...['mkdir', 'mkdirat', 'truncate', 'chmod', 'fchmodat', 'chown', 'lchown', 'fchownat', 'utimensat'],
];
const traced = [...byDescriptor, ...byPath, 'openat', 'open', 'creat'];

/** Why nothing can be traced here; undefined where it can. */
export function whyNoTrace(): string | undefined {
  const { error, status, stderr } = spawnSync('strace', ['-o', '/dev/null', 'true'], { encoding: 'utf8' });
  if (error) return 'strace is not installed';
  return status === 0 ? undefined : `strace may not trace here: ${stderr.trim()}`;
}

/**
 * Runs a program under strace and returns, in their order, the calls by which it wrote below the
 * folder. The program's own noise elsewhere (modules, pipes, wake-ups of threads) is left out.
 */
export async function trace(
  command: readonly string[],
  folder: string,
  { cwd, tampering, threads }: { cwd?: string; tampering?: Tampering; threads: 'all' | 'main' },
): Promise<{ outcome: Outcome; calls: readonly Call[] }> {
  const log = join(temporaryDirectory('trace'), 'log');
  // Counted for each thread alone, so a call is tampered with only where the main thread is traced alone.
  const follow = threads === 'all' ? ['-f'] : [];
  const inject = tampering ? ['-e', `inject=${describeTampering(tampering)}`] : [];
  const strace = ['strace', ...follow, '-qq', '-y', '-s', '0', '-o', log, '-e', `trace=${traced.join(',')}`, ...inject];
  // With several arenas glibc opens a file of /proc at a moment of its own, and the calls' numbers vary.
  const env = { MALLOC_ARENA_MAX: '1' };
  const outcome = await startProcess([...strace, ...command], { env, ...(cwd === undefined ? {} : { cwd }) }).ended;
  return { outcome, calls: parseLog(readFileSync(log, 'utf8'), folder) };
}

function describeTampering({ call, by }: Tampering): string {
  return `${call.name}:${by === 'KILL' ? 'signal=KILL' : `error=${by}`}:when=${call.nth}`;
}

function parseLog(log: string, folder: string): Call[] {
  const counts = new Map<string, number>();
  const unfinished = new Map<string, { name: string; nth: number; args: string }>();
  return log.split('\n').flatMap((line) => {
    const [, thread = '', text = ''] = /^(?:(\d+) +)?(.*)$/.exec(line) ?? [];
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(text);
    if (resumed) {
      const begun = unfinished.get(thread);
      unfinished.delete(thread);
      return begun ? toCall(thread, begun.name, begun.nth, begun.args + resumed[2], folder) : [];
    }
    const begun = /^(\w+)\((.*)$/.exec(text);
    if (!begun) return [];
    const [, name = '', args = ''] = begun;
    const nth = (counts.get(`${thread} ${name}`) ?? 0) + 1;
    counts.set(`${thread} ${name}`, nth);
    if (args.endsWith('<unfinished ...>')) {
      unfinished.set(thread, { name, nth, args: args.replace(/ *<unfinished \.\.\.>$/, '') });
      return [];
    }
    return toCall(thread, name, nth, args, folder);
  });
}

function toCall(thread: string, name: string, nth: number, rest: string, folder: string): Call[] {
  const [, args = rest, outcome = '?'] = /^(.*)\) += (.*)$/.exec(rest) ?? [];
  const failed = /^-1 (E\w+) .*?( \(INJECTED\))?$/.exec(outcome);
  // Who asks for what cannot be done has not written; a call that was made to fail would have.
  if (failed && !failed[2]) return [];
  if (!writesBelow(folder, name, args)) return [];
  const what = `${name} ${withoutChance(args, folder)}`;
  return [{ thread, name, nth, what, result: outcome.startsWith('?') ? undefined : outcome }];
}

function writesBelow(folder: string, name: string, args: string): boolean {
  const isBelow = (path: string) => path === folder || path.startsWith(`${folder}/`);
  if (byDescriptor.includes(name)) return isBelow(/^\d+<(.*?)>/.exec(args)?.[1] ?? '');
  const paths = [...args.matchAll(/"(.*?)"/g)].map(([, path = '']) => path);
  if (byPath.includes(name)) return paths.some(isBelow);
  return paths.some(isBelow) && /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(args);
}

/** Two runs of one command do the same, but for their random names, process numbers and clocks. */
function withoutChance(args: string, folder: string): string {
  return (
    args
      .replaceAll(folder, '')
      .replace(/AT_FDCWD<.*?>, /g, '')
      .replace(/^\d+</, '<')
      .replace(/\d{8}T\d{6}Z(-\d+)?/g, 'TIME')
      .replace(/\.\d+\.tmp/g, '.PID.tmp')
      .replace(/[0-9a-f]{12,}/g, 'ID')
      // They lie side by side, and a folder is listed in any order.
      .replace(/former-[^/"]+/g, 'former')
      .replace(/""\.\.\.,? ?\d*/g, '')
      .replaceAll('|O_CLOEXEC', '')
  );
}
