// Bundles the program into dist/, writes oclif.manifest.json from its commands and the licences of
// what was bundled. `--quiet` leaves the table of sizes out.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { build } from 'esbuild';
import { bundleOptions, commands, root, version } from './bundle-options.js';
import { collectLicences } from './licences.js';

process.chdir(root);

/** Loaded late or by several files: each stands once, in a file of its own. */
const shared = [
  // Errors are told apart by their class, so that there must be one of each.
  'src/errors.ts',
  'src/cli/open-cluster.ts',
  'src/cli/without-secret.ts',
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
  'src/cli/several-clusters.ts',
  'src/cli/watch/cluster-source.ts',
  'src/app/configuration/document.ts',
  'src/kube/client/bulk/exchange-in-bulk.ts',
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

/** Who imports a bundle, at load or by `import()`: the metafile of esbuild has both as `require`. */
const references = [];

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
      build.onResolve({ filter: /^\..*\.ts$/ }, ({ path, resolveDir, kind, importer }) => {
        const name = kind === 'entry-point' ? undefined : bundles.get(join(resolveDir, path));
        if (!name) return undefined;
        references.push({ importer: relative(root, importer), name, isLate: kind === 'dynamic-import' });
        return { path: `./${name}.cjs`, external: true };
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

/** By size: every bundle, the others that it imports, and those that it imports late. What is really loaded: test/cli/loading.test.ts. */
function printSizes({ outputs }) {
  const rows = Object.entries(outputs).sort(([, a], [, b]) => b.bytes - a.bytes);
  for (const [path, { bytes, inputs }] of rows) {
    const used = references.filter(({ importer }) => importer in inputs);
    const atOnce = new Set(used.filter(({ isLate }) => !isLate).map(({ name }) => name));
    const late = new Set(used.map(({ name }) => name).filter((name) => !atOnce.has(name)));
    const loads = [...atOnce, ...(late.size > 0 ? [`(later: ${[...late].join(' ')})`] : [])].join(' ');
    const size = `${Math.round(bytes / 1024)} KiB`.padStart(9);
    process.stderr.write(`${`${size}  ${basename(path).padEnd(28)} ${loads}`.trimEnd()}\n`);
  }
}
