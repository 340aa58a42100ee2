// What a command in a cluster costs beside a bare node:https script that makes the same GET with the
// same client certificate, in one run. `node bench/cluster.js --nodes 22 --rounds 31`, after a build.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { fetchNode, measure } from './side-by-side.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: { nodes: { type: 'string', default: '' }, rounds: { type: 'string', default: '31' } },
});

const outfile = join(root, 'node_modules/.cache/dapr-mtls-bench/cluster-server.mjs');
await build({
  entryPoints: [join(root, 'bench/cluster-server.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  define: { 'import.meta.url': JSON.stringify(new URL('../test/support/fixtures.ts', import.meta.url).href) },
  logLevel: 'warning',
});
const server = spawn(process.execPath, [outfile], { stdio: ['ignore', 'pipe', 'inherit'] });
process.on('exit', () => server.kill());
const [line] = await once(createInterface({ input: server.stdout }), 'line');
const { url, kubeconfig, ca, cert, key, folder } = JSON.parse(line);

const program = join(root, 'bin', 'dapr-mtls.js');
const floor = join(root, 'bench', 'floor-https.mjs');
const path = '/api/v1/namespaces/dapr-system/secrets/dapr-trust-bundle';
const cluster = ['--kubeconfig', kubeconfig];
const limit = (node20, node22) => (major) => (major >= 22 ? node22 : node20);
const cases = [
  { name: 'node:https, one GET', words: [floor, url, ca, cert, key, path] },
  { name: 'node -e 0', words: ['-e', '0'] },
  { name: 'mtls expiry -k', words: [program, 'expiry', ...cluster], limit: limit(2.0, 1.6) },
  { name: 'mtls -k', words: [program, 'mtls', '-k', ...cluster] },
  { name: 'status -k', words: [program, 'status', '-k', ...cluster], limit: limit(2.2, 1.8) },
  { name: 'mtls check -k', words: [program, 'check', '-k', ...cluster, '--fail-on', 'never'] },
];

let exceeded = 0;
for (const node of [process.execPath, ...values.nodes.split(',').filter(Boolean).map(fetchNode)]) {
  exceeded += measure(node, cases, Number(values.rounds));
}
rmSync(folder, { recursive: true, force: true });
process.exitCode = exceeded > 0 ? 1 : 0;
