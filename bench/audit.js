// `mtls audit` of 10,000 injected pods on a real kube-apiserver, side by side with
// `kubectl get pods -A -o json` in one run: time, peak memory, and whether the counts are those that
// JSON.parse of the whole list gives. `node bench/audit.js --pods 10000 --rounds 3`; it needs Go
// (or KUBEBUILDER_ASSETS) for etcd and kube-apiserver, and Linux for the memory of a process.
import { spawn } from 'node:child_process';
import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: { pods: { type: 'string', default: '10000' }, rounds: { type: 'string', default: '3' } },
});
const count = Number(values.pods);
const rounds = Number(values.rounds);
const timeLimit = 0.1;
const memoryLimitMb = 150;

const harness = await loadHarness();
const reason = await harness.whyNoCluster();
if (reason) {
  console.log(reason);
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), 'dapr-mtls-bench-'));
const guard = harness.startGuard(folder);
const services = [];
try {
  const { admin, kubeconfig, kubectl } = await startServers();
  await makePods(admin);
  await measure(admin, kubeconfig, kubectl);
} finally {
  for (const service of services.reverse()) await service.stop();
  guard.dismiss();
  rmSync(folder, { recursive: true, force: true });
}

/** The tests' own parts, which are TypeScript. */
async function loadHarness() {
  const outfile = join(root, 'node_modules/.cache/dapr-mtls-bench/harness.js');
  const here = pathToFileURL(join(root, 'test/cluster/harness.ts')).href;
  await build({
    stdin: {
      contents: `
        export { buildPrograms, whyNoCluster } from './test/cluster/build-programs.ts';
        export { makeAuthority } from './test/cluster/authority.ts';
        export { openAdmin } from './test/cluster/admin.ts';
        export { startGuard } from './test/cluster/guard.ts';
        export { startService } from './test/cluster/service.ts';
        export { writeKubeconfig } from './test/cluster/kubeconfig.ts';
        export { controlPlaneObjects } from './test/support/dapr-control-plane.ts';
        export { injectedPods } from './test/support/dapr/injected-pods.ts';`,
      resolveDir: root,
      loader: 'ts',
    },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    define: { 'import.meta.url': JSON.stringify(here) },
    logLevel: 'warning',
  });
  return import(pathToFileURL(outfile).href);
}

/** etcd and kube-apiserver alone: controllers would remove pods whose ReplicaSets are made up. */
async function startServers() {
  const programs = await harness.buildPrograms();
  const authority = harness.makeAuthority();
  const identity = authority.issueClient('admin', ['system:masters']);
  const serving = authority.issueServer('127.0.0.1');
  const accounts = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const file = (name, content) => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const accountKey = file('accounts.key', accounts.export({ type: 'pkcs8', format: 'pem' }));
  // Below the ports that are handed out to clients, and not where a cluster usually listens.
  const [etcdPort, peerPort, port] = [0, 1, 2].map((offset) => 21_000 + (process.pid % 3000) * 3 + offset);
  const server = `https://127.0.0.1:${port}`;
  const kubeconfig = join(folder, 'kubeconfig');
  const caCertificate = authority.certificate;
  harness.writeKubeconfig(kubeconfig, { server, caCertificate, user: 'admin', credentials: identity });
  const start = (name, args) => services.push(harness.startService(name, programs[name], args, { folder, guard }));
  start('etcd', [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=http://127.0.0.1:${etcdPort}`,
    `--advertise-client-urls=http://127.0.0.1:${etcdPort}`,
    `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${peerPort}`,
    `--initial-cluster=default=http://127.0.0.1:${peerPort}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ]);
  start('kube-apiserver', [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${folder}`,
    `--tls-cert-file=${file('server.crt', serving.certificate)}`,
    `--tls-private-key-file=${file('server.key', serving.key)}`,
    `--client-ca-file=${file('ca.crt', caCertificate)}`,
    `--service-account-key-file=${accountKey}`,
    `--service-account-signing-key-file=${accountKey}`,
    `--service-account-issuer=${server}`,
    '--service-cluster-ip-range=10.0.0.0/16',
    '--authorization-mode=RBAC',
    '--disable-admission-plugins=ServiceAccount',
  ]);
  const admin = harness.openAdmin({ server, caCertificate, identity, kubeconfig, kubectl: programs.kubectl, folder });
  for (let ready = false; !ready; await sleep(200)) {
    ready = await admin.request('GET', '/readyz').then(
      ({ status }) => status === 200,
      () => false,
    );
  }
  return { admin, kubeconfig, kubectl: programs.kubectl };
}

