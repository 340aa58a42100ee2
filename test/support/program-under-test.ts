import { realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export type ProgramName = 'dapr-mtls' | 'dapr';

const checkout = fileURLToPath(new URL('../../', import.meta.url));

/**
 * The folder with `dapr-mtls` and `dapr` that DAPR_MTLS_TEST_BIN names, relative to the checkout: of the single
 * executable, of an installed tarball. Undefined: the program as built into dist/.
 */
export const testedFolder = process.env.DAPR_MTLS_TEST_BIN && resolve(checkout, process.env.DAPR_MTLS_TEST_BIN);

/** What is run under the name: a program, or Node and a script. */
export function commandOf(name: ProgramName): readonly [string, ...string[]] {
  if (!testedFolder) return [process.execPath, join(checkout, 'bin', `${name}.js`)];
  const path = join(testedFolder, name);
  return realpathSync(path).endsWith('.js') ? [process.execPath, path] : [path];
}

/** Whether the files of the package lie open, as everywhere but in the single executable. */
export const isScript = commandOf('dapr-mtls').length > 1;

/** The same for a shell. */
export function shellCommandOf(name: ProgramName): string {
  return commandOf(name)
    .map((word) => `'${word}'`)
    .join(' ');
}
