import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import type { Grant } from '../support/api-server/access.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { dayMs, makeBundle } from '../support/bundles.ts';
import { run } from '../support/command-line.ts';
import { injectedWorkload } from '../support/dapr/injected-pods.ts';
import { controlPlaneObjects, runningControlPlane } from '../support/dapr-control-plane.ts';
import { schemaViolations } from '../support/schema.ts';
import { type SentryServer, startSentryServer } from '../support/sentry-server.ts';

const namespace = 'dapr-system';
const get = (resource: string, name: string): Grant => ({
  namespace,
  verbs: ['get'],
  apiGroups: [''],
  resources: [resource],
  resourceNames: [name],
});
const configMapAlone = get('configmaps', 'dapr-trust-bundle');

const withoutSecrets = () => server.allow('admin', { allow: 'all', deny: [{ verb: 'get', resource: 'secrets' }] });

let server: ApiServer;
let sentry: SentryServer;
let files: BundleFiles;

beforeEach(async () => {
  files = (await makeBundle({ at: new Date(), issuerValidMs: 100 * dayMs })).files;
  server = await startApiServer();
  server.store.put(...runningControlPlane({ bundle: files }));
  server.allow('admin', { allow: [configMapAlone] });
  sentry = await startSentryServer(files);
});
afterEach(async () => {
  await sentry.stop();
  await server.stop();
});

const mtls = (line: string) =>
  run(line.split(' '), { program: 'dapr-mtls', env: { KUBECONFIG: server.kubeconfig(), TZ: 'UTC' } });
const viaSentry = (line: string) => mtls(`${line} --sentry-address ${sentry.address}`);

/** The new root beside the old one, as in the middle of a rotation. */
async function publishTwoAnchors(): Promise<void> {
  const other = (await makeBundle({ at: new Date() })).files;
  const both = { ...files, anchors: Buffer.concat([other.anchors, files.anchors]) };
  server.store.put(...controlPlaneObjects({ bundle: both }));
}

