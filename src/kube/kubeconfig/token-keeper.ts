import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { DaprMtlsError, isSystemError } from '../../errors.ts';
import { replaceProviderSettings } from './parse-yaml.ts';

/** A kubeconfig that new tokens of one of its users are written to. */
interface TokenKeeper {
  /** @throws DaprMtlsError `cluster.credentials` */
  keep(user: string, settings: Readonly<Record<string, string>>): void;
  close(): void;
}

/**
 * Takes the lock that kubectl takes, `FILE.lock`, and makes sure that the file can be replaced.
 * @throws DaprMtlsError `cluster.credentials`
 */
export function openTokenKeeper(file: string): TokenKeeper {
  const target = explaining(file, () => realpathSync(file));
  const lock = `${file}.lock`;
  explaining(file, () => {
    accessSync(target, constants.R_OK | constants.W_OK);
    accessSync(dirname(target), constants.W_OK);
    closeSync(openSync(lock, 'wx', 0o600));
  });
  return {
    keep: (user, settings) =>
      explaining(file, () => {
        const changed = replaceProviderSettings(readFileSync(target, 'utf8'), user, settings);
        replaceFile(target, changed);
      }),
    close: () => rmSync(lock, { force: true }),
  };
}

/** The new text takes the old one's place and rights at once, or not at all. */
function replaceFile(path: string, text: string): void {
  const next = `${path}.${process.pid}.new`;
  const handle = openSync(next, 'wx', statSync(path).mode & 0o777);
  try {
    writeFileSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  try {
    renameSync(next, path);
  } catch (error) {
    rmSync(next, { force: true });
    throw error;
  }
}

function explaining<T>(file: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const isLocked = error.code === 'EEXIST';
    throw new DaprMtlsError('cluster.credentials', {
      message: isLocked
        ? `${file} is locked by another program (${file}.lock)`
        : `the id-token has ended, and a new one could not be kept in ${file} (${error.code})`,
      hint: isLocked
        ? `Wait for it; if none runs any more, remove the lock: rm ${file}.lock`
        : 'Make the kubeconfig writable, or use a login program (exec) instead of the auth-provider oidc.',
      cause: error,
    });
  }
}
