import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Sight, WatchSource } from '../../src/app/watch/ports.ts';
import { type ClusterWatch, type ClusterWatchFlags, openClusterWatch } from '../../src/cli/watch/cluster-source.ts';
import { resources } from '../../src/kube/resources.ts';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { type ConfigMapObject, configMapRef, type SecretObject, secretRef } from '../../src/store/cluster/objects.ts';
import { defaultNames } from '../../src/store/file-names.ts';
import type { Grant } from '../support/api-server/access.ts';
import { matches } from '../support/api-server/request.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { makeBundle } from '../support/bundles.ts';
import { injectedPods, injectedWorkload } from '../support/dapr/injected-pods.ts';
import type { Manifest } from '../support/dapr/manifest.ts';
import { runningControlPlane } from '../support/dapr-control-plane.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { type SentryServer, startSentryServer } from '../support/sentry-server.ts';

const namespace = 'dapr-system';
const place = { namespace };
const minuteMs = 60_000;

/** As docs/watching-kubernetes.md has them, and no more. */
const leastRights: readonly Grant[] = [
  {
    namespace,
    verbs: ['get', 'list', 'watch'],
    apiGroups: [''],
    resources: ['configmaps'],
    resourceNames: ['dapr-trust-bundle'],
  },
  {
    namespace,
    verbs: ['get', 'list', 'watch'],
    apiGroups: ['apps'],
    resources: ['deployments'],
    resourceNames: ['dapr-sentry'],
  },
  { namespace, verbs: ['get'], apiGroups: ['dapr.io'], resources: ['configurations'] },
  { verbs: ['list', 'watch'], apiGroups: [''], resources: ['pods'] },
];

let server: ApiServer;
let sentry: SentryServer;
let files: BundleFiles;
let other: BundleFiles;
let legacy: Manifest[];
const open: ClusterWatch[] = [];

beforeEach(async () => {
  [files, other] = [await fresh(), await fresh()];
  server = await startApiServer();
  sentry = await startSentryServer(files);
  legacy = injectedWorkload({ anchors: `${other.anchors}`, name: 'legacy', replicas: 2 });
  server.store.put(
    ...runningControlPlane({ bundle: files }),
    ...injectedWorkload({ anchors: `${files.anchors}`, replicas: 3 }),
    ...legacy,
  );
  server.allow('admin', { allow: leastRights });
});
afterEach(async () => {
  for (const watch of open.splice(0)) watch.close();
  await sentry.stop();
  await server.stop();
});

async function fresh(): Promise<BundleFiles> {
  return (await makeBundle({ at: new Date() })).files;
}

function flagsOf(wishes: Partial<ClusterWatchFlags> = {}): ClusterWatchFlags {
  return {
    kubernetes: true,
    namespace,
    context: undefined,
    kubeconfig: server.kubeconfig(),
    'request-timeout': 2,
    dir: undefined,
    'issuer-ca-filename': defaultNames.anchors,
    'issuer-certificate-filename': defaultNames.issuerChain,
    'issuer-key-filename': defaultNames.issuerKey,
    every: minuteMs,
    'sentry-address': sentry.address,
    ...wishes,
  };
}

async function watch(wishes?: Partial<ClusterWatchFlags>): Promise<WatchSource> {
  const opened = await openClusterWatch(flagsOf(wishes), {});
  open.push(opened);
  return opened.source;
}

const look = (source: WatchSource): Promise<Sight> => source.look(new Date());

/** Follows, and counts what it is told. */
function follow(source: WatchSource) {
  const stop = new AbortController();
  let news = 0;
  const ended = source.follow(() => {
    news += 1;
  }, stop.signal);
  return {
    get news() {
      return news;
    },
    stop: async () => {
      stop.abort();
      await ended;
    },
  };
}

/** Follows until it is quiet: at the beginning it tells of what may have changed before. */
async function followQuietly(source: WatchSource, watches = 3) {
  const following = follow(source);
  await expect.poll(() => server.watches.count).toBe(watches);
  await new Promise((resolve) => setTimeout(resolve, 200));
  return following;
}

const setAnchors = (bundle: BundleFiles) =>
  server.store.change<ConfigMapObject>(configMapRef(place), (object) => ({
    ...object,
    data: { ...object.data, 'ca.crt': `${bundle.anchors}` },
  }));