/** Five generations of anchors over 50 namespaces, as twenty pods a Deployment. */
async function makePods(admin) {
  const began = Date.now();
  const bundles = ['sentry-1.17', 'sentry-1.11', 'sentry-1.18', 'step', 'openssl-docs'].map((name) =>
    Object.fromEntries(
      Object.entries({ anchors: 'ca.crt', issuerChain: 'issuer.crt', issuerKey: 'issuer.key' }).map(([part, file]) => [
        part,
        readFileSync(join(root, 'fixtures/pki', name, file), 'utf8'),
      ]),
    ),
  );
  const namespaces = Array.from({ length: 50 }, (_, index) => `team-${index}`);
  const make = async (path, object) => {
    const { status, body } = await admin.request('POST', path, object);
    if (status !== 201) throw new Error(`${path}: ${status} ${body.message}`);
    return body;
  };
  for (const name of ['dapr-system', ...namespaces])
    await make('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  for (const object of harness.controlPlaneObjects({ version: '1.17.13', bundle: bundles[0] })) {
    const paths = { Secret: 'api/v1', ConfigMap: 'api/v1', Deployment: 'apis/apps/v1' };
    const path = paths[object.kind];
    if (path) await make(`/${path}/namespaces/dapr-system/${object.kind.toLowerCase()}s`, object);
  }
  const anchors = bundles.map((bundle) => bundle.anchors);
  const pods = harness.injectedPods({ count, anchors, namespaces });
  const queue = pods.values();
  const work = async () => {
    for (const { status, ...bare } of queue) {
      const pod = furnish(bare);
      const path = `/api/v1/namespaces/${pod.metadata.namespace}/pods`;
      await make(path, pod);
      const patched = await admin.request(
        'PATCH',
        `${path}/${pod.metadata.name}/status`,
        { status },
        'application/strategic-merge-patch+json',
      );
      if (patched.status !== 200) throw new Error(`${path}: ${patched.status} ${patched.body.message}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
  console.log(`${pods.length} pods made in ${Math.round((Date.now() - began) / 1000)} s`);
}

/** Settings of an application, until the pod is as large as real ones were seen to be: 12.8 KB. */
function furnish({ spec, ...pod }) {
  const env = Array.from({ length: 33 }, (_, index) => ({
    name: `CHECKOUT_SETTING_${index}`,
    value: `value-${index}`,
  }));
  const containers = spec.containers.map((container) =>
    container.name === 'daprd' ? container : { ...container, env: [...(container.env ?? []), ...env] },
  );
  return { ...pod, spec: { ...spec, containers } };
}

async function measure(admin, kubeconfig, kubectl) {
  const expected = await countByJsonParse(admin);
  console.log(`${expected.pods} pods of ${(expected.bytes / expected.pods / 1000).toFixed(1)} KB`);
  const words = ['audit', '-k', '--kubeconfig', kubeconfig, '--fail-on', 'never'];
  const document = await run(process.execPath, [join(root, 'bin/dapr-mtls.js'), ...words, '--format', 'json']);
  const counted = countOf(JSON.parse(document.output));
  const isEqual = JSON.stringify(counted) === JSON.stringify(expected.tally);
  console.log(`counts as JSON.parse of the whole list has them: ${isEqual ? 'equal' : 'DIFFERENT'}`);

  const rivals = [
    { name: 'dapr-mtls audit -k', program: process.execPath, args: [join(root, 'bin/dapr-mtls.js'), ...words] },
    {
      name: 'dapr-mtls audit -k --format json',
      program: process.execPath,
      args: [join(root, 'bin/dapr-mtls.js'), ...words, '--format', 'json'],
    },
    {
      name: 'kubectl get pods -A -o json',
      program: kubectl,
      args: ['--kubeconfig', kubeconfig, 'get', 'pods', '-A', '-o', 'json'],
    },
  ];
  const results = rivals.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, { program, args }] of rivals.entries()) results[index].push(await run(program, args));
  }
  const seconds = results.map((runs) => median(runs.map((one) => one.ms)) / 1000);
  const cpu = results.map((runs) => median(runs.map((one) => one.cpuSeconds)));
  const memory = results.map((runs) => Math.max(...runs.map((one) => one.peakMb)));
  rivals.forEach(({ name }, index) => {
    const ratio = (seconds[index] / seconds.at(-1)).toFixed(3);
    const columns = [
      `${seconds[index].toFixed(2)} s`,
      `${ratio} x`,
      `${cpu[index].toFixed(1)} s CPU`,
      `${memory[index].toFixed(0)} MB`,
    ];
    console.log(`${name.padEnd(32)} ${columns.map((column) => column.padStart(11)).join('')}`);
  });
  const isHeld = isEqual && seconds[0] / seconds.at(-1) <= timeLimit && memory[0] <= memoryLimitMb;
  console.log(`at most ${timeLimit} x and ${memoryLimitMb} MB, the same counts: ${isHeld ? 'held' : 'EXCEEDED'}`);
  process.exitCode = isHeld ? 0 : 1;
}

/** The reference: the whole list in one string, every pod an object. */
async function countByJsonParse(admin) {
  const { body } = await admin.request('GET', '/api/v1/pods');
  const tally = new Map();
  for (const { spec } of body.items) {
    const { env } = spec.containers.find(({ name }) => name === 'daprd');
    const anchors = env.find(({ name }) => name === 'DAPR_TRUST_ANCHORS').value;
    const prints = anchors
      .match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
      .map((pem) => createHash('sha256').update(new X509Certificate(pem).raw).digest('hex'));
    tally.set(prints.join(' '), (tally.get(prints.join(' ')) ?? 0) + 1);
  }
  return { pods: body.items.length, bytes: JSON.stringify(body).length, tally: [...tally].sort() };
}

function countOf({ anchorSets }) {
  return anchorSets.map(({ anchors, sidecars }) => [anchors.join(' '), sidecars]).sort();
}

/** Time, output, peak memory and processor time of a process, which Linux tells as long as it lives. */
async function run(program, args) {
  const began = process.hrtime.bigint();
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH, HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
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
  }, 10);
  const keep = args.includes('json') && program === process.execPath;
  const chunks = [];
  let errors = '';
  child.stdout.on('data', (chunk) => keep && chunks.push(chunk));
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  const ms = Number(process.hrtime.bigint() - began) / 1e6;
  clearInterval(poll);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${errors}`);
  return { ms, peakMb, cpuSeconds, output: Buffer.concat(chunks).toString() };
}

function median(list) {
  return list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
}
