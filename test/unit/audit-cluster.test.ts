import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { auditSidecars, exitCodeOfAudit } from '../../src/app/audit/audit.ts';
import { observeAudit } from '../../src/app/observation/observe-audit.ts';
import { type AuditFlags, gatherAudit } from '../../src/cli/audit-input.ts';
import { openCluster } from '../../src/cli/open-cluster.ts';
import { readPods } from '../../src/kube/pods/read-pods.ts';
import { injectedSelector, type SidecarPod } from '../../src/kube/pods/sidecar-pod.ts';
import type { Cluster, KubeObject } from '../../src/kube/port.ts';
import { renderAudit } from '../../src/render/audit.ts';
import { type ConfigMapObject, configMapRef } from '../../src/store/cluster/objects.ts';
import type { UserRules } from '../support/api-server/access.ts';
import type { ApiRequest } from '../support/api-server/request.ts';
import { type ApiServer, type ApiServerOptions, startApiServer } from '../support/api-server/server.ts';
import { injectedPods } from '../support/dapr/injected-pods.ts';
import { controlPlaneObjects } from '../support/dapr-control-plane.ts';
import { fixtureInstant, fixturePath, readForeignBundle } from '../support/fixtures.ts';
import { schemaViolations } from '../support/schema.ts';

const bundle = readForeignBundle('sentry-1.17');
const other = readForeignBundle('step');

let server: ApiServer;
let cluster: Cluster;

async function start(options: ApiServerOptions = {}): Promise<void> {
  await stop();
  server = await startApiServer(options);
  const flags = { context: undefined, kubeconfig: server.kubeconfig(), 'request-timeout': 5 };
  cluster = await openCluster(flags, {});
}

async function stop(): Promise<void> {
  cluster?.close();
  await server?.stop();
}

beforeEach(() => start());
afterEach(stop);

const asksForPods = ({ path }: ApiRequest) => /\/pods\b/.test(path);
const asksForProtobuf = (request: ApiRequest) =>
  asksForPods(request) && String(request.headers.accept).includes('protobuf');

/** Of every three workloads, two with the bundle's anchors; half of all with native sidecars. */
function putPods(count: number): void {
  putNamespaces('shop', 'mesh');
  const anchors = [bundle.anchors, bundle.anchors, other.anchors].map(String);
  server.store.put(
    ...injectedPods({ count: count / 2, anchors, replicas: 1 }),
    ...injectedPods({ count: count / 2, anchors, replicas: 1, namespaces: ['mesh'], isNative: true }),
  );
}

function putNamespaces(...names: readonly string[]): void {
  for (const name of names) server.store.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } } as KubeObject);
}

async function collect(batches: AsyncIterable<readonly SidecarPod[]>): Promise<SidecarPod[]> {
  const all: SidecarPod[] = [];
  for await (const pods of batches) all.push(...pods);
  return all;
}

const all = { labelSelector: injectedSelector };