/** Its pods alone: nothing here makes new ones. */
function removeLegacy(): void {
  for (const { kind, metadata } of legacy)
    if (kind === 'Pod') server.store.remove({ resource: resources.pods, namespace: 'shop', name: metadata.name });
}

const requestsOf = (words: string) => server.requests.filter(matches(words)).length;

describe('a look', () => {
  test('finds anchors, issuer, sidecars and findings without a word of Secrets', async () => {
    const sight = await look(await watch());
    expect(sight.bundle.files).toMatchObject({ anchors: files.anchors, issuerKey: undefined });
    expect(`${sight.bundle.files.issuerChain}`.trim()).toBe(`${files.issuerChain}`.trim());
    expect(sight.sidecars).toEqual({
      problem: null,
      totals: { sidecars: 5, current: 3, broken: 2, stale: 0, unknown: 0 },
      behind: [{ namespace: 'shop', kind: 'Deployment', name: 'legacy', state: 'broken', sidecars: 2 }],
    });
    expect(sight.unread).toEqual(['issuer key: not checked, the Secret is not read without --read-secret']);
    expect(sight.findings.map(({ code }) => code)).toEqual([]);
    expect(server.requests.filter(({ path }) => path.includes('secrets'))).toEqual([]);
    expect(server.requests.filter(({ code }) => code === 403)).toEqual([]);
  });

  test('lists the pods in pages of protobuf', async () => {
    await look(await watch());
    const [list] = server.requests.filter(matches('list pods'));
    expect(list?.query.get('limit')).toBe('500');
    expect(list?.headers.accept).toContain('application/vnd.kubernetes.protobuf');
  });

  test('counts pods of several pages, begun anew when the first ones have expired', async () => {
    server.store.put(...injectedPods({ count: 1_200, anchors: [`${files.anchors}`], namespaces: ['many'] }));
    const hook = server.onRequest(({ query }) => {
      if (!query.get('continue')) return;
      hook();
      server.expirePages();
    });
    const { sidecars } = await look(await watch());
    expect(sidecars?.totals).toMatchObject({ sidecars: 1_205, current: 1_203 });
  });

  test('sees the Secret only where it was asked for, and says what check says', async () => {
    server.allow('admin', { allow: 'all' });
    server.store.change<SecretObject>(secretRef(place), (object) => ({
      ...object,
      data: { ...object.data, 'ca.crt': other.anchors.toString('base64') },
    }));
    const sight = await look(await watch({ 'read-secret': true }));
    expect(sight.bundle.files.issuerKey).toEqual(files.issuerKey);
    expect(sight.findings.map(({ code }) => code)).toContain('cluster.bundle-mismatch');
    expect(sight.unread).toEqual([]);
    await expect(look(await watch())).resolves.toMatchObject({ findings: [] });
  });

  test('of a namespace without a control plane tells so, before it begins and after', async () => {
    server.allow('admin', { allow: 'all', deny: [] });
    await expect(watch({ namespace: 'nowhere' })).rejects.toMatchObject({ code: 'dapr.missing' });
    await expect(watch({ namespace: 'nowhere', 'read-secret': true })).rejects.toMatchObject({ code: 'dapr.missing' });
    const source = await watch({ every: 1 });
    for (const { kind, metadata } of server.store.objects()) {
      if (kind === 'Deployment' && metadata.name === 'dapr-sentry')
        server.store.remove({ resource: resources.deployments, namespace: 'dapr-system', name: metadata.name });
    }
    server.store.remove(configMapRef(place));
    await expect(look(source)).rejects.toMatchObject({ code: 'dapr.missing' });
  });

  test('finds an issuer that no anchor carries, as new sidecars do', async () => {
    const source = await watch();
    setAnchors(other);
    const { findings, bundle, sidecars } = await look(source);
    expect(findings).toEqual([
      {
        code: 'issuer.unknown-authority',
        severity: 'error',
        subject: 'Sentry',
        message: expect.stringMatching(/^none of the anchors in the ConfigMap has signed the issuer that Sentry at /),
        hint: expect.stringMatching(/^New sidecars do not verify this Sentry\. /),
      },
    ]);
    expect(bundle.files.anchors).toEqual(other.anchors);
    // It is the anchors that the next Sentry brings which count.
    expect(sidecars?.totals).toMatchObject({ current: 2, broken: 3 });
  });

  test('judges sidecars by the issuer seen last while Sentry does not answer', async () => {
    const [address, before] = [sentry.address, files];
    const both = { ...files, anchors: Buffer.concat([files.anchors, other.anchors]) };
    setAnchors(both);
    const source = await watch({ every: 1 });
    expect((await look(source)).sidecars?.totals).toMatchObject({ current: 3, broken: 2 });
    await sentry.stop();
    const { unread, sidecars, bundle } = await look(source);
    expect(bundle.files.issuerChain).toBeUndefined();
    expect(unread[0]).toMatch(`issuer: not checked, Sentry does not answer at ${address}`);
    expect(sidecars?.totals).toMatchObject({ current: 3, broken: 2 });
    sentry = await startSentryServer(before);
  });

  test('tells why who answers is not taken for Sentry, also while nobody answers any more', async () => {
    const impostor = await startSentryServer(files, { id: 'spiffe://cluster.local/ns/dapr-system/other' });
    const source = await watch({ every: 1, 'sentry-address': impostor.address });
    const { findings } = await look(source);
    expect(findings.map(({ code, message }) => [code, message])).toEqual([
      [
        'issuer.unknown-authority',
        `who answers at ${impostor.address} is not taken for Sentry: it is of spiffe://cluster.local/ns/dapr-system/other, not of spiffe://cluster.local/ns/dapr-system/dapr-sentry`,
      ],
    ]);
    await impostor.stop();
    await expect(look(source)).resolves.toMatchObject({ findings });
  });

  test('keeps what was found of the issuer while Sentry does not answer, and an anchor carries it', async () => {
    await sentry.stop();
    const short = await makeBundle({ at: new Date(), issuerValidMs: 12 * 60 * minuteMs });
    sentry = await startSentryServer(short.files);
    setAnchors(short.files);
    const source = await watch({ every: 1, 'sentry-address': sentry.address });
    const begin = new Date();
    const { findings } = await source.look(begin);
    expect(findings.map(({ code }) => code)).toContain('leaf.outlives-issuer');
    await sentry.stop();
    const blind = await source.look(begin);
    expect(blind.unread[0]).toMatch(`issuer: not checked, Sentry does not answer at ${sentry.address}`);
    expect(blind.findings).toEqual(findings);
    // The clock goes on: its end is told as such.
    const later = await source.look(new Date(begin.getTime() + 13 * 60 * minuteMs));
    expect(later.findings.map(({ code }) => code)).toContain('issuer.expired');
    expect(later.findings.map(({ code }) => code)).not.toContain('leaf.outlives-issuer');
    setAnchors(other);
    expect((await source.look(begin)).findings).toEqual([]);
    sentry = await startSentryServer(files);
  });

  test('of Dapr up to 1.11 misses no ConfigMap, and says what it cannot watch', async () => {
    server.store.put(...runningControlPlane({ bundle: files, version: '1.11.6' }));
    server.store.remove(configMapRef(place));
    const source = await watch();
    const { findings, unread, bundle } = await look(source);
    expect(findings).toEqual([
      {
        code: 'cluster.unread',
        severity: 'warning',
        subject: expect.stringMatching(/^Secret dapr-system\/dapr-trust-bundle /),
        message:
          'Dapr up to 1.11 keeps the trust anchors in it alone, and it is not read: the end of the root is not watched',
        hint: expect.stringMatching(/^Say --read-secret/),
      },
    ]);
    expect(unread).toContain('issuer: not checked, there are no trust anchors by which Sentry could be believed');
    expect(bundle.files.anchors).toBeUndefined();
    server.allow('admin', { allow: 'all' });
    const whole = await look(await watch({ 'read-secret': true }));
    expect(whole.bundle.files).toEqual(files);
    expect(whole.findings.map(({ code }) => code)).not.toContain('cluster.configmap-missing');
  });

  test('misses the ConfigMap of any other Dapr', async () => {
    server.store.remove(configMapRef(place));
    const { findings, unread } = await look(await watch());
    expect(findings.map(({ code }) => code)).toEqual(['cluster.configmap-missing']);
    expect(unread).toContain('issuer: not checked, there are no trust anchors by which Sentry could be believed');
  });

  test('tells what it may not see, and counts pods as soon as it may', async () => {
    server.allow('admin', { allow: leastRights.slice(0, 1) });
    const source = await watch({ every: 200 });
    const { sidecars, unread } = await look(source);
    expect(sidecars).toBeUndefined();
    expect(unread.filter((sentence) => /^sidecars: not counted, .*pods/.test(sentence))).toHaveLength(1);
    expect(unread.filter((sentence) => sentence.startsWith('control plane:'))).toHaveLength(2);
    server.allow('admin', { allow: leastRights });
    await expect.poll(async () => (await look(source)).sidecars?.totals.sidecars).toBe(5);
  });

  test('reads no pods where it is told so', async () => {
    const { sidecars, unread } = await look(await watch({ 'no-sidecars': true }));
    expect(sidecars).toBeUndefined();
    expect(unread).toHaveLength(1);
    expect(requestsOf('list pods')).toBe(0);
  });

  test('fails while the server fails, and the next one recovers', async () => {
    const source = await watch();
    await look(source);
    server.faults.add({ times: 1000, do: { status: 503 } });
    await expect(look(source)).rejects.toMatchObject({ code: 'cluster.rejected' });
    server.faults.clear();
    await expect(look(source)).resolves.toMatchObject({ sidecars: { totals: { sidecars: 5 } } });
  });

  test('that failed is asked for again soon, where nothing else would tell that the server is back', async () => {
    const source = await watch();
    await look(source);
    const following = await followQuietly(source);
    const { news } = following;
    server.faults.add({ when: matches('get configmaps'), times: 10, do: { status: 503 } });
    await expect(look(source)).rejects.toMatchObject({ code: 'cluster.rejected' });
    expect(following.news).toBe(news);
    await expect.poll(() => following.news, { timeout: 30_000 }).toBeGreaterThan(news);
    await following.stop();
  });

  test('asks Sentry and the control plane again only when something has changed, or it is time', async () => {
    const source = await watch();
    await look(source);
    const before = server.requests.length;
    await look(source);
    await look(source);
    const asked = server.requests.slice(before).filter(({ target }) => target?.verb !== 'watch');
    expect(asked.map(({ target }) => `${target?.verb} ${target?.kind.plural}`)).toEqual([
      'get configmaps',
      'get configmaps',
    ]);
  });
});

