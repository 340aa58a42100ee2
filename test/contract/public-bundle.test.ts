import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openCluster } from '../../src/cli/open-cluster.ts';
import { openPublicReader } from '../../src/cli/public-bundle.ts';
import type { Cluster } from '../../src/kube/port.ts';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { generateKey } from '../../src/pki/keys.ts';
import { decodeAsGo } from '../../src/pki/pem.ts';
import type { Grant } from '../support/api-server/access.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { bundleNames, dayMs, makeBundle } from '../support/bundles.ts';
import { controlPlaneObjects } from '../support/dapr-control-plane.ts';
import { readFixture } from '../support/fixtures.ts';
import { type SentryServer, type SentryWishes, startSentryServer } from '../support/sentry-server.ts';

const namespace = 'dapr-system';
/** The least that works. */
const onlyConfigMap: Grant = {
  namespace,
  verbs: ['get'],
  apiGroups: [''],
  resources: ['configmaps'],
  resourceNames: ['dapr-trust-bundle'],
};

let server: ApiServer;
let cluster: Cluster;
let sentry: SentryServer | undefined;
let files: BundleFiles;

beforeEach(async () => {
  files = (await makeBundle({ at: new Date() })).files;
  server = await startApiServer();
  server.store.put(...controlPlaneObjects({ bundle: files }));
  server.allow('admin', { allow: [onlyConfigMap] });
  cluster = await openCluster({ context: undefined, kubeconfig: server.kubeconfig(), 'request-timeout': 5 }, {});
});
afterEach(async () => {
  cluster.close();
  await sentry?.stop();
  sentry = undefined;
  await server.stop();
});

async function serve(bundle: BundleFiles = files, wishes: SentryWishes = {}): Promise<string> {
  sentry = await startSentryServer(bundle, wishes);
  return sentry.address;
}

const readVia = async (sentryAddress: string) => (await openPublicReader(cluster, { namespace, sentryAddress })).read();

const derOf = (pem: Buffer | undefined) => decodeAsGo(pem ?? Buffer.alloc(0)).map(({ der }) => der.toString('hex'));