describe('pods from an API server', () => {
  test('come in one list in protobuf, of which nothing may be stale', async () => {
    putPods(700);
    expect(await collect(readPods(cluster, all))).toHaveLength(700);
    const asked = server.requests.filter(asksForPods);
    expect(asked).toHaveLength(1);
    expect(Object.fromEntries(asked[0]?.query ?? [])).toEqual({ labelSelector: injectedSelector });
    expect(asked[0]?.headers.accept).toBe('application/vnd.kubernetes.protobuf, application/json');
  });

  test('are the same in JSON, page by page, where something in between answers in JSON', async () => {
    putPods(1200);
    const inProtobuf = await collect(readPods(cluster, all));
    const json = { status: 200, headers: { 'content-type': 'application/json' }, body: { kind: 'PodList', items: [] } };
    server.faults.add({ when: asksForProtobuf, do: json });
    expect(await collect(readPods(cluster, all))).toEqual(inProtobuf);
    expect(server.faults.left).toBe(0);
    expect(server.requests.filter((request) => asksForPods(request) && !asksForProtobuf(request))).toHaveLength(3);
    expect(inProtobuf.filter(({ daprd }) => daprd?.native)).toHaveLength(600);
  });

  test('are the same written backwards and with fields that nobody knows yet', async () => {
    putPods(20);
    const plain = (await collect(readPods(cluster, all))).map(withoutBirth);
    await start({ protobuf: { order: 'descending', unknownFields: true } });
    putPods(20);
    expect((await collect(readPods(cluster, all))).map(withoutBirth)).toEqual(plain);
  });

  test.each([10, 1000, 8000])('cut off after %i bytes are an error, and no short tally', async (cutAfterBytes) => {
    putPods(100);
    server.faults.add({ when: asksForPods, times: 100, do: { cutAfterBytes } });
    await expect(collect(readPods(cluster, all))).rejects.toMatchObject({
      code: expect.stringMatching(/^cluster\.(unreachable|rejected)$/),
    });
  });

  test('of a login page in front of the API server are an error', async () => {
    const page = { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' };
    server.faults.add({ when: asksForPods, do: page });
    await expect(collect(readPods(cluster, all))).rejects.toMatchObject({
      code: 'cluster.rejected',
      message: expect.stringContaining('text/html'),
    });
  });

  test('that this user may not list are an error that names the right', async () => {
    server.allow('admin', { allow: 'all', deny: [{ verb: 'list', resource: 'pods' }] });
    await expect(collect(readPods(cluster, all))).rejects.toMatchObject({
      code: 'cluster.forbidden',
      hint: expect.stringContaining('ClusterRole'),
    });
  });
});

/** What another server gives anew. */
function withoutBirth({ uid, createdAt, ...pod }: SidecarPod) {
  return pod;
}

describe('an audit of a cluster', () => {
  const noFlags: AuditFlags = {
    namespace: undefined,
    against: undefined,
    'only-namespace': undefined,
    'all-pods': false,
  };
  const audit = async (flags: Partial<AuditFlags> = {}) =>
    auditSidecars(await gatherAudit(cluster, { ...noFlags, ...flags }), fixtureInstant);
  const deny = (...rules: (readonly [verb: 'get' | 'list', resource: string])[]): UserRules => ({
    allow: 'all',
    deny: rules.map(([verb, resource]) => ({ verb, resource })),
  });

  function install(version: string): void {
    server.store.put(...controlPlaneObjects({ version, bundle }));
    putPods(12);
    putNamespaces('legacy');
    const one = { count: 1, namespaces: ['legacy'] };
    server.store.put(
      ...injectedPods({ ...one, anchors: String(bundle.anchors), version: '1.9.6' }),
      ...injectedPods({ ...one, anchors: String(other.anchors), phase: 'Succeeded', ownerKinds: ['Job'] }),
    );
  }

  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'audit-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('holds the labelled pods against the live bundle', async () => {
    install('1.17.13');
    const report = await audit();
    expect(report).toMatchObject({
      cluster: { context: 'tests', server: server.url, namespace: 'dapr-system' },
      against: { kind: 'live', name: 'dapr-system/dapr-trust-bundle', anchors: [{ role: 'root', heldBy: 8 }] },
      scope: { namespace: null, pods: 'labelled' },
      totals: { sidecars: 12, workloads: 12, current: 8, broken: 4, stale: 0, unknown: 0 },
    });
    expect(report.workloads[0]).toMatchObject({
      namespace: 'mesh',
      kind: 'Deployment',
      name: 'app-2',
      state: 'broken',
    });
  });

  test.each([
    ['of Dapr 1.9, which leaves no label', '1.9.6', {}],
    ['that --all-pods asks for', '1.17.13', { 'all-pods': true }],
  ])('looks into every pod: %s', async (_, version, flags) => {
    install(version);
    expect(await audit(flags)).toMatchObject({ scope: { pods: 'all' }, totals: { sidecars: 13, workloads: 13 } });
  });

  test('looks into every pod where the version may not be read', async () => {
    install('1.17.13');
    server.allow('admin', deny(['get', 'deployments']));
    expect(await audit({ namespace: 'dapr-system' })).toMatchObject({
      scope: { pods: 'all' },
      totals: { sidecars: 13 },
    });
  });

  test('takes the anchors of the ConfigMap where the Secret may not be read', async () => {
    install('1.17.13');
    server.allow('admin', deny(['get', 'secrets']));
    expect(await audit()).toMatchObject({
      against: { issuer: null, anchors: [{ role: 'anchor', needed: true, heldBy: 8 }] },
      totals: { current: 8, broken: 4 },
    });
    server.allow('admin', deny(['get', 'secrets'], ['get', 'configmaps']));
    await expect(audit()).rejects.toMatchObject({ code: 'cluster.forbidden' });
  });

  test('of a bundle that is two tells that it comes first, whoever holds what', async () => {
    install('1.17.13');
    server.store.change<ConfigMapObject>(configMapRef({ namespace: 'dapr-system' }), (found) => ({
      ...found,
      data: { 'ca.crt': String(other.anchors) },
    }));
    const report = await audit({ 'only-namespace': 'legacy' });
    expect(report).toMatchObject({
      against: { problem: null, conflict: 'Secret and ConfigMap hold different anchors' },
      totals: { sidecars: 0 },
    });
    expect(schemaViolations(report)).toEqual([]);
    expect(exitCodeOfAudit(report, 'error')).toBe(10);
    const [first] = observeAudit(report).checks.flatMap(({ findings }) => findings);
    expect(first).toMatchObject({ code: 'bundle.conflict', hint: 'The bundle comes first: `dapr-mtls check -k`.' });
    expect(renderAudit(await audit(), { isTty: false, columns: 80, colour: false })).toContain(
      'Mend: The bundle comes first: `dapr-mtls check -k`.',
    );
    // Dapr up to 1.11 reads the Secret alone, whatever else lies there.
    server.store.put(...controlPlaneObjects({ version: '1.11.6', bundle }).filter(({ kind }) => kind === 'Deployment'));
    expect((await audit()).against).not.toHaveProperty('conflict');
  });

  test('looks at one namespace alone, and needs no right on the others', async () => {
    install('1.17.13');
    putNamespaces('billing');
    server.store.put(...injectedPods({ count: 1, anchors: String(other.anchors), namespaces: ['billing'] }));
    expect(await audit({ 'only-namespace': 'billing' })).toMatchObject({
      scope: { namespace: 'billing' },
      totals: { sidecars: 1, broken: 1 },
    });
    expect(server.requests.filter(asksForPods)).toEqual([
      expect.objectContaining({ path: expect.stringContaining('/namespaces/billing/pods') }),
    ]);
  });

  test('against another bundle reads no Secret', async () => {
    install('1.17.13');
    const report = await audit({ against: fixturePath('pki/step') });
    expect(report.against).toMatchObject({ kind: 'directory', name: fixturePath('pki/step') });
    expect(report.totals).toMatchObject({ current: 4, broken: 8 });
    expect(server.requests.some(({ path }) => path.includes('/secrets/'))).toBe(false);
  });

  test('against a file of anchors', async () => {
    install('1.17.13');
    const path = join(folder, 'new-root.crt');
    writeFileSync(path, Buffer.concat([other.anchors, bundle.anchors]));
    expect(await audit({ against: path })).toMatchObject({
      against: { kind: 'file', name: path, issuer: null, anchors: [{ heldBy: 4 }, { heldBy: 8 }] },
      totals: { stale: 12 },
    });
  });

  test.each([
    ['a file that is not there', () => 'nowhere.crt', 'file.missing'],
    ['a directory without a bundle', () => '.', 'store.missing'],
    [
      'a file without anchors',
      () => {
        writeFileSync(join(folder, 'empty.crt'), 'nothing\n');
        return 'empty.crt';
      },
      'trust.unreadable',
    ],
    [
      'a file that is too large',
      () => {
        writeFileSync(join(folder, 'large.crt'), Buffer.alloc(2 * 1024 * 1024));
        return 'large.crt';
      },
      'file.io',
    ],
  ])('against %s is an error', async (_, path, code) => {
    install('1.17.13');
    await expect(audit({ against: join(folder, path()) })).rejects.toMatchObject({ code });
  });
});