describe('expiry without the right to the Secret', () => {
  test('says the same from ConfigMap and Sentry', async () => {
    const told = await viaSentry('expiry --format json --fail-on error');
    expect(told.status, told.stderr).toBe(0);
    const report = JSON.parse(told.stdout);
    expect(schemaViolations(report)).toEqual([]);
    expect(report).toMatchObject({
      store: { kind: 'cluster', source: 'public' },
      root: { role: 'root', file: 'ca.crt' },
      issuer: { role: 'issuer', file: "Sentry's TLS" },
      unread: [{ part: 'issuer key' }],
    });
    expect(told.stderr).toContain('issuer key: not checked');
    server.allow('admin', { allow: 'all' });
    const whole = JSON.parse((await mtls('expiry --format json')).stdout);
    expect(whole.store.source).toBe('secret');
    const ends = ({ root, issuer }: { root: { fingerprint: string }; issuer: { fingerprint: string } }) => [
      root.fingerprint,
      issuer.fingerprint,
    ];
    expect(ends(report)).toEqual(ends(whole));
    expect(whole).not.toHaveProperty('unread');
  });

  test('judges the issuer as well as the root', async () => {
    expect((await viaSentry('expiry --fail-on warning --warn-before 200d')).status).toBe(10);
  });

  test('finds the root among several anchors', async () => {
    await publishTwoAnchors();
    const { root, certificates } = JSON.parse((await viaSentry('expiry --format json')).stdout);
    expect([root.role, certificates.length]).toEqual(['root', 3]);
  });

  test('tells of the root where Sentry cannot be reached, and never lets the issuer pass as well', async () => {
    const told = await mtls('expiry');
    expect(told).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^Root certificate expires in \d+ hours\./),
    });
    expect(told.stderr).toMatch(
      /^Warning: issuer: not checked \(Sentry cannot be reached from here \(dapr-sentry\.dapr-system\.svc\.cluster\.local:443: .*--sentry-address localhost:50001/m,
    );
    for (const failOn of ['warning', 'error'])
      expect([failOn, (await mtls(`expiry --fail-on ${failOn}`)).status]).toEqual([failOn, 3]);
    expect((await mtls('expiry --fail-on error --at 2040-01-01')).status).toBe(10);
    const report = JSON.parse((await mtls('expiry --format json')).stdout);
    expect(schemaViolations(report)).toEqual([]);
    expect([report.issuer, report.unread[0].part]).toEqual([null, 'issuer']);
  });

  test.each<[string, number, RegExp]>([
    ['nagios', 1, /^MTLS EXPIRY WARNING - root ends in \d+ days, issuer not checked \| root=/],
    ['prometheus', 0, /dapr_mtls_findings\{command="expiry",severity="warning",code="issuer\.not-checked"\} 1/],
    ['github', 0, /^::warning title=issuer\.not-checked/m],
    ['junit', 0, /<failure type="issuer\.not-checked"/],
    ['sarif', 0, /"ruleId": "issuer\.not-checked"/],
  ])('as %s an issuer that nobody has judged is a warning', async (format, status, text) => {
    expect(await mtls(`expiry --format ${format}`)).toMatchObject({ status, stdout: expect.stringMatching(text) });
  });

  test('with --contexts is a warning, and fails where it is asked to', async () => {
    const told = await mtls(`expiry --contexts ${currentContext()} --format json --fail-on error`);
    const report = JSON.parse(told.stdout);
    expect(schemaViolations(report)).toEqual([]);
    expect([told.status, report.clusters[0].result]).toEqual([3, 'warning']);
  });

  test('makes no guess among several anchors', async () => {
    await publishTwoAnchors();
    const told = await mtls('expiry --format json');
    expect(told).toMatchObject({ status: 3, stdout: expect.stringContaining('"code": "cluster.unreachable"') });
    expect(told.stderr).toMatch(/which of the 2 anchors .* is the root .*\n.*--sentry-address localhost:50001/);
  });

  test('does not believe who is not Sentry', async () => {
    sentry.use((await makeBundle({ at: new Date() })).files);
    expect(await viaSentry('expiry')).toMatchObject({
      status: 4,
      stdout: '',
      stderr: expect.stringContaining('none of the anchors in the ConfigMap has signed the issuer'),
    });
  });

  test('without the right to the ConfigMap, either, names the lesser right', async () => {
    server.allow('admin', { allow: [] });
    const told = await viaSentry('expiry -n dapr-system');
    expect(told).toMatchObject({ status: 3, stdout: '' });
    expect(told.stderr).toMatch(/may not get .*secret.*configmap.*\n.*The ConfigMap is enough.*configmaps/is);
    expect(told.stderr).not.toMatch(/resources: \[?"?secrets/);
  });

  test('without a ConfigMap, as of Dapr 1.11, is told of the Secret', async () => {
    server.store.put(...runningControlPlane({ bundle: files, version: '1.11.6', namespace: 'old' }));
    server.allow('admin', { allow: [{ ...configMapAlone, namespace: 'old' }] });
    const told = await viaSentry('expiry -n old');
    expect(told).toMatchObject({ status: 3, stderr: expect.stringMatching(/may not get .*secret/i) });
  });

  test('finds the control plane elsewhere', async () => {
    const elsewhere = { bundle: files, namespace: 'mesh' };
    await server.stop();
    server = await startApiServer();
    server.store.put(...runningControlPlane(elsewhere));
    await sentry.stop();
    sentry = await startSentryServer(files, { id: 'spiffe://cluster.local/ns/mesh/dapr-sentry' });
    withoutSecrets();
    const told = await viaSentry('expiry --format json --fail-on error');
    expect(told.status, told.stderr).toBe(0);
    expect(JSON.parse(told.stdout).store.name).toMatch(/^mesh\/dapr-trust-bundle/);
  });

  test('an address that is none is refused, also where nobody is asked', async () => {
    server.allow('admin', { allow: 'all' });
    expect(await mtls('expiry --sentry-address a/b')).toMatchObject({ status: 2, stdout: '' });
  });

  test('a server that does not answer is no refusal', async () => {
    const kubeconfig = server.kubeconfig();
    await server.stop();
    const told = await run(['expiry', '--kubeconfig', kubeconfig, '--sentry-address', sentry.address], {
      program: 'dapr-mtls',
    });
    expect(told).toMatchObject({ status: 3, stdout: '' });
    server = await startApiServer();
  });
});

function currentContext(): string {
  return /^current-context: *"?([^"\n]+)/m.exec(readFileSync(server.kubeconfig(), 'utf8'))?.[1] ?? '';
}