describe('a renewal', () => {
  test('that has the ConfigMap away for a while is seen when it is there again', async () => {
    const source = await watch();
    const first = await look(source);
    const following = await followQuietly(source);
    const { news } = following;
    const object = server.store.get<ConfigMapObject>(configMapRef(place)) as ConfigMapObject;
    server.store.remove(configMapRef(place));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(following.news).toBe(news);
    const meanwhile = await look(source);
    expect(meanwhile.bundle).toEqual({ ...first.bundle, state: 'changing' });
    expect(meanwhile.findings).toEqual(first.findings);
    sentry.use(other);
    server.store.put({ ...object, data: { 'ca.crt': `${other.anchors}` } } as ConfigMapObject);
    await expect.poll(() => following.news).toBeGreaterThan(news);
    const after = await look(source);
    expect(after.bundle).toMatchObject({ files: { anchors: other.anchors }, state: 'unknown' });
    expect(after.sidecars?.totals).toMatchObject({ current: 2, broken: 3 });
    await following.stop();
  });

  test('of the issuer alone is seen when Sentry is rolled', async () => {
    const source = await watch();
    const first = await look(source);
    const following = await followQuietly(source);
    const { news } = following;
    const sameRoot = await makeBundle({ at: new Date() });
    setAnchors({ ...files, anchors: Buffer.concat([files.anchors, sameRoot.files.anchors]) });
    sentry.use(sameRoot.files);
    server.store.change({ resource: resources.deployments, namespace, name: 'dapr-sentry' }, (object) => ({
      ...object,
      metadata: { ...object.metadata, annotations: { rolled: 'yes' } },
    }));
    await expect.poll(() => following.news).toBeGreaterThan(news);
    const after = await look(source);
    expect(after.bundle.files.issuerChain).not.toEqual(first.bundle.files.issuerChain);
    await following.stop();
  });
});

