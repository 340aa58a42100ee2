// Bundles the program into dist/, writes oclif.manifest.json from its commands and the licences of
// what was bundled. `--quiet` leaves the table of sizes out.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { bundleOptions, commands, root, version } from './bundle-options.js';
import { collectLicences } from './licences.js';

process.chdir(root);

/** Loaded late or by several files: each stands once, in a file of its own. */
const shared = [
  // Errors are told apart by their class, so that there must be one of each.
  'src/errors.ts',
  'src/cli/open-cluster.ts',
  'src/cli/stop.ts',
  'src/cli/answer.ts',
  'src/cli/open-cluster-reader.ts',
  'src/cli/open-cluster-for-change.ts',
  'src/cli/open-cluster-backups.ts',
  'src/cli/survey-cluster.ts',
  'src/cli/renew-in-cluster.ts',
  'src/cli/restart.ts',
  'src/cli/open-rotation.ts',
  'src/cli/perform-rotation.ts',
  'src/cli/ask-owners.ts',
  'src/cli/cluster-configuration.ts',
  'src/cli/report-failure.ts',
  'src/cli/machine-format.ts',
  'src/app/configuration/document.ts',
  'src/kube/client/proxy-agent.ts',
  'src/kube/kubeconfig/parse-yaml.ts',
  'src/pki/sign.ts',
  'src/render/yaml.ts',
];

/** By source file: the name of the bundle that holds it. All lie side by side in dist/. */
const bundles = new Map(
  ['src/main.ts', 'src/cli/hand-over.ts', ...shared, ...commands].map((path) => [
    join(root, path),
    commands.includes(path) ? path.slice('src/commands/'.length, -3).replaceAll('/', '-') : basename(path, '.ts'),
  ]),
);

/**
 * One CommonJS file for the launcher and one for each command. Every file of an ES module graph
 * costs 2 to 4 ms on Node 20, and each builtin that one imports is walked for its exports, so that
 * small shared chunks would cost more than the repetition.
 */
const splitOptions = {
  ...bundleOptions,
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  plugins: [...bundleOptions.plugins, bundlesApart()],
};
const entries = (isCommand) =>
  [...bundles].filter(([path]) => isCommand === path.includes('/src/commands/')).map(([path, name]) => [name, path]);

rmSync('dist', { recursive: true, force: true });
const results = [
  await build({ ...splitOptions, entryPoints: Object.fromEntries(entries(false)) }),
  // A CommonJS module that is imported is its default export: here, the class of the command.
  await build({
    ...splitOptions,
    entryPoints: Object.fromEntries(entries(true)),
    footer: { js: 'module.exports = module.exports.default;' },
  }),
];
// What loads them has to tell one build from another, see src/cli/code-cache.ts.
results.push(
  await build({
    ...splitOptions,
    entryPoints: { 'load-bundle': 'src/cli/load-bundle.ts' },
    define: { ...splitOptions.define, DAPR_MTLS_BUILD: JSON.stringify(digestOf(results)) },
  }),
);
const metafile = {
  inputs: Object.assign({}, ...results.map((result) => result.metafile.inputs)),
  outputs: Object.assign({}, ...results.map((result) => result.metafile.outputs)),
};
await writeManifest();
writeFileSync('dist/THIRD-PARTY-LICENSES.txt', collectLicences(metafile, root));
if (!process.argv.includes('--quiet')) printSizes(metafile);

function digestOf(results) {
  const hash = createHash('sha256');
  const files = results.flatMap(({ metafile }) => Object.keys(metafile.outputs)).sort();
  for (const file of files) hash.update(file).update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

/** A bundle finds the others beside it instead of inside it. */
function bundlesApart() {
  return {
    name: 'bundles-apart',
    setup(build) {
      build.onResolve({ filter: /^\..*\.ts$/ }, ({ path, resolveDir, kind }) => {
        const name = kind === 'entry-point' ? undefined : bundles.get(join(resolveDir, path));
        return name && { path: `./${name}.cjs`, external: true };
      });
    },
  };
}

/** oclif itself reads the command classes, with nothing left out of it. */
async function writeManifest() {
  const folder = 'node_modules/.cache/dapr-mtls-manifest';
  mkdirSync(folder, { recursive: true });
  await build({
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
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    define: bundleOptions.define,
    logLevel: 'warning',
  });
  const commands = { strategy: 'explicit', target: './commands.js', identifier: 'COMMANDS' };
  const oclif = { bin: 'dapr-mtls', topicSeparator: ' ', commands };
  writeFileSync(`${folder}/package.json`, JSON.stringify({ name: 'dapr-mtls', version, type: 'module', oclif }));
  const { Config } = await import('@oclif/core/config');
  const config = await Config.load(`${root}/${folder}`);
  const { manifest } = config.plugins.get('dapr-mtls');
  const entries = Object.fromEntries(
    Object.entries(manifest.commands).map(([id, entry]) => [id, withoutPlugin(entry)]),
  );
  writeFileSync('oclif.manifest.json', `${JSON.stringify({ commands: entries, version }, undefined, 1)}\n`);
}

function withoutPlugin({ pluginAlias, pluginName, pluginType, isESM, relativePath, ...entry }) {
  return entry;
}

function printSizes({ outputs }) {
  const rows = Object.entries(outputs).map(([path, { bytes }]) => [path, bytes]);
  rows.sort((a, b) => b[1] - a[1]);
  for (const [path, bytes] of rows)
    process.stderr.write(`${String(Math.round(bytes / 1024)).padStart(6)} KiB  ${path}\n`);
}
