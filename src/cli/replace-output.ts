import { realpathSync, statSync, writeFileSync } from 'node:fs';
import { isSystemError } from '../errors.ts';
import { explaining, replaceFile } from '../store/directory/durable.ts';

/** What is told is public: whoever collects it runs as another user. */
const publicMode = 0o644;

/**
 * Replaces a file as a whole, through a link to it; what is no file, as /dev/stdout, is written to.
 * @throws DaprMtlsError `file.io`, `store.permission`, `store.full`
 */
export function replaceOutput(path: string, text: string): void {
  explaining(`write ${path}`, () => {
    const target = realPathOf(path);
    if (target !== undefined && !statSync(target).isFile()) return writeFileSync(target, text);
    replaceFile(target ?? path, Buffer.from(text), { mode: publicMode });
  });
}

function realPathOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
