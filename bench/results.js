import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Writes bench/RESULTS.md: where and of what it was measured, and the table. Names no host and no path. */
export function writeResults({ table, conclusions, rounds, nodes, tools, server, loads, note }) {
  const versions = [
    ...nodes.map(({ label }) => label),
    ...Object.entries(tools).map(([name, { version }]) => `${name} ${version}`),
  ];
  const text = `# Results

Written by \`npm run bench\`. Everything runs once a round, by turns, on one machine; medians. Of a noisy machine only the ratios tell
something. A number in brackets is how often something ran that takes too long for every round.

- Machine: ${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB of memory, ${process.platform} ${process.arch}; load ${loads.map((load) => load.toFixed(1)).join(' before, ')} after.${note ? ` ${note}` : ''}
- Commit: ${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', 'src', 'bin', 'scripts') ? ', and what is not committed yet' : ''}; ${new Date().toISOString().slice(0, 10)}; ${rounds} rounds.
- Versions: ${versions.join(', ')}.
- API server, on loopback: ${server === 'real' ? 'kube-apiserver and etcd, with nothing else in the cluster. `curl` speaks HTTP/1.1, which is the quicker one here' : "the tests' own; limits of the audit are for the real one"}.

${table}

${conclusions.map((line) => `- ${line}`).join('\n')}
`;
  writeFileSync(fileURLToPath(new URL('RESULTS.md', import.meta.url)), text);
}

function git(...words) {
  return execFileSync('git', words, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, GIT_OPTIONAL_LOCKS: '0' },
  }).trim();
}
