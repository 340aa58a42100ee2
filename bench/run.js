// Start-up and work of the commands, side by side with an empty Node in one run: on a noisy machine
// only the ratios mean anything. `npm run bench -- --nodes 22,24` adds other Nodes (from npm, kept
// outside the checkout); `--rounds N` sets how often everything runs (31).
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fetchNode, measure } from './side-by-side.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: { nodes: { type: 'string', default: '' }, rounds: { type: 'string', default: '31' } },
});
const rounds = Number(values.rounds);

const folder = mkdtempSync(join(tmpdir(), 'dapr-mtls-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const program = join(root, 'bin', 'dapr-mtls.js');
const certs = join(folder, 'certs');
cpSync(join(root, 'fixtures', 'pki', 'sentry-1.17'), certs, { recursive: true });

/** Most that a median may be of `node -e 0`; by major version where they differ. */
const cases = [
  { name: 'node -e 0', words: ['-e', '0'] },
  { name: '--version', words: [program, '--version'], limit: () => 1.5 },
  {
    name: 'mtls expiry --dir',
    words: [program, 'expiry', '--dir', certs],
    limit: (major) => (major >= 22 ? 2.2 : 3.0),
  },
  { name: 'mtls check --dir', words: [program, 'check', '--dir', certs, '--fail-on', 'never'] },
  { name: 'mtls inspect DIR', words: [program, 'inspect', certs] },
  {
    name: 'mtls renew-certificate --dir --settle 0',
    words: [program, 'renew-certificate', '--dir', join(folder, 'renewed'), '--settle', '0'],
    prepare: () => {
      for (const name of ['renewed', 'renewed.mtls']) rmSync(join(folder, name), { recursive: true, force: true });
      cpSync(certs, join(folder, 'renewed'), { recursive: true });
    },
    limit: () => 8,
  },
];

let exceeded = 0;
for (const node of [process.execPath, ...values.nodes.split(',').filter(Boolean).map(fetchNode)]) {
  exceeded += measure(node, cases, rounds);
}
process.exitCode = exceeded > 0 ? 1 : 0;