describe('status without the right to the Secret', () => {
  test('warns by what Sentry shows', async () => {
    withoutSecrets();
    const told = await viaSentry('status -k --at 2027-11-20 --format json');
    expect(told.status, told.stderr).toBe(0);
    const { expiry } = JSON.parse(told.stdout);
    expect(schemaViolations(JSON.parse(told.stdout))).toEqual([]);
    expect(expiry).toMatchObject({ checked: true, source: 'public', issuer: { status: 'expired' } });
    expect(told.stderr).toMatch(/^⚠ {2}Dapr root certificate of your Kubernetes cluster expires in \d+ days?\./m);
    expect(told.stderr).toMatch(/^⚠ {2}Dapr issuer certificate of your Kubernetes cluster has expired\./m);
  });

  test('warns of the root where Sentry cannot be reached', async () => {
    withoutSecrets();
    const told = await mtls('status -k --at 2027-11-20');
    expect(told.stderr).toMatch(/^⚠ {2}Dapr root certificate of your Kubernetes cluster expires in \d+ days?\./m);
    expect(told.stderr).toMatch(/^expiry of the issuer not checked: Sentry cannot be reached from here/m);
  });

  test('says why it is silent', async () => {
    server.allow('admin', {
      allow: 'all',
      deny: [
        { verb: 'get', resource: 'secrets' },
        { verb: 'get', resource: 'configmaps' },
      ],
    });
    const told = await viaSentry('status -k');
    expect(told).toMatchObject({ status: 0, stderr: expect.stringMatching(/^expiry not checked: .*secret/im) });
  });

  test('asks nobody where the Secret may be read', async () => {
    server.allow('admin', { allow: 'all' });
    const before = server.requests.length;
    await viaSentry('status -k');
    const asked = server.requests.slice(before).map(({ path }) => path.split('?')[0]);
    expect(asked.filter((path) => path?.includes('configmaps'))).toEqual([]);
    expect(asked).toHaveLength(4);
  });
});

describe('audit without the right to the Secret', () => {
  beforeEach(async () => {
    withoutSecrets();
    server.store.put(
      ...injectedWorkload({ name: 'checkout', namespace: 'shop', replicas: 2, anchors: files.anchors.toString() }),
    );
    await publishTwoAnchors();
  });

  test('knows the root by what Sentry shows', async () => {
    const told = await viaSentry('audit --format json');
    const report = JSON.parse(told.stdout);
    expect(schemaViolations(report)).toEqual([]);
    expect([told.status, report.totals.current, report.against.issuer]).toEqual([0, 2, expect.any(String)]);
    expect(report.against.anchors.filter(({ needed }: { needed: boolean }) => needed)).toHaveLength(1);
  });

  test('needs every anchor where it shows none, and says why', async () => {
    const told = await mtls('audit --format json');
    const report = JSON.parse(told.stdout);
    expect(schemaViolations(report)).toEqual([]);
    expect([told.status, report.totals.stale, report.against.issuer]).toEqual([10, 2, null]);
    expect(told.stderr).toMatch(
      /The issuer is not known \(Sentry cannot be reached from here .*\), so every valid anchor/,
    );
  });

  test('does not go by who is not Sentry', async () => {
    sentry.use((await makeBundle({ at: new Date() })).files);
    const { stdout, stderr } = await viaSentry('audit --format json');
    expect(JSON.parse(stdout).against.issuer).toBeNull();
    expect(stderr).toContain('none of the anchors in the ConfigMap has signed the issuer');
  });
});