describe('what is followed', () => {
  test('tells of pods that have come, gone or been re-created with other anchors', async () => {
    const source = await watch();
    await look(source);
    const following = await followQuietly(source);
    server.store.put(...injectedWorkload({ anchors: `${other.anchors}`, name: 'late', replicas: 1 }));
    await expect.poll(async () => (await look(source)).sidecars?.totals).toMatchObject({ sidecars: 6, broken: 3 });
    expect(following.news).toBeGreaterThan(0);
    removeLegacy();
    await expect.poll(async () => (await look(source)).sidecars?.totals).toMatchObject({ sidecars: 4, broken: 1 });
    await following.stop();
  });

  test('tells nothing of pods whose change nobody sees', async () => {
    const source = await watch();
    await look(source);
    const following = await followQuietly(source);
    const { news } = following;
    const pod = legacy.find(({ kind }) => kind === 'Pod');
    for (let turn = 0; turn < 20; turn++)
      server.store.change({ resource: resources.pods, namespace: 'shop', name: `${pod?.metadata.name}` }, (object) => ({
        ...object,
        metadata: { ...object.metadata, annotations: { turn: `${turn}` } },
      }));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(following.news).toBe(news);
    await following.stop();
  });

  test.each([
    ['watches that are cut', () => server.watches.end()],
    ['versions that are forgotten (410)', () => server.watches.expire('event')],
    ['versions that are refused (410)', () => server.watches.expire('status')],
  ])('survives %s, and misses nothing of what happened meanwhile', async (_, trouble) => {
    const source = await watch();
    await look(source);
    const following = await followQuietly(source);
    const { news } = following;
    server.faults.add({ when: matches('watch pods'), times: 2, do: { status: 503 } });
    removeLegacy();
    setAnchors(other);
    trouble();
    await expect.poll(() => following.news).toBeGreaterThan(news);
    await expect.poll(async () => (await look(source)).sidecars?.totals).toMatchObject({ sidecars: 3, broken: 3 });
    await following.stop();
  });

  test('waits out a server that has just started, and refuses what it allows', async () => {
    const source = await watch();
    await look(source);
    const following = await followQuietly(source);
    const refusals = 2;
    for (const verb of ['watch', 'list'])
      server.faults.add({ when: matches(`${verb} pods`), times: refusals, do: { status: 403 } });
    server.watches.end();
    await expect.poll(() => server.faults.left).toBeLessThan(2 * refusals);
    removeLegacy();
    const meanwhile = await look(source);
    expect(meanwhile.unread).toHaveLength(1);
    expect(meanwhile.sidecars).toBeDefined();
    await expect
      .poll(async () => (await look(source)).sidecars?.totals, { timeout: 30_000 })
      .toMatchObject({ sidecars: 3, broken: 0 });
    await following.stop();
  });

  test('goes on with the token that stands in the file after the old one was revoked', async () => {
    const folder = temporaryDirectory('watch-token');
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, server.token());
    const kubeconfig = join(folder, 'kubeconfig');
    const document = parse(readFileSync(server.kubeconfig({ login: 'token' }), 'utf8'));
    document.users[0].user = { tokenFile };
    writeFileSync(kubeconfig, stringify(document));
    const source = await watch({ kubeconfig });
    await look(source);
    const following = await followQuietly(source);
    writeFileSync(tokenFile, 'revoked');
    server.watches.end();
    await expect(look(source)).rejects.toMatchObject({ code: 'cluster.unauthorized' });
    await expect.poll(() => server.requests.filter(({ code }) => code === 401).length).toBeGreaterThan(3);
    const { news } = following;
    setAnchors(other);
    writeFileSync(tokenFile, server.token());
    await expect(look(source)).resolves.toMatchObject({ sidecars: { totals: { sidecars: 5 } } });
    await expect.poll(() => following.news, { timeout: 90_000 }).toBeGreaterThan(news);
    await expect.poll(() => server.watches.count, { timeout: 90_000 }).toBe(3);
    await following.stop();
  });

  test('ends at the signal, also while the server is away', async () => {
    const source = await watch();
    await look(source);
    const following = await followQuietly(source);
    server.faults.add({ times: 1000, do: 'hang' });
    server.watches.end();
    await expect.poll(() => server.faults.left).toBeLessThan(1000);
    await following.stop();
  });
});

test('a wrong address of Sentry and a namespace without Dapr are told at the beginning', async () => {
  await expect(openClusterWatch(flagsOf({ 'sentry-address': 'a:b:c' }), {})).rejects.toMatchObject({
    code: 'usage.invalid',
  });
  server.allow('admin', { allow: 'all' });
  await expect(openClusterWatch(flagsOf({ namespace: 'empty', 'read-secret': true }), {})).rejects.toMatchObject({
    code: 'dapr.missing',
  });
});
