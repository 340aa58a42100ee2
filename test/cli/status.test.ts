import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { run } from '../support/command-line.ts';
import { type ControlPlaneOptions, runningControlPlane } from '../support/dapr-control-plane.ts';
import { readForeignBundle } from '../support/fixtures.ts';
import { schemaViolations } from '../support/schema.ts';
import { makeFolder } from '../support/workplace.ts';

const bundle = readForeignBundle('sentry-1.17');
const parent = makeFolder('status');
let server: ApiServer;
let kubeconfig: string;

beforeEach(async () => {
  server = await startApiServer();
  kubeconfig = server.kubeconfig();
});
afterEach(() => server.stop());

const install = (wishes: ControlPlaneOptions = {}, rollout: Parameters<typeof runningControlPlane>[1] = {}) =>
  server.store.put(...runningControlPlane({ bundle, ...wishes }, rollout));

/** A line of Dapr's documentation, as people type it behind `dapr`. */
const dapr = (line: string) =>
  run(line.split(' '), { program: 'dapr', env: { KUBECONFIG: kubeconfig, TZ: 'UTC' }, cwd: parent });

const rowsOf = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd().split(/ {2,}/));

describe('dapr status -k', () => {
  test.each<[string, ControlPlaneOptions, string, string[]]>([
    ['1.9.6', { version: '1.9.6' }, '1.9.6', ['1', '1', '1', '1', '1']],
    ['1.11.6 in another namespace', { version: '1.11.6', namespace: 'mesh' }, '1.11.6', ['1', '1', '1', '1', '1']],
    ['1.17.13, highly available', { version: '1.17.13', ha: true }, '1.17.13', ['3', '3', '3', '3', '3']],
    [
      'a mariner from a registry with a port, named by digest, too',
      {
        version: '1.18.3',
        variant: 'mariner',
        registry: 'registry.example:5000/dapr',
        digest: `sha256:${'0a'.repeat(32)}`,
      },
      '1.18.3-mariner',
      ['1', '1', '1', '1', '3'],
    ],
    [
      '1.17.13 behind a mesh',
      { extraContainer: { name: 'istio-proxy', image: 'docker.io/istio/proxyv2:1.24.1' } },
      '1.17.13',
      ['1', '1', '1', '1', '3'],
    ],
  ])('shows %s', async (_, wishes, version, replicas) => {
    install(wishes);
    const { status, stdout } = await dapr('status -k');
    expect(status).toBe(0);
    const [header, ...rows] = rowsOf(stdout);
    expect(header).toEqual(['NAME', 'NAMESPACE', 'HEALTHY', 'STATUS', 'REPLICAS', 'VERSION', 'AGE', 'CREATED']);
    const own = rows.filter(([name]) => name !== 'dapr-dashboard');
    const shown = own.map(([name, ...cells]) => [name, ...cells.slice(0, 5)]);
    expect(shown).toEqual(
      own.map(([name], index) => [
        name,
        wishes.namespace ?? 'dapr-system',
        'True',
        'Running',
        replicas[index] ?? '',
        version,
      ]),
    );
    expect(rows[0]?.slice(0, 1)).toEqual(['dapr-sentry']);
    expect(rows.map((row) => row.at(-1))).toEqual(rows.map(() => '2026-11-22 00:54.55'));
  });

  test('tells who is sick, and fails only where it is asked to', async () => {
    install({ ha: true }, { ready: { 'dapr-operator': 1 }, waitingReason: 'CrashLoopBackOff' });
    const { status, stdout, stderr } = await dapr('status -k');
    expect(status).toBe(0);
    expect(rowsOf(stdout).find(([name]) => name === 'dapr-operator')).toEqual(
      expect.arrayContaining(['False', 'Waiting (CrashLoopBackOff)']),
    );
    expect(stderr).toContain('dapr-operator: 1 of 3 pods of the current revision are ready');
    expect((await dapr('status -k --fail-on error')).status).toBe(10);
  });

  test('warns on standard error, and keeps standard output for the document', async () => {
    install();
    const { status, stdout, stderr } = await dapr('status -k --quiet --at 2027-11-20 --format json');
    expect(status).toBe(0);
    expect(schemaViolations(JSON.parse(stdout))).toEqual([]);
    expect(stderr).toMatch(/^⚠ {2}Dapr root certificate of your Kubernetes cluster expires in 2 days\. Expiry date: /);
  });

  test('works without the right to the Secret', async () => {
    install();
    server.allow('admin', { allow: 'all', deny: [{ verb: 'get', resource: 'secrets' }] });
    const { status, stdout, stderr } = await dapr('status -k');
    expect({ status, rows: rowsOf(stdout).length }).toEqual({ status: 0, rows: 6 });
    expect(stderr).toContain('expiry of the issuer not checked: Sentry cannot be reached from here');
  });

  test('fails clearly where Dapr is not', async () => {
    const { status, stdout, stderr } = await dapr('status -k --format json');
    expect(status).toBe(5);
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'Error', code: 'dapr.missing' });
    expect(stderr).toContain('No status returned. Is Dapr initialized in your cluster?');
  });
});

describe('dapr mtls -k', () => {
  test.each([
    [true, 'Mutual TLS is enabled in your Kubernetes cluster \n'],
    [false, 'Mutual TLS is disabled in your Kubernetes cluster \n'],
  ])('says whether it is enabled: %s', async (mtlsEnabled, sentence) => {
    install({ mtlsEnabled });
    for (const line of ['mtls -k', 'mtls --kubernetes=true']) {
      expect(await dapr(line)).toMatchObject({ status: 0, stdout: sentence });
    }
  });

  test('goes by dapr-mtls -k, too, and has a document', async () => {
    install();
    const words = ['-k', '--format', 'json', '--kubeconfig', kubeconfig];
    const { status, stdout } = await run(words, { program: 'dapr-mtls' });
    expect(status).toBe(0);
    expect(schemaViolations(JSON.parse(stdout))).toEqual([]);
  });

  test('fails clearly where Dapr is not', async () => {
    const { status, stderr } = await dapr('mtls -k');
    expect(status).toBe(5);
    expect(stderr).toContain('error checking mTLS: system configuration not found');
  });

  test.each(['mtls', 'status', 'mtls status', 'mtls -k=false'])('needs -k: dapr %s', async (line) => {
    const { status, stderr } = await dapr(line);
    expect(status).toBe(2);
    expect(stderr).toContain('required flag(s) "kubernetes" not set');
  });
});

test('dapr mtls export warns as well', async () => {
  const made = join(parent, 'soon');
  await run(['init', '--dir', made, '--valid-until', '20d', '--settle', '0']);
  const read = (name: string) => readFileSync(join(made, name));
  install({ bundle: { anchors: read('ca.crt'), issuerChain: read('issuer.crt'), issuerKey: read('issuer.key') } });
  const { status, stdout, stderr } = await dapr('mtls export -o exported');
  expect(status).toBe(0);
  expect(stdout).toContain('Trust certs successfully exported to');
  expect(stderr).toMatch(/^⚠ {2}Dapr root certificate of your Kubernetes cluster expires in 19 days\./m);
});
