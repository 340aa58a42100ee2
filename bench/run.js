// Start-up and work of the commands, side by side with an empty Node in one run: on a noisy machine
// only the ratios mean anything. `npm run bench -- --nodes 22,24` adds other Nodes (from npm, kept
// outside the checkout); `--rounds N` sets how often everything runs (31).
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: { nodes: { type: 'string', default: '' }, rounds: { type: 'string', default: '31' } },
});
const rounds = Number(values.rounds);

/** Nothing of the machine's environment: NODE_EXTRA_CA_CERTS alone costs 60 ms a start. */
const environment = { PATH: process.env.PATH, HOME: tmpdir() };
const folder = mkdtempSync(join(tmpdir(), 'dapr-mtls-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const program = join(root, 'bin', 'dapr-mtls.js');
const certs = join(folder, 'certs');
cpSync(join(root, 'fixtures', 'pki', 'sentry-1.17'), certs, { recursive: true });

/** Most that a median may be of `node -e 0`; by major version where they differ. */
const cases = [
  { name: 'node -e 0', words: ['-e', '0'], limit: () => undefined },
  { name: '--version', words: [program, '--version'], limit: () => 1.5 },
  {
    name: 'mtls expiry --dir',
    words: [program, 'expiry', '--dir', certs],
    limit: (major) => (major >= 22 ? 2.2 : 3.0),
  },
  { name: 'mtls check --dir', words: [program, 'check', '--dir', certs, '--fail-on', 'never'], limit: () => undefined },
  { name: 'mtls inspect DIR', words: [program, 'inspect', certs], limit: () => undefined },
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
for (const node of [process.execPath, ...values.nodes.split(',').filter(Boolean).map(fetchNode)]) measure(node);
process.exitCode = exceeded > 0 ? 1 : 0;

function measure(node) {
  const version = spawnSync(node, ['--version'], { encoding: 'utf8', env: environment }).stdout.trim();
  const major = Number(version.slice(1).split('.')[0]);
  const times = cases.map(() => []);
  // Interleaved, so that a slow minute of the machine falls on all of them alike.
  for (let round = -2; round < rounds; round++) {
    cases.forEach(({ words, prepare }, index) => {
      prepare?.();
      const began = process.hrtime.bigint();
      const { status, stderr } = spawnSync(node, words, { env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
      const ms = Number(process.hrtime.bigint() - began) / 1e6;
      if (status !== 0) throw new Error(`${words.join(' ')} failed: ${stderr}`);
      if (round >= 0) times[index].push(ms);
    });
  }
  const medians = times.map(median);
  console.log(`\nNode ${version}, ${rounds} rounds, medians`);
  cases.forEach(({ name, limit }, index) => {
    const ratio = medians[index] / medians[0];
    const most = limit(major);
    const isOver = most !== undefined && ratio > most;
    if (isOver) exceeded += 1;
    const verdict = most === undefined ? '' : `  at most ${most.toFixed(1)}: ${isOver ? 'EXCEEDED' : 'held'}`;
    console.log(
      `${name.padEnd(42)} ${medians[index].toFixed(1).padStart(7)} ms  ${ratio.toFixed(2).padStart(5)} x${verdict}`,
    );
  });
}

function median(values) {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** A Node of another major version, as the npm package that carries it. */
function fetchNode(major) {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'dapr-mtls', `node-${major}`);
  const binary = join(cache, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(binary)) return binary;
  mkdirSync(cache, { recursive: true });
  writeFileSync(join(cache, 'package.json'), '{"private":true}\n');
  const { status } = spawnSync(
    'npm',
    ['install', '--no-audit', '--no-fund', `node-${process.platform}-${process.arch}@${major}`],
    { cwd: cache, stdio: 'inherit' },
  );
  if (status !== 0) throw new Error(`Node ${major} could not be installed`);
  return binary;
}
