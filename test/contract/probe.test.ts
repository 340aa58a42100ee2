import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { judgeProbe } from '../../src/app/probe/probe.ts';
import { openCluster } from '../../src/cli/open-cluster.ts';
import { gatherProbe, type ProbeFlags } from '../../src/cli/probe-input.ts';
import { parseSentryAddress } from '../../src/cli/sentry-address.ts';
import { shakeHands } from '../../src/cli/sentry-handshake.ts';
import type { Cluster } from '../../src/kube/port.ts';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { renderProbe } from '../../src/render/probe.ts';
import type { UserRules } from '../support/api-server/access.ts';
import type { JsonObject } from '../support/api-server/object.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { makeBundle } from '../support/bundles.ts';
import { controlPlaneObjects } from '../support/dapr-control-plane.ts';
import { schemaViolations } from '../support/schema.ts';
import { type SentryServer, startSentryServer } from '../support/sentry-server.ts';

let server: ApiServer;
let cluster: Cluster;
let sentry: SentryServer;
let files: BundleFiles;
/** What the injector does to a pod. */
let inject: (pod: JsonObject) => JsonObject;

beforeEach(async () => {
  files = (await makeBundle({ at: new Date() })).files;
  inject = (pod) => withSidecar(pod, files.anchors.toString());
  server = await startApiServer({ admit: (object, { kind }) => (kind.kind === 'Pod' ? inject(object) : object) });
  server.store.put(...controlPlaneObjects({ bundle: files }));
  cluster = await openCluster({ context: undefined, kubeconfig: server.kubeconfig(), 'request-timeout': 5 }, {});
  sentry = await startSentryServer(files);
});
afterEach(async () => {
  cluster.close();
  await sentry.stop();
  await server.stop();
});

function withSidecar(pod: JsonObject, anchors: string): JsonObject {
  const { annotations = {} } = pod.metadata as { annotations?: Record<string, string> };
  if (annotations['dapr.io/enabled'] !== 'true') return pod;
  const spec = pod.spec as { containers: object[] };
  const daprd = {
    name: 'daprd',
    image: 'ghcr.io/dapr/daprd:1.17.13',
    env: [{ name: 'DAPR_TRUST_ANCHORS', value: anchors }],
  };
  return { ...pod, spec: { ...spec, containers: [...spec.containers, daprd] } };
}

const allow = (rules: UserRules) => server.allow('admin', rules);

async function probe(wishes: Partial<ProbeFlags> = {}) {
  const flags: ProbeFlags = {
    context: undefined,
    kubeconfig: server.kubeconfig(),
    'request-timeout': 5,
    namespace: undefined,
    in: 'default',
    'sentry-address': sentry.address,
    ...wishes,
  };
  const report = judgeProbe(await gatherProbe(cluster, flags, {}), new Date());
  expect(schemaViolations(report)).toEqual([]);
  const states = Object.fromEntries(report.checks.map(({ name, state }) => [name, state]));
  return { report, states, text: renderProbe(report, { isTty: false, columns: 80, colour: false }) };
}

test('asks everybody once, and leaves nothing behind', async () => {
  const { report, text } = await probe();
  expect(text).toBe(
    [
      'sidecar   ok           a new pod in default gets a sidecar (daprd 1.17.13)',
      'anchors   ok           the anchor that it is given carries the issuer in use',
      "webhook   ok           the webhook's caBundle holds the anchors of the bundle",
      `sentry    ok           Sentry at ${sentry.address} shows a certificate that the sidecar takes`,
      'bundle    ok           Secret and ConfigMap hold the same anchors',
      '',
      'The next pod in default will get working trust: what its sidecar is given verifies the issuer in use, and the running Sentry verifies under it.',
      '',
    ].join('\n'),
  );
  expect(report.mtlsEnabled).toBe(true);
  const writes = server.requests.filter(({ method }) => method !== 'GET');
  expect(writes.map(({ method, query }) => [method, query.get('dryRun')])).toEqual([['POST', 'All']]);
  expect(server.store.objects().filter(({ kind }) => kind === 'Pod')).toEqual([]);
});

