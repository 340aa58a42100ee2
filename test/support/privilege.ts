import { spawnSync } from 'node:child_process';

/** A user who owns nothing here. */
export const nobody = 65534;

/** Why nothing can be tried as another user; undefined where it can. */
export function whyNoOtherUser(): string | undefined {
  return process.getuid?.() === 0 ? undefined : 'only root may become another user';
}

/** Gives a folder, and all that is in it, to a user. */
export function giveTo(uid: number, folder: string): void {
  const { status, stderr } = spawnSync('chown', ['-Rh', `${uid}:${uid}`, folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

/** Why nothing can be mounted; undefined where it can. */
export function whyNoMount(): string | undefined {
  const { error, status, stderr } = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'], {
    encoding: 'utf8',
  });
  if (error) return 'unshare is not installed';
  return status === 0 ? undefined : `no file system may be mounted here: ${stderr.trim()}`;
}

/** Words before a command that run a shell script first, in a mount namespace of its own; `$1` and so on are its arguments. */
export function inNamespace(script: string, ...args: readonly string[]): readonly string[] {
  return ['unshare', '-m', 'sh', '-ec', `${script}\nshift ${args.length}\nexec "$@"`, 'sh', ...args];
}

/** Says why tests are not run. A skipped test never looks like a passed one. */
export function announceSkipped(what: string, obstacle: string | undefined): boolean {
  if (obstacle !== undefined) console.warn(`skipped: ${what}, because ${obstacle}`);
  return obstacle !== undefined;
}
