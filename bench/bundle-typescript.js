import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Makes one module of the tests' own parts, which are TypeScript and find their files by where they lie.
 * @param source of the module: a path from the root, or `{contents}`
 * @returns the path of the module
 */
export async function bundleTypescript(name, source) {
  const outfile = join(root, 'node_modules/.cache/dapr-mtls-bench', `${name}.js`);
  await build({
    ...(typeof source === 'string'
      ? { entryPoints: [join(root, source)] }
      : { stdin: { ...source, resolveDir: root, loader: 'ts' } }),
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    // As far below the root as all of them are.
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(join(root, 'test/cluster/all.ts')).href) },
    logLevel: 'warning',
  });
  return outfile;
}
