// Makes dist-executable/dapr-mtls of the built program: one file with Node inside, for the platform of that Node,
// and a link `dapr` beside it. `--node PATH` takes another Node than the one that runs this.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { inject } from 'postject';
import { root, version } from './bundle-options.js';

const { values } = parseArgs({ options: { node: { type: 'string', default: process.execPath } } });
const node = values.node;
const extension = process.platform === 'win32' ? '.exe' : '';
const target = join(root, 'dist-executable');
const executable = join(target, `dapr-mtls${extension}`);
const work = join(root, 'node_modules/.cache/dapr-mtls-executable');
process.chdir(root);
for (const folder of [target, work]) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}

const filesIn = (folder, pattern) =>
  readdirSync(folder).flatMap((name) => (pattern.test(name) ? `${folder}/${name}` : []));
const bundles = filesIn('dist', /\.cjs$/);
recordCodeCache();
writeFileSync(join(work, 'licenses'), licences());
const blob = await makeBlob({
  ...byName([...bundles, ...filesIn('bin', /\.js$/), ...filesIn('schemas', /\.json$/), 'oclif.manifest.json']),
  ...Object.fromEntries(bundles.map((name) => [`${name}.cache`, join(work, `${name}.cache`)])),
  licenses: join(work, 'licenses'),
});
copyFileSync(node, executable);
chmodSync(executable, 0o755);
await injectInto(executable, blob);
if (process.platform !== 'win32') symlinkSync('dapr-mtls', join(target, 'dapr'));
process.stderr.write(`${executable}: ${runNode(executable, ['--version'])}`);

function byName(names) {
  return Object.fromEntries(names.map((name) => [name, name]));
}

/** In an environment of its own: NODE_OPTIONS must not decide what is recorded. */
function runNode(program, words) {
  const env = { PATH: process.env.PATH, HOME: work, SystemRoot: process.env.SystemRoot };
  const { status, error, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8', env });
  if (status !== 0) throw new Error(`${program} ${words[0]} failed: ${error ?? stderr}`);
  return stdout;
}

function recordCodeCache() {
  runNode(node, ['scripts/executable/record-code-cache.js', work, ...bundles]);
}

/** Ours, those of what is bundled, and those of Node, which are said to be in the executable. */
function licences() {
  const ofNode = [join(dirname(node), '../LICENSE'), '/usr/share/doc/nodejs/LICENSE'].flatMap(readIfThere)[0];
  const nodeVersion = runNode(node, ['--version']).trim();
  const parts = [
    `dapr-mtls ${version}\n\n${readFileSync('LICENSE', 'utf8')}`,
    readFileSync('dist/THIRD-PARTY-LICENSES.txt', 'utf8'),
    `Node.js ${nodeVersion}\n\n${ofNode ?? `https://github.com/nodejs/node/blob/${nodeVersion}/LICENSE\n`}`,
  ];
  return parts.join(`\n${'='.repeat(80)}\n`);
}

function readIfThere(path) {
  try {
    return [readFileSync(path, 'utf8')];
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

/** What Node finds in itself when it starts. The main script is CommonJS: another kind is refused. */
async function makeBlob(assets) {
  const main = join(work, 'launcher.cjs');
  await build({
    entryPoints: ['scripts/executable/launcher.js'],
    outfile: main,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    logLevel: 'warning',
  });
  const output = join(work, 'blob');
  const config = join(work, 'config.json');
  writeFileSync(
    config,
    JSON.stringify({
      main,
      output,
      assets,
      useSnapshot: false,
      useCodeCache: true,
      disableExperimentalSEAWarning: true,
    }),
  );
  runNode(node, ['--experimental-sea-config', config]);
  return readFileSync(output);
}

/** A signature that does not fit is worse than none: macOS kills such a program. */
async function injectInto(program, resource) {
  const sign = (...words) => process.platform === 'darwin' && execFileSync('codesign', [...words, program]);
  sign('--remove-signature');
  await inject(program, 'NODE_SEA_BLOB', resource, {
    sentinelFuse: 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2',
    machoSegmentName: 'NODE_SEA',
  });
  sign('--sign', '-');
}