test('asks for a pod as modest as policies and quotas may want it', async () => {
  await probe();
  const asked = JSON.parse(server.requests.find(({ path }) => path.includes('/pods'))?.body ?? '');
  expect(asked.metadata.annotations).toEqual({ 'dapr.io/enabled': 'true', 'dapr.io/app-id': 'dapr-mtls-probe' });
  expect(asked.spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  expect(asked.spec.containers[0].resources.limits).toEqual({ cpu: '1m', memory: '1Mi' });
});

test('is cut into lines on a terminal', async () => {
  inject = (pod) => pod;
  const { report } = await probe();
  const lines = renderProbe(report, { isTty: true, columns: 70, colour: false }).split('\n');
  expect(lines.filter((line) => line.length > 70)).toEqual([]);
  expect(lines[0]).toMatch(/^sidecar {3}FAILED {7}a new pod/);
  expect(lines[1]).toMatch(/^ {23}\S/);
});

test('without a sidecar asks again as the controller that makes pods', async () => {
  inject = (pod) => pod;
  const { report, states } = await probe();
  expect([report.verdict, states.injection]).toEqual(['broken', 'failed']);
  const pods = server.requests.filter(({ path }) => path.includes('/pods'));
  expect(pods.map(({ headers }) => headers['impersonate-user'])).toEqual([
    undefined,
    'system:serviceaccount:kube-system:replicaset-controller',
  ]);
});

test('a sidecar with old anchors is told', async () => {
  const former = await makeBundle({ at: new Date() });
  inject = (pod) => withSidecar(pod, former.files.anchors.toString());
  const { report, states } = await probe();
  expect(states).toMatchObject({ injection: 'ok', anchors: 'failed', sentry: 'failed', webhook: 'ok', bundle: 'ok' });
  expect(report.sentence).toMatch(/will not get working trust: what the sidecar is given verifies none/);
});

describe('rights', () => {
  test.each([
    ['create', 'pods', { injection: 'not-checked', anchors: 'not-checked' }],
    ['get', 'mutatingwebhookconfigurations', { webhook: 'not-checked', injection: 'ok' }],
    ['get', 'secrets', { bundle: 'not-checked', anchors: 'ok' }],
    ['get', 'configmaps', { bundle: 'not-checked', anchors: 'ok' }],
    ['get', 'deployments', { injection: 'ok' }],
  ] as const)('without the right to %s %s that is not checked', async (verb, resource, states) => {
    allow({ allow: 'all', deny: [{ verb, resource }] });
    // Who may not look for Sentry has to say where it is.
    expect((await probe({ namespace: 'dapr-system' })).states).toMatchObject(states);
  });

  test('forbidden is no failure, and the Role that allows it is the mend', async () => {
    allow({ allow: 'all', deny: [{ verb: 'create', resource: 'pods' }] });
    const { report, text } = await probe();
    expect(report.verdict).toBe('unknown');
    expect(text).toMatch(/^ {23}kind: Role/m);
  });
});

test('the namespace of the pod is the one that is asked for', async () => {
  server.store.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } } as never);
  expect((await probe({ in: 'shop' })).report.namespace).toBe('shop');
  expect(server.requests.some(({ path }) => path.startsWith('/api/v1/namespaces/shop/pods'))).toBe(true);
  const { states, report } = await probe({ in: 'nowhere' });
  expect(states.injection).toBe('not-checked');
  expect(report.sentence).toContain('namespaces "nowhere" not found');
});

describe('Sentry', () => {
  test('of another bundle is told', async () => {
    const other = await makeBundle({ at: new Date() });
    sentry.use(other.files);
    const { states } = await probe();
    expect(states).toMatchObject({ injection: 'ok', anchors: 'ok', sentry: 'failed' });
  });

  test('is looked for by its name in the cluster, which nobody knows outside', async () => {
    const { report, states } = await probe({ 'sentry-address': undefined });
    expect([report.verdict, states.sentry]).toEqual(['works', 'not-checked']);
    expect(report.checks.find(({ name }) => name === 'sentry')?.reason).toContain(
      'dapr-sentry.dapr-system.svc.cluster.local:443',
    );
  });
});

describe('a handshake', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const one of servers.splice(0)) one.close();
  });

  async function listen(onConnection: (socket: Socket) => void): Promise<number> {
    const one = createServer(onConnection);
    servers.push(one);
    await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
    return (one.address() as AddressInfo).port;
  }
  const shake = (port: number, timeoutMs = 2000) => shakeHands({ host: '127.0.0.1', port, isNamed: true }, timeoutMs);

  test('brings the leaf and the issuer behind it', async () => {
    const port = Number(sentry.address.split(':')[1]);
    expect(await shake(port)).toMatchObject({ kind: 'answered', address: sentry.address, chain: { length: 2 } });
  });

  test('ends where nobody listens, nobody answers, or somebody hangs up or speaks another language', async () => {
    const closed = await listen(() => undefined);
    await new Promise((resolve) => servers.pop()?.close(resolve));
    expect(await shake(closed)).toMatchObject({ kind: 'unreachable', code: 'ECONNREFUSED' });
    const silent = await listen((socket) => void socket.unref());
    expect(await shake(silent, 200)).toMatchObject({ kind: 'unreachable', code: 'TIMEOUT' });
    const rude = await listen((socket) => void socket.destroy());
    expect(await shake(rude)).toMatchObject({ kind: 'unreachable' });
    const plain = await listen((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(await shake(plain)).toMatchObject({ kind: 'unreachable' });
  });

  test.each([
    ['localhost', { host: 'localhost', port: 50001 }],
    ['sentry.mesh:443', { host: 'sentry.mesh', port: 443 }],
    ['[::1]:50001', { host: '::1', port: 50001 }],
  ])('goes to %s', (text, address) => {
    expect(parseSentryAddress(text)).toEqual(address);
  });

  test.each(['', ':443', 'a:b', 'host:0', 'host:70000', 'https://host', 'host:1:2'])('does not go to "%s"', (text) => {
    expect(() => parseSentryAddress(text)).toThrow('is not an address');
  });
});
