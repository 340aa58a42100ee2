import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const inRoot = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/**
 * What runs the program: the Node that runs this, others by their major versions, and the single executable
 * where it is built. `{label, path, major, program}` of each: the Node, and the words that the program begins with.
 */
export function findNodes(majors) {
  const own = describe(process.execPath);
  const others = majors.map(fetchNode).map(describe);
  const executable = inRoot(`dist-executable/dapr-mtls${process.platform === 'win32' ? '.exe' : ''}`);
  return [
    own,
    ...others.filter(({ label }) => label !== own.label),
    ...(existsSync(executable) ? [{ ...own, label: `executable of ${own.label}`, program: [executable] }] : []),
  ];
}

function describe(path) {
  const version = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.trim().slice(1);
  return {
    label: `Node ${version}`,
    path,
    major: Number(version.split('.')[0]),
    program: [path, inRoot('bin/dapr-mtls.js')],
  };
}

/** A Node of another major version, as the npm package that carries it, kept outside the checkout. */
function fetchNode(major) {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'dapr-mtls', `node-${major}`);
  const name = `node-${process.platform}-${process.arch}`;
  const binary = join(cache, 'node_modules', name, 'bin', 'node');
  if (existsSync(binary)) return binary;
  mkdirSync(cache, { recursive: true });
  writeFileSync(join(cache, 'package.json'), '{"private":true}\n');
  const words = ['install', '--no-audit', '--no-fund', `${name}@${major}`];
  const { status } = spawnSync('npm', words, { cwd: cache, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`Node ${major} could not be installed`);
  return binary;
}
