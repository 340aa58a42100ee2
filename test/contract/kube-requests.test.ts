import { expect, onTestFinished, test } from 'vitest';
import { collectionPath, describeTarget, objectPath } from '../../src/kube/client/request.ts';
import type { KubeObject } from '../../src/kube/port.ts';
import { resources } from '../../src/kube/resources.ts';
import { type ApiServerOptions, startApiServer } from '../support/api-server/server.ts';
import {
  type ConfigMap,
  configMap,
  configMapRef,
  namespace,
  openClient,
  refusalOf,
  secretRef,
  type Wishes,
} from './kube-client.ts';

async function open(wishes: Wishes = {}, options: ApiServerOptions = {}) {
  const server = await startApiServer(options);
  const cluster = await openClient(server.kubeconfig({ namespace: 'mine' }), wishes);
  onTestFinished(async () => {
    cluster.close();
    await server.stop();
  });
  return { server, cluster };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

const named = (object: KubeObject) => object.metadata.name;

test('paths are those of the API server', () => {
  expect(objectPath(secretRef)).toBe('/api/v1/namespaces/dapr-system/secrets/dapr-trust-bundle');
  expect(collectionPath(resources.deployments)).toBe('/apis/apps/v1/deployments');
  expect(collectionPath(resources.namespaces, 'ignored')).toBe('/api/v1/namespaces');
  expect(objectPath({ ...secretRef, namespace: 'a/b', name: '../x?y' })).toBe(
    '/api/v1/namespaces/a%2Fb/secrets/..%2Fx%3Fy',
  );
  const request = { verb: 'list', resource: resources.deployments, namespace: undefined, name: undefined } as const;
  expect(describeTarget({ ...request, path: '', effect: 'none' })).toBe('deployments.apps in all namespaces');
});

test('it says where it is, and who it is', async () => {
  const { server, cluster } = await open();
  expect(cluster.location).toEqual({ context: 'tests', server: server.url, namespace: 'mine' });
  await cluster.get(configMapRef);
  expect(server.requests.map(({ userAgent, user }) => [userAgent, user])).toEqual([['dapr-mtls/1.2.3', 'admin']]);
});

test('one object, or undefined where there is none', async () => {
  const { server, cluster } = await open();
  expect(await cluster.get(configMapRef)).toBeUndefined();
  server.store.put(configMap('dapr-trust-bundle'));
  expect(await cluster.get<ConfigMap>(configMapRef)).toMatchObject({ data: { 'ca.crt': 'anchors' } });
});

test('an object of a kind that is not installed is not there, and its list is empty', async () => {
  const { cluster } = await open();
  const resource = { group: 'nobody.example', version: 'v1', plural: 'things', kind: 'Thing', namespaced: true };
  expect(await cluster.get({ resource, namespace, name: 'x' })).toBeUndefined();
  expect(await collect(cluster.list(resource))).toEqual([]);
});

test('a server that does not know the core group is no API server', async () => {
  const { server, cluster } = await open();
  server.faults.add({ do: { status: 404, body: '<html>nginx</html>' }, times: 2 });
  const refusal = await refusalOf(cluster.get(configMapRef));
  expect(refusal).toMatchObject({ code: 'cluster.rejected', failure: { status: 404, reason: 'HTTP 404' } });
  expect(refusal.message).toBe(`${server.url} answered 404 and not as an API server does`);
  expect(await refusalOf(collect(cluster.list(resources.pods)))).toMatchObject({ code: 'cluster.rejected' });
});

test('one connection serves all requests of a run', async () => {
  const { server, cluster } = await open();
  for (let count = 0; count < 5; count++) await cluster.get(configMapRef);
  expect(server.connections).toBe(1);
  expect(server.requests).toHaveLength(5);
});

test('a list is read in pages of 500, without a resourceVersion', async () => {
  const { server, cluster } = await open();
  const names = Array.from({ length: 1203 }, (_, index) => `c-${String(index).padStart(4, '0')}`);
  server.store.put(...names.map((name) => configMap(name)));
  expect((await collect(cluster.list(resources.configMaps, { namespace }))).map(named)).toEqual(names);
  expect(
    server.requests.map(({ query }) => [query.get('limit'), query.has('continue'), query.has('resourceVersion')]),
  ).toEqual([
    ['500', false, false],
    ['500', true, false],
    ['500', true, false],
  ]);
});

test('a list whose token has expired is begun anew, and tells nothing twice', async () => {
  const { server, cluster } = await open();
  const names = Array.from({ length: 700 }, (_, index) => `c-${String(index).padStart(4, '0')}`);
  server.store.put(...names.map((name) => configMap(name)));
  const told: string[] = [];
  for await (const object of cluster.list(resources.configMaps, { namespace })) {
    told.push(named(object));
    if (told.length !== 100) continue;
    server.store.remove({ ...configMapRef, name: 'c-0000' });
    server.store.put(configMap('c-0000-later'));
    server.expirePages();
  }
  expect(told.filter((name) => name !== 'c-0000-later')).toEqual(names);
  expect(told).toContain('c-0000-later');
  expect(server.requests.map(({ code }) => code)).toEqual([200, 410, 200, 200]);
});

test('a list whose tokens always expire ends in an error', async () => {
  const { server, cluster } = await open();
  server.store.put(...Array.from({ length: 600 }, (_, index) => configMap(`c-${index}`)));
  server.faults.add({ when: ({ query }) => query.has('continue'), times: 99, do: { status: 410 } });
  expect(await refusalOf(collect(cluster.list(resources.configMaps)))).toMatchObject({
    code: 'cluster.rejected',
    failure: { status: 410, reason: 'Expired' },
  });
});

test('selectors and metadata alone are asked for', async () => {
  const { server, cluster } = await open();
  server.store.put({ ...configMap('a'), metadata: { name: 'a', namespace, labels: { app: 'x' } } }, configMap('b'));
  const query = { namespace, labelSelector: 'app in (x, y)', fieldSelector: 'metadata.name=a', metadataOnly: true };
  const [found, ...others] = await collect(cluster.list<ConfigMap>(resources.configMaps, query));
  expect(others).toEqual([]);
  expect(found).toMatchObject({ metadata: { name: 'a' } });
  expect(found).not.toHaveProperty('data');
});

test('a stream is the body as the server encodes it', async () => {
  const { server, cluster } = await open();
  server.store.put(configMap('a'));
  const { contentType, chunks } = await cluster.stream(resources.configMaps, { namespace }, 'application/json');
  expect(contentType).toBe('application/json');
  expect(JSON.parse(Buffer.concat(await collect(chunks)).toString())).toMatchObject({
    items: [{ data: { 'ca.crt': 'anchors' } }],
  });
  expect(server.requests[0]?.query.has('limit')).toBe(false);
});

test('an object is made under our name, and once', async () => {
  const { server, cluster } = await open();
  server.store.put(configMap('other'));
  const ref = { resource: resources.configMaps, namespace };
  const made = await cluster.create<ConfigMap>(ref, configMap('new'));
  expect(made).toMatchObject({ metadata: { name: 'new', uid: expect.any(String) } });
  expect(server.requests.at(-1)?.query.get('fieldManager')).toBe('dapr-mtls');
  const refusal = await refusalOf(cluster.create(ref, configMap('new')));
  expect(refusal).toMatchObject({
    code: 'cluster.conflict',
    failure: { status: 409, reason: 'AlreadyExists', outcomeUnknown: false },
  });
  expect(refusal.message).toBe('configmaps "new" in namespace "dapr-system" exists already');
});

test('a patch is carried out on the state that it names, or not at all', async () => {
  const { server, cluster } = await open();
  server.store.put(configMap('dapr-trust-bundle', { 'ca.crt': 'old', other: 'kept', gone: 'x' }));
  const { resourceVersion } = (await cluster.get(configMapRef))?.metadata ?? {};
  const patch = { metadata: { resourceVersion }, data: { 'ca.crt': 'new', gone: null } };
  expect(await cluster.patch<ConfigMap>(configMapRef, patch)).toMatchObject({
    data: { 'ca.crt': 'new', other: 'kept' },
  });
  expect(server.requests.at(-1)).toMatchObject({ headers: { 'content-type': 'application/merge-patch+json' } });
  expect(server.requests.at(-1)?.query.get('fieldManager')).toBe('dapr-mtls');
  const refusal = await refusalOf(cluster.patch(configMapRef, { ...patch, data: { 'ca.crt': 'newer' } }));
  expect(refusal).toMatchObject({
    code: 'cluster.conflict',
    failure: { status: 409, reason: 'Conflict', outcomeUnknown: false },
  });
  expect(server.store.get<ConfigMap>(configMapRef)?.data).toEqual({ 'ca.crt': 'new', other: 'kept' });
});

test('a patch of what is gone is a conflict', async () => {
  const { cluster } = await open();
  const refusal = await refusalOf(cluster.patch(configMapRef, { data: {} }));
  expect(refusal).toMatchObject({ code: 'cluster.conflict', failure: { status: 404 } });
  expect(refusal.message).toBe('configmaps "dapr-trust-bundle" in namespace "dapr-system" is not there any more');
});

test('an object is removed under its preconditions', async () => {
  const { server, cluster } = await open();
  server.store.put(configMap('dapr-trust-bundle'));
  const { uid = '', resourceVersion = '' } = (await cluster.get(configMapRef))?.metadata ?? {};
  server.store.change<ConfigMap>(configMapRef, (object) => ({ ...object, data: { 'ca.crt': 'changed' } }));
  expect(await refusalOf(cluster.remove(configMapRef, { uid, resourceVersion }))).toMatchObject({
    code: 'cluster.conflict',
  });
  const now = (await cluster.get(configMapRef))?.metadata.resourceVersion ?? '';
  expect(await cluster.remove(configMapRef, { uid, resourceVersion: now })).toBe(true);
  expect(await cluster.remove(configMapRef, { uid, resourceVersion: now })).toBe(false);
});

test('a dry run changes nothing', async () => {
  const { server, cluster } = await open();
  server.store.put(configMap('dapr-trust-bundle'));
  const { uid = '', resourceVersion = '' } = (await cluster.get(configMapRef))?.metadata ?? {};
  const before = server.store.objects();
  const dryRun = { dryRun: true };
  await cluster.patch(configMapRef, { data: { 'ca.crt': 'new' } }, dryRun);
  await cluster.create({ resource: resources.configMaps, namespace }, configMap('new'), dryRun);
  expect(await cluster.remove(configMapRef, { uid, resourceVersion }, dryRun)).toBe(true);
  expect(server.store.objects()).toEqual(before);
  expect(server.requests.slice(1).map(({ query }) => query.get('dryRun'))).toEqual(['All', 'All', 'All']);
});

test('the rules of this user come in one call', async () => {
  const rule = { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['dapr-trust-bundle'] };
  const { server, cluster } = await open({}, { users: { admin: { allow: [rule] } } });
  expect(await cluster.reviewRules(namespace)).toEqual({ incomplete: false, rules: [rule] });
  expect(server.requests).toHaveLength(1);
});

test('what a 422 repeats of a Secret is in no part of the error', async () => {
  const { server, cluster } = await open();
  const key = 'LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t';
  const echo = `Secret in version "v1" cannot be handled as a Secret: illegal base64: {"issuer.key":"${key}"}`;
  const details = { causes: [{ field: 'data[issuer.key]', message: key }, { field: key.repeat(9) }] };
  server.faults.add({
    do: { status: 422, body: { kind: 'Status', reason: 'Invalid', message: echo, details } },
    times: 2,
  });
  const refusal = await refusalOf(cluster.patch(secretRef, { data: {} }));
  expect(refusal).toMatchObject({
    code: 'cluster.rejected',
    failure: { status: 422, reason: 'Invalid', fields: ['data[issuer.key]'] },
  });
  expect(JSON.stringify(refusal)).not.toContain(key);
  const aboutAnother = await refusalOf(cluster.patch(configMapRef, { data: {} }));
  expect(JSON.stringify(aboutAnother)).toContain(key);
});

test('a 422 about anything else is told in the words of the server', async () => {
  const { server, cluster } = await open();
  server.store.put({ ...configMap('dapr-trust-bundle'), immutable: true } as ConfigMap);
  const refusal = await refusalOf(cluster.patch(configMapRef, { data: { 'ca.crt': 'new' } }));
  expect(refusal).toMatchObject({ code: 'cluster.rejected', failure: { status: 422, fields: ['data'] } });
  expect(refusal.message).toContain('422 Invalid (fields: data)');
  expect(refusal.message).toContain('field is immutable when `immutable` is set');
});

test('an object that is too large is told as such', async () => {
  const { server, cluster } = await open();
  server.store.put(configMap('dapr-trust-bundle'));
  const refusal = await refusalOf(cluster.patch(configMapRef, { data: { big: 'x'.repeat(3_200_000) } }));
  expect(refusal).toMatchObject({ code: 'cluster.rejected', failure: { status: 413 } });
  expect(refusal.hint).toContain('1 MiB');
});
