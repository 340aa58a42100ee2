// A rotation of a cluster with 500 Deployments of ten injected pods each, on a real control plane with
// simulated nodes: how long it takes, its peak memory, and what it asks the API server, counted in the
// server's own audit log. `node bench/rotation.js`, after a build; `--deployments 20 --replicas 2` for a
// look. It needs Go (or KUBEBUILDER_ASSETS), Linux for the memory of a process, and ten minutes.
import { spawn } from 'node:child_process';
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { bundleTypescript } from './bundle-typescript.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    deployments: { type: 'string', default: '500' },
    replicas: { type: 'string', default: '10' },
    parallel: { type: 'string', default: '8' },
  },
});
const deployments = Number(values.deployments);
const replicas = Number(values.replicas);
const namespaceCount = Math.min(10, deployments);
const memoryLimitMb = 250;
const hourMs = 3_600_000;

const harness = await loadHarness();
const reason = await harness.whyNoCluster();
if (reason) {
  console.log(reason);
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), 'dapr-mtls-bench-'));
let cluster;
// The cluster's programs are no reason for this process to go on living, not even while they are stopped.
const alive = setInterval(() => {}, 1000);
try {
  const { flags, auditLog } = layAuditPolicy();
  cluster = await harness.startCluster({ apiServerFlags: flags, nodes: 10 });
  await install();
  await measure(auditLog);
} finally {
  await cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
  clearInterval(alive);
}

/** The tests' own parts, which are TypeScript. */
async function loadHarness() {
  const contents = `
    export { whyNoCluster } from './test/cluster/build-programs.ts';
    export { startCluster } from './test/cluster/start-cluster.ts';
    export { installDapr } from './test/cluster/dapr.ts';
    export { layAsSentry } from './test/cluster/control-plane-pods.ts';
    export { deployApps } from './test/cluster/apps.ts';
    export { makeBundle } from './test/support/bundles.ts';`;
  return import(pathToFileURL(await bundleTypescript('rotation-harness', { contents })).href);
}

/** One line for each request of the admin's, who is also whom the program runs as; all in one file. */
function layAuditPolicy() {
  const policy = join(folder, 'audit-policy.json');
  const auditLog = join(folder, 'audit.log');
  const rules = [
    { level: 'Metadata', users: ['admin'], omitStages: ['RequestReceived', 'ResponseStarted'] },
    { level: 'None' },
  ];
  writeFileSync(policy, JSON.stringify({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules }));
  return {
    auditLog,
    flags: [`--audit-policy-file=${policy}`, `--audit-log-path=${auditLog}`, '--audit-log-maxsize=4096'],
  };
}

async function install() {
  const { files } = await harness.makeBundle({ at: new Date() });
  await harness.installDapr(cluster, { version: '1.17.13', bundle: files });
  await harness.layAsSentry(cluster, files);
  const began = Date.now();
  let pods = 0;
  for (let index = 0; index < namespaceCount; index++) {
    pods += await harness.deployApps(cluster, {
      namespaces: [`town-${index + 1}`],
      deployments: Math.round(deployments / namespaceCount),
      replicas,
      patience: { timeoutMs: hourMs },
    });
  }
  console.log(`${pods} pods made in ${seconds(Date.now() - began)} s`);
}

async function measure(auditLog) {
  const words = ['rotate', 'run', '-k', '--wait', '--max-parallel', values.parallel, '--timeout', '3600'];
  const { ms, peakMb, cpuSeconds, errors } = await runToEnd([join(root, 'bin', 'dapr-mtls.js'), ...words]);
  const requests = [];
  for await (const line of createInterface({ input: createReadStream(auditLog) })) {
    if (line.includes('"userAgent":"dapr-mtls')) requests.push(JSON.parse(line));
  }
  const tally = new Map();
  for (const { verb, objectRef, requestURI } of requests) {
    const what = objectRef ? `${verb} ${objectRef.resource}` : `${verb} ${requestURI}`;
    tally.set(what, (tally.get(what) ?? 0) + 1);
  }
  console.log(
    errors
      .split('\n')
      .filter((line) => / passed|^ {2}\d+ /.test(line))
      .join('\n'),
  );
  console.log(`${seconds(ms)} s, ${Math.round(peakMb)} MB at most, ${cpuSeconds.toFixed(1)} s of a processor`);
  console.log(`${requests.length} requests, ${(requests.length / deployments).toFixed(1)} for each Deployment:`);
  for (const [what, count] of [...tally].sort(([, a], [, b]) => b - a))
    console.log(`${String(count).padStart(8)}  ${what}`);
  const isHeld = peakMb < memoryLimitMb;
  console.log(`under ${memoryLimitMb} MB: ${isHeld ? 'held' : 'EXCEEDED'}`);
  process.exitCode = isHeld ? 0 : 1;
}

/** As people do: who is stopped by a workload that does not come back types the same line again. */
async function runToEnd(args) {
  const total = { ms: 0, peakMb: 0, cpuSeconds: 0, errors: '' };
  for (let attempt = 1; attempt <= 5; attempt++) {
    const { code, ms, peakMb, cpuSeconds, errors } = await run(args);
    total.ms += ms;
    total.peakMb = Math.max(total.peakMb, peakMb);
    total.cpuSeconds += cpuSeconds;
    total.errors += errors;
    if (code === 0) return total;
    const [why = errors.slice(-2000)] = /^Error: .*/m.exec(errors) ?? [];
    console.log(`stopped with exit code ${code} after ${seconds(ms)} s: ${why}`);
  }
  throw new Error('it was stopped too often');
}

/** Time, peak memory and processor time of a process, which Linux tells as long as it lives. */
async function run(args) {
  const began = Date.now();
  const env = { PATH: process.env.PATH, HOME: folder, KUBECONFIG: cluster.kubeconfig };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let [peakMb, cpuSeconds] = [0, 0];
  const poll = setInterval(() => {
    try {
      const [, kb] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
      peakMb = Math.max(peakMb, Number(kb ?? 0) / 1024);
      // Behind the name in brackets: utime and stime, in hundredths of a second.
      const [, stat = ''] = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ');
      const [user, system] = stat.split(' ').slice(11, 13).map(Number);
      cpuSeconds = Math.max(cpuSeconds, (user + system) / 100);
    } catch {
      // It has just ended.
    }
  }, 100);
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(poll);
  return { code, ms: Date.now() - began, peakMb, cpuSeconds, errors };
}

function seconds(ms) {
  return Math.round(ms / 1000);
}
