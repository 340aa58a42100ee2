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
const allowedSeconds = 8;

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

describe('every context', () => {
  // Each waits for the one that is silent, and does little else.
  test.concurrent.each(['expiry', 'check', 'audit', 'status'])(
    '%s tells of each, the worst first, and waits for none longer than it may take',
    async (command) => {
      const began = performance.now();
      const { status, stdout, stderr } = await daprMtls(command, '--all-contexts', '--format', 'json');
      const seconds = (performance.now() - began) / 1000;
      expect([status, stderr]).toEqual([3, '']);
      const report = JSON.parse(stdout);
      expect(schemaViolations(report)).toEqual([]);
      const results = report.clusters.map(({ context, result, exitCode }: Record<string, unknown>) => [
        context,
        result,
        exitCode,
      ]);
      expect(results.slice(0, 4)).toEqual([
        ['forbidden', 'failed', 3],
        ['refusing', 'failed', 3],
        ['silent', 'failed', 3],
        ['empty', 'failed', 5],
      ]);
      expect(results.map(([context]: string[]) => context).sort()).toEqual(
        [...well, 'empty', 'forbidden', 'refusing', 'silent', 'soon'].sort(),
      );
      const goods = report.clusters.filter(({ context }: { context: string }) => well.includes(context));
      expect(
        goods.every(({ error, report: own }: { error: unknown; report: { kind: string } }) => !error && own.kind),
      ).toBe(true);
      // One after the other they would take the time of all those who do not answer, several times over.
      expect(seconds).toBeLessThan(6 * allowedSeconds);
    },
  );
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
    status: 2,
    stdout: expect.stringMatching(/^MTLS AUDIT CRITICAL - 1 clusters are well/),
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
