import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { dayMs, makeBundle } from '../support/bundles.ts';
import { run } from '../support/command-line.ts';
import { runningControlPlane } from '../support/dapr-control-plane.ts';
import { schemaViolations } from '../support/schema.ts';
import { makeFolder } from '../support/workplace.ts';

const folder = makeFolder('several-clusters');
const kubeconfig = join(folder, 'kubeconfig');
const servers: ApiServer[] = [];
let silent: Server;
/** The longest that one request may take. */
const allowedSeconds = 15;

interface Result {
  readonly context: string;
  readonly result: string;
  readonly exitCode: number;
}

/** Sixteen that are well, one that ends soon, one without Dapr, one that refuses, and one that never answers. */
const well = Array.from({ length: 16 }, (_, index) => `well-${String(index).padStart(2, '0')}`);

beforeAll(async () => {
  const [sound, ending] = await Promise.all([
    makeBundle({ at: new Date() }),
    makeBundle({ at: new Date(), rootValidMs: 10 * dayMs, issuerValidMs: 9 * dayMs }),
  ]);
  const start = async (bundle?: typeof sound) => {
    const server = await startApiServer();
    servers.push(server);
    if (bundle) server.store.put(...runningControlPlane({ bundle: bundle.files }));
    return server;
  };
  const [good, soon, empty, forbidden] = [await start(sound), await start(ending), await start(), await start(sound)];
  forbidden.allow('admin', { allow: [] });
  silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  writeKubeconfig([
    ...well.map((name) => [name, good] as const),
    ['soon', soon],
    ['empty', empty],
    ['forbidden', forbidden],
    ['silent', good, `https://127.0.0.1:${port}`],
    ['refusing', good, 'https://127.0.0.1:1'],
  ]);
});
afterAll(async () => {
  silent.close();
  await Promise.all(servers.map((server) => server.stop()));
});

/** One kubeconfig out of those of the servers. */
function writeKubeconfig(contexts: readonly (readonly [string, ApiServer, string?])[]): void {
  const merged = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'soon',
    clusters: [],
    users: [],
    contexts: [],
  } as {
    [part: string]: unknown[] | string;
  };
  for (const [name, server, address] of contexts) {
    const own = parse(readFileSync(server.kubeconfig(), 'utf8'));
    const { cluster } = own.clusters[0];
    (merged.clusters as unknown[]).push({ name, cluster: address ? { ...cluster, server: address } : cluster });
    (merged.users as unknown[]).push({ name, user: own.users[0].user });
    (merged.contexts as unknown[]).push({ name, context: { cluster: name, user: name } });
  }
  writeFileSync(kubeconfig, stringify(merged));
}

const daprMtls = (...words: string[]) =>
  run(['mtls', ...words, '--request-timeout', String(allowedSeconds)], {
    env: { KUBECONFIG: kubeconfig, HOME: folder },
  });

const others = [...well, 'empty', 'forbidden', 'refusing', 'soon'];

/** The silent one takes its time, and is asked by two of the four. */
describe.each([
  ['expiry', ['--all-contexts'], [...others, 'silent']],
  ['status', ['--all-contexts'], [...others, 'silent']],
  ['check', ['--contexts', others.join(',')], others],
  ['audit', ['--contexts', others.join(',')], others],
])('%s', (command, words, contexts) => {
  test('tells of each, the worst first, and waits for none longer than it may take', async () => {
    const began = performance.now();
    const { status, stdout, stderr } = await daprMtls(command, ...words, '--format', 'json');
    const seconds = (performance.now() - began) / 1000;
    expect([status, stderr]).toEqual([3, '']);
    const report = JSON.parse(stdout) as { clusters: Result[] };
    expect(schemaViolations(report)).toEqual([]);
    const failed = report.clusters.filter(({ result }) => result === 'failed');
    const failures = failed.map(({ context, exitCode }) => `${context} ${exitCode}`);
    expect(failures).toEqual([
      'forbidden 3',
      'refusing 3',
      ...(contexts.includes('silent') ? ['silent 3'] : []),
      'empty 5',
    ]);
    expect(report.clusters.slice(0, failed.length)).toEqual(failed);
    expect(report.clusters.map(({ context }) => context).sort()).toEqual([...contexts].sort());
    // One after the other, with its repetitions, the silent one alone would take longer than that.
    expect(seconds).toBeLessThan(6 * allowedSeconds);
  });
});

