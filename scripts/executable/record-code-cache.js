// Run by the very Node that the executable is made of: `record-code-cache.js FOLDER FILE...` compiles the named
// files of the package, runs some commands, so that what they need is compiled, too, and writes V8's code caches.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openPackagedModules } from './packaged-modules.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [folder, ...names] = process.argv.slice(2);
const files = { read: (name) => readFileSync(join(root, name), 'utf8') };
const { load, scripts } = openPackagedModules(files, process.execPath, createRequire(import.meta.url));

const workplace = mkdtempSync(join(tmpdir(), 'dapr-mtls-code-cache-'));
const certs = join(workplace, 'certs');
const commandLines = [
  ['--version'],
  ['--help'],
  ['expiry', '--no-such-flag'],
  ['init', '--dir', certs],
  ['expiry', '--dir', certs],
  ['check', '--dir', certs],
  ['inspect', certs],
  ['renew-certificate', '--dir', certs, '--settle', '0'],
];
const { main } = load('dist/main.cjs');
for (const words of commandLines) await main('dapr-mtls', words, root);
rmSync(workplace, { recursive: true });

for (const name of names) load(name);
for (const [name, script] of scripts) {
  const path = join(folder, `${name}.cache`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, script.createCachedData());
}
process.exitCode = 0;
