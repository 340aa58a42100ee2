// What the commands cost beside the least that Node costs and beside what a user would run instead, by
// turns in one run: on a noisy machine only the ratios mean anything. Ends with 1 when a limit is exceeded.
//
//   npm run bench                                      all of it, into bench/RESULTS.md; ten minutes
//   npm run bench -- --only expiry --rounds 5          cases whose name has the word, with what they are held against
//   npm run bench -- --nodes 22,24 --pods 100,1000     which Nodes besides this one; lists of which length
//   npm run bench -- --server own                      the tests' API server, also where the real one is built

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { auditCases, auditWords, startUpCases } from './cases.js';
import { countByAudit, countByJsonParse } from './counts.js';
import { clean } from './environment.js';
import { measure } from './measure.js';
import { findNodes } from './nodes.js';
import { writeResults } from './results.js';
import { startServer } from './servers.js';
import { describeCase, judge, renderTable } from './table.js';
import { findTools } from './tools.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    only: { type: 'string', default: '' },
    nodes: { type: 'string', default: '22,24' },
    pods: { type: 'string', default: '100,1000,10000' },
    server: { type: 'string', default: 'real' },
    // What a reader of the results has to know of the machine.
    note: { type: 'string', default: '' },
  },
});
const rounds = Number(values.rounds);
const splitNumbers = (text) => text.split(',').filter(Boolean).map(Number);
const sizes = splitNumbers(values.pods);
const tell = (text) => process.stderr.write(`${text}\n`);

const nodes = findNodes(splitNumbers(values.nodes));
const [{ program }] = nodes;
const folder = mkdtempSync(join(tmpdir(), 'dapr-mtls-bench-'));
const server = await startServer(values.server);
try {
  const loads = [loadavg()[0]];
  const tools = findTools(server.access.kubectl);
  const certs = join(folder, 'certs');
  const words = ['mtls', 'export', '-k', '--kubeconfig', server.access.kubeconfig, '-o', certs];
  execFileSync(program[0], [...program.slice(1), ...words], { env: clean, stdio: ['ignore', 'ignore', 'pipe'] });
  const site = { nodes, tools, access: server.access, certs, folder };

  const rows = [];
  const conclusions = [];
  let isExceeded = false;
  const conclude = (text, isOver) => {
    conclusions.push(text);
    isExceeded ||= isOver;
  };
  const measureAll = async (cases, count) => {
    const chosen = withFloors(cases.filter(({ name }) => name.includes(values.only)));
    const results = await measure(chosen, count);
    for (const one of chosen) {
      const { cells, isOver } = describeCase(one, results);
      rows.push(cells);
      isExceeded ||= isOver;
    }
    return results;
  };

  tell(`${nodes.map(({ label }) => label).join(', ')}; ${server.kind} API server`);
  await measureAll(startUpCases(site), rounds);

  const medians = new Map(nodes.map(({ label }) => [label, []]));
  for (const pods of 'mtls audit'.includes(values.only) ? sizes : []) {
    tell(`making ${pods} pods`);
    await server.fill(pods);
    const isEqual =
      (await countByJsonParse(server.access)) ===
      countByAudit([...program, ...auditWords(server.access, '--format', 'json')]);
    conclude(
      `${pods} pods are counted as JSON.parse of the list counts them: ${isEqual ? 'equal' : 'DIFFERENT'}`,
      !isEqual,
    );
    const isLimited = server.kind === 'real' && pods >= 10_000;
    const results = await measureAll(auditCases(site, pods, isLimited), pods > 1000 ? Math.min(rounds, 9) : rounds);
    for (const [{ by }, { medianMs }] of results) medians.get(by)?.push({ pods, medianMs });
  }
  for (const [label, points] of medians) {
    if (points.length < 2) continue;
    const [fewer, more] = points.slice(-2);
    const { isOver, text } = judge(more.medianMs / fewer.medianMs, more.pods / fewer.pods);
    conclude(
      `${label}: ${more.pods / fewer.pods} x the pods take ${(more.medianMs / fewer.medianMs).toFixed(2)} x the time; ${text}`,
      isOver,
    );
  }

  const table = renderTable(rows);
  process.stdout.write(`\n${[table, '', ...conclusions].join('\n')}\n`);
  loads.push(loadavg()[0]);
  const isWhole = values.only === '';
  if (isWhole)
    writeResults({ table, conclusions, rounds, nodes, tools, server: server.kind, loads, note: values.note });
  process.exitCode = isExceeded ? 1 : 0;
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** What the cases are held against has to run beside them. */
function withFloors(cases) {
  const all = new Set();
  const add = (one) => {
    for (const { of } of one.against) add(of);
    all.add(one);
  };
  cases.forEach(add);
  return [...all];
}
