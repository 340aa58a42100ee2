// Bundles the program into dist/, writes oclif.manifest.json from its commands and the licences of
// what was bundled. `--quiet` leaves the table of sizes out.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { leanOclif } from './lean-oclif.js';
import { collectLicences } from './licences.js';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

/** Bundled CommonJS modules ask for node's own ones through `require`. */
const requireShim =
  "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);";

const common = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  define: { DAPR_MTLS_VERSION: JSON.stringify(version) },
  legalComments: 'none',
  logLevel: 'warning',
};

rmSync('dist', { recursive: true, force: true });
const { metafile } = await build({
  ...common,
  entryPoints: { main: 'src/main.ts', 'hand-over': 'src/cli/hand-over.ts' },
  outdir: 'dist',
  splitting: true,
  minify: true,
  chunkNames: 'chunks/[name]-[hash]',
  banner: { js: requireShim },
  plugins: [leanOclif()],
  metafile: true,
});
await writeManifest();
writeFileSync('dist/THIRD-PARTY-LICENSES.txt', collectLicences(metafile, root));
if (!process.argv.includes('--quiet')) printSizes(metafile);

/** oclif itself reads the command classes, unminified and with nothing left out of it. */
async function writeManifest() {
  const folder = 'node_modules/.cache/dapr-mtls-manifest';
  mkdirSync(folder, { recursive: true });
  await build({
    ...common,
    stdin: {
      contents: `import { commandTable, aliases } from './src/commands/table.ts';
        export const COMMANDS = {};
        for (const [id, load] of Object.entries(commandTable)) {
          const { default: command } = await load();
          command.aliases = Object.entries(aliases).filter(([, target]) => target === id).map(([alias]) => alias.replaceAll(' ', ':'));
          COMMANDS[id.replaceAll(' ', ':')] = command;
        }`,
      resolveDir: root,
      loader: 'ts',
    },
    outfile: `${folder}/commands.js`,
    packages: 'external',
  });
  writeFileSync(
    `${folder}/package.json`,
    JSON.stringify({
      name: 'dapr-mtls',
      version,
      type: 'module',
      oclif: {
        bin: 'dapr-mtls',
        topicSeparator: ' ',
        commands: { strategy: 'explicit', target: './commands.js', identifier: 'COMMANDS' },
      },
    }),
  );
  const { Config } = await import('@oclif/core/config');
  const config = await Config.load(fileURLToPath(pathToFileURL(`${root}/${folder}/`)));
  const { manifest } = config.plugins.get('dapr-mtls');
  const commands = Object.fromEntries(Object.entries(manifest.commands).map(([id, entry]) => [id, strip(entry)]));
  writeFileSync('oclif.manifest.json', `${JSON.stringify({ commands, version }, undefined, 1)}\n`);
}

function strip(entry) {
  const { pluginAlias, pluginName, pluginType, isESM, relativePath, ...rest } = entry;
  return rest;
}

function printSizes({ outputs }) {
  const rows = Object.entries(outputs).map(([path, { bytes }]) => [path, bytes]);
  rows.sort((a, b) => b[1] - a[1]);
  for (const [path, bytes] of rows)
    process.stderr.write(`${String(Math.round(bytes / 1024)).padStart(6)} KiB  ${path}\n`);
}