test('those that were named, once each, in text and with one of them unknown', async () => {
  const { status, stdout } = await daprMtls('expiry', '--contexts', 'soon,well-00,soon,nobody', '--fail-on', 'warning');
  expect(status).toBe(3);
  expect(
    stdout
      .split('\n')
      .slice(1, 4)
      .map((line) => line.split(/ {2,}/).slice(0, 2)),
  ).toEqual([
    ['failed', 'nobody'],
    ['warning', 'soon'],
    ['well', 'well-00'],
  ]);
  expect(stdout).toContain('3 clusters: 1 well, 1 with findings, 1 failed');
  expect(stdout).toMatch(/^nobody: These are there: .*soon/m);
});

test('findings alone make the exit code 10, as they do for one cluster', async () => {
  const words = ['expiry', '--contexts', 'soon,well-00'];
  expect((await daprMtls(...words)).status).toBe(0);
  expect((await daprMtls(...words, '--fail-on', 'warning')).status).toBe(10);
});

test('in the formats of other programs each figure bears its context', async () => {
  const { status, stdout } = await daprMtls('expiry', '--contexts', 'soon,well-00,empty', '--format', 'prometheus');
  expect(status).toBe(5);
  expect(stdout).toMatch(/^dapr_mtls_cluster_read\{context="empty"\} 0$/m);
  expect(stdout).toMatch(/^dapr_mtls_certificate_expiry_timestamp_seconds\{context="soon",role="root",/m);
  const plugin = await daprMtls('audit', '--contexts', 'well-00,empty', '--format', 'nagios');
  expect(plugin).toMatchObject({
    status: 3,
    stdout: expect.stringMatching(/^MTLS AUDIT UNKNOWN - 1 cluster is well/),
  });
});

test.each([
  [['--contexts', 'a', '--context', 'b'], /--context/],
  [['--contexts', ','], /--contexts names none/],
  [['--all-contexts', '--dir', 'certs'], /--dir/],
])('%j is refused', async (words, message) => {
  const { status, stderr } = await daprMtls('expiry', ...words);
  expect([status, stderr]).toEqual([2, expect.stringMatching(message)]);
});

/** Who is told `dapr-mtls renew-certificate -k` of a cluster that is not the current one would renew another. */
describe('what is advised leads to the cluster that it is about', () => {
  const advised = (text: string) =>
    [...text.matchAll(/\bdapr(?:-mtls)? [^`"\n]* -k\b[^`"\n.,]*/g)].map(([command]) => command);

  test.each([
    ['check', ['check', '-k', '--context', 'soon']],
    ['check in JSON', ['check', '-k', '--context', 'soon', '--format', 'json']],
    ['expiry in SARIF', ['expiry', '--context', 'soon', '--format', 'sarif', '--fail-on', 'warning']],
    ['a failure', ['expiry', '--context', 'empty']],
    ['a failure in JSON', ['audit', '--context=empty', '--format', 'json']],
  ])('%s', async (_, words) => {
    const { stdout, stderr } = await daprMtls(...words);
    const commands = advised(stdout + stderr);
    expect(commands).not.toEqual([]);
    for (const command of commands) expect(command).toMatch(/ -k --context (soon|empty)\b/);
  });

  test('of several, each one', async () => {
    const { stdout } = await daprMtls('check', '--contexts', 'soon,well-00,empty', '--format', 'json');
    const { clusters } = JSON.parse(stdout) as { clusters: Result[] };
    for (const cluster of clusters) {
      for (const command of advised(JSON.stringify(cluster)))
        expect(command).toContain(` -k --context ${cluster.context}`);
    }
    expect(advised(stdout)).not.toEqual([]);
  });
});
