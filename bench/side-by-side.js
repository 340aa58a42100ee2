import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Nothing of the machine's environment: NODE_EXTRA_CA_CERTS alone costs 60 ms a start. */
export const environment = { PATH: process.env.PATH, HOME: tmpdir() };

/**
 * Runs every case once a round, so that a slow minute of the machine falls on all of them alike, and
 * prints medians and their ratios to the first case.
 * @param cases each {name, words, limit(major), prepare?}; the first is the floor
 * @returns how many were over their limit
 */
export function measure(node, cases, rounds) {
  const version = spawnSync(node, ['--version'], { encoding: 'utf8', env: environment }).stdout.trim();
  const major = Number(version.slice(1).split('.')[0]);
  const times = cases.map(() => []);
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
  let exceeded = 0;
  const medians = times.map(median);
  console.log(`\nNode ${version}, ${rounds} rounds, medians`);
  cases.forEach(({ name, limit }, index) => {
    const ratio = medians[index] / medians[0];
    const most = limit?.(major);
    const isOver = most !== undefined && ratio > most;
    if (isOver) exceeded += 1;
    const verdict = most === undefined ? '' : `  at most ${most.toFixed(1)}: ${isOver ? 'EXCEEDED' : 'held'}`;
    console.log(
      `${name.padEnd(42)} ${medians[index].toFixed(1).padStart(7)} ms  ${ratio.toFixed(2).padStart(5)} x${verdict}`,
    );
  });
  return exceeded;
}

function median(values) {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** A Node of another major version, as the npm package that carries it. */
export function fetchNode(major) {
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