describe('the trust of a control plane without the Secret', () => {
  test('is the anchors of the ConfigMap and the issuer that Sentry shows', async () => {
    const address = await serve();
    const reader = await openPublicReader(cluster, { namespace, sentryAddress: address });
    const stored = await reader.read();
    expect(stored.files.anchors).toEqual(files.anchors);
    expect(derOf(stored.files.issuerChain)).toEqual(derOf(files.issuerChain));
    expect(stored).toMatchObject({ source: 'public', state: 'unknown' });
    expect(stored.files.issuerKey).toBeUndefined();
    expect(Object.keys(stored.unread ?? {})).toEqual(['issuerKey']);
    expect(reader.location).toMatchObject({ kind: 'cluster', names: { anchors: 'ca.crt' } });
    expect(server.requests.filter(({ path }) => path.includes('secrets'))).toEqual([]);
  });

  test('is read anew each time, and a revision tells whether it is the same', async () => {
    const address = await serve();
    const reader = await openPublicReader(cluster, { namespace, sentryAddress: address });
    const before = await reader.read();
    expect((await reader.read()).revision).toBe(before.revision);
    const next = (await makeBundle({ at: new Date() })).files;
    server.store.put(...controlPlaneObjects({ bundle: next }));
    sentry?.use(next);
    const after = await reader.read();
    expect(after.revision).not.toBe(before.revision);
    expect(derOf(after.files.issuerChain)).toEqual(derOf(next.issuerChain));
  });

  test('has the whole chain of a bridge', async () => {
    const [anchors, issuerChain, issuerKey] = Object.values(bundleNames).map((name) =>
      readFixture(`pki/bridged/${name}`),
    ) as [Buffer, Buffer, Buffer];
    const bridged = { anchors, issuerChain, issuerKey };
    server.store.put(...controlPlaneObjects({ bundle: bridged }));
    const stored = await readVia(await serve(bridged));
    expect(derOf(stored.files.issuerChain)).toEqual(derOf(bridged.issuerChain));
    expect(derOf(bridged.issuerChain).length).toBeGreaterThan(1);
  });

  test('tells of an issuer that has ended, although the certificate of Sentry has, too', async () => {
    const at = new Date(Date.now() - 40 * dayMs);
    const ended = (await makeBundle({ at, rootValidMs: 365 * dayMs, issuerValidMs: 30 * dayMs })).files;
    server.store.put(...controlPlaneObjects({ bundle: ended }));
    const stored = await readVia(await serve(ended, { at }));
    expect(derOf(stored.files.issuerChain)).toEqual(derOf(ended.issuerChain));
  });

  test('lacks the issuer where Sentry cannot be reached, and says how it can', async () => {
    const address = await serve();
    await sentry?.stop();
    sentry = undefined;
    const { files: found, unread } = await readVia(address);
    expect([found.anchors, found.issuerChain]).toEqual([files.anchors, undefined]);
    expect(unread?.issuerChain).toMatchObject({
      reason: expect.stringContaining(`Sentry does not answer at ${address}`),
      hint: expect.stringContaining('port-forward'),
    });
  });

  test('asks Sentry under its name in the cluster unless another is named', async () => {
    const reader = await openPublicReader(cluster, { namespace, sentryAddress: undefined });
    expect((await reader.read()).unread?.issuerChain).toMatchObject({
      reason: expect.stringMatching(
        /^Sentry cannot be reached from here \(dapr-sentry\.dapr-system\.svc\.cluster\.local:443/,
      ),
      hint: expect.stringContaining('kubectl port-forward -n dapr-system svc/dapr-sentry 50001:443'),
    });
  });

  test('lacks the anchors where there is no ConfigMap', async () => {
    server.store.put(...controlPlaneObjects({ bundle: files, namespace: 'mesh' }));
    const nowhere = { ...onlyConfigMap, namespace: 'elsewhere' };
    server.allow('admin', { allow: [nowhere] });
    const reader = await openPublicReader(cluster, { namespace: 'elsewhere', sentryAddress: await serve() });
    expect((await reader.read()).files).toEqual({ anchors: undefined, issuerChain: undefined, issuerKey: undefined });
  });
});

describe('who answers in place of Sentry is not believed', () => {
  test.each<[string, () => SentryWishes, string]>([
    [
      'a sidecar',
      () => ({ id: 'spiffe://cluster.local/ns/shop/checkout' }),
      'it is of spiffe://cluster.local/ns/shop/checkout',
    ],
    [
      'a Sentry of another namespace',
      () => ({ id: 'spiffe://cluster.local/ns/mesh/dapr-sentry' }),
      'it is of spiffe://',
    ],
    [
      'one whom the issuer has not signed',
      () => ({ oddity: { signer: generateKey('p256') } }),
      'the signature does not verify',
    ],
    [
      'one whose certificate has ended',
      () => ({ at: new Date(Date.now() - 3 * dayMs) }),
      'its own certificate has ended',
    ],
  ])('%s', async (_name, wishes, reason) => {
    await expect(readVia(await serve(files, wishes()))).rejects.toMatchObject({
      code: 'trust.refused',
      message: expect.stringContaining(reason),
      hint: expect.stringContaining('--sentry-address'),
    });
  });

  test('one of another authority', async () => {
    const { files: other } = await makeBundle({ at: new Date() });
    await expect(readVia(await serve(other))).rejects.toMatchObject({
      code: 'trust.refused',
      message: expect.stringContaining('none of the anchors in the ConfigMap has signed the issuer'),
    });
  });

  test('one of another trust domain, where it is known which is the right one', async () => {
    const foreign = { id: 'spiffe://other.domain/ns/dapr-system/dapr-sentry' };
    const address = await serve(files, foreign);
    // Who may not read it has the anchors alone to go by.
    expect((await readVia(address)).files.issuerChain).toBeDefined();
    server.allow('admin', { allow: 'all', deny: [{ verb: 'get', resource: 'secrets' }] });
    await expect(readVia(address)).rejects.toMatchObject({
      message: expect.stringContaining('not of spiffe://cluster.local/ns/dapr-system/dapr-sentry'),
    });
  });
});
