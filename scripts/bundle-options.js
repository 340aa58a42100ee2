import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { lateBuiltins } from './late-builtins.js';
import { leanOclif } from './lean-oclif.js';
import { leanX509 } from './lean-x509.js';

/** What every build of the program has in common, whether it is split into bundles (build.js) or not. */

export const root = fileURLToPath(new URL('..', import.meta.url));

export const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

/** How the table of commands writes each of them: `import('./mtls/expiry.ts')`. */
const commandImport = /import\('\.\/([a-z/-]+\.ts)'\)/g;

/** The source files of the commands, as the table of commands names them. */
export const commands = [...readFileSync(`${root}src/commands/table.ts`, 'utf8').matchAll(commandImport)].map(
  ([, path]) => `src/commands/${path}`,
);

/** For esbuild. Plugins are to be added to, not replaced. */
export const bundleOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  mainFields: ['module', 'main'],
  target: 'node20',
  // `import()` becomes a late `require`: the ESM loader is never started.
  supported: { 'dynamic-import': false },
  minify: true,
  define: { DAPR_MTLS_VERSION: JSON.stringify(version) },
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
  plugins: [lateBuiltins(), leanOclif(), leanX509()],
};
