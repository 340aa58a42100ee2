import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubeObject } from '../../src/kube/port.ts';
import { resources } from '../../src/kube/resources.ts';
import { type ConfigMap, configMap, openClient, refusalOf } from '../contract/kube-client.ts';
import { whyNoCluster } from './build-programs.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';
import { waitUntil } from './wait.ts';

/** What test/contract/kube-*.test.ts hold the client to, where a real API server may have other ideas. */
describe.skipIf(await whyNoCluster())('the client, on a real kube-apiserver', () => {
  const namespace = 'dapr-system';
  const ref = (name: string) => ({ resource: resources.configMaps, namespace, name });
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.admin.kubectl(['create', 'namespace', namespace]);
  }, 600_000);
  afterAll(() => cluster?.stop());

  test('makes, reads, changes and removes under preconditions', async () => {
    const client = await openClient(cluster.kubeconfig);
    const made = await client.create<ConfigMap>(
      { resource: resources.configMaps, namespace },
      configMap('a', { x: '1' }),
    );
    const { uid = '', resourceVersion = '' } = made.metadata;
    expect(await client.get(ref('a'))).toMatchObject({ metadata: { uid, resourceVersion }, data: { x: '1' } });
    const patch = { metadata: { resourceVersion }, data: { x: '2' } };
    const patched = await client.patch<ConfigMap>(ref('a'), patch);
    expect(patched.data).toEqual({ x: '2' });
    expect(patched.metadata.managedFields?.map(({ manager }) => manager)).toEqual(['dapr-mtls']);
    expect(await refusalOf(client.patch(ref('a'), { ...patch, data: { x: '3' } }))).toMatchObject({
      code: 'cluster.conflict',
      failure: { status: 409, reason: 'Conflict' },
    });
    expect(await refusalOf(client.remove(ref('a'), { uid, resourceVersion }))).toMatchObject({
      code: 'cluster.conflict',
    });
    const now = patched.metadata.resourceVersion ?? '';
    expect(await client.remove(ref('a'), { uid, resourceVersion: now }, { dryRun: true })).toBe(true);
    expect(await client.remove(ref('a'), { uid, resourceVersion: now })).toBe(true);
    expect(await client.remove(ref('a'), { uid, resourceVersion: now })).toBe(false);
    expect(await client.get(ref('a'))).toBeUndefined();
  });

  test('shows nothing of the Secret that a 422 repeats', async () => {
    const client = await openClient(cluster.kubeconfig);
    const secretRef = { resource: resources.secrets, namespace, name: 'dapr-trust-bundle' };
    const key = Buffer.from('-----BEGIN PRIVATE KEY-----').toString('base64');
    const secret = { ...configMap(secretRef.name, { 'issuer.key': key }), kind: 'Secret' };
    await client.create(secretRef, secret);
    const refusal = await refusalOf(client.patch(secretRef, { data: { 'ca.crt': 'no base64!' } }));
    expect(refusal).toMatchObject({ code: 'cluster.rejected', failure: { status: expect.toBeOneOf([400, 422]) } });
    expect(JSON.stringify(refusal)).not.toContain(key);
    expect(JSON.stringify(refusal)).not.toContain('no base64');
  });

  test('prints a Role that allows exactly what was refused', async () => {
    const kubeconfig = await cluster.addUser('jane', [{ namespace, resources: ['secrets'], verbs: ['get'] }]);
    const client = await openClient(kubeconfig);
    await cluster.admin.apply([{ ...configMap('held', { x: '1' }) }]);
    for (const attempt of [
      () => client.get(ref('held')),
      () => client.list(resources.deployments)[Symbol.asyncIterator]().next(),
      () => client.create({ resource: resources.configMaps, namespace }, configMap('made')),
    ]) {
      const refusal = await refusalOf(attempt());
      expect(refusal.code).toBe('cluster.forbidden');
      await cluster.admin.kubectl(['apply', '-f', '-'], refusal.hint.slice(refusal.hint.indexOf('apiVersion:')));
      await waitUntil('the Role holds', async () =>
        attempt().then(
          () => true,
          () => false,
        ),
      );
    }
    expect(await refusalOf(client.get(ref('another')))).toMatchObject({ code: 'cluster.forbidden' });
    expect(await client.reviewRules(namespace)).toMatchObject({
      rules: expect.arrayContaining([
        expect.objectContaining({ resources: ['configmaps'], resourceNames: ['held'], verbs: ['get'] }),
      ]),
    });
  });

  test('lists in pages and streams protobuf', async () => {
    const client = await openClient(cluster.kubeconfig);
    const found: string[] = [];
    for await (const { metadata } of client.list(resources.configMaps, { metadataOnly: true }))
      found.push(metadata.name);
    expect(found).toContain('kube-root-ca.crt');
    const accept = 'application/vnd.kubernetes.protobuf, application/json';
    const { contentType, chunks } = await client.stream(resources.pods, {}, accept);
    expect(contentType).toBe('application/vnd.kubernetes.protobuf');
    const parts: Buffer[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    expect(Buffer.concat(parts).subarray(0, 4)).toEqual(Buffer.from('k8s\0'));
  });

  test('watches, and ends at the signal', async () => {
    const client = await openClient(cluster.kubeconfig);
    const stop = new AbortController();
    const seen: string[] = [];
    const query = { namespace, fieldSelector: 'metadata.name=watched' };
    await cluster.admin.apply([{ ...configMap('watched', { x: '1' }) }]);
    for await (const { type, object } of client.watch<ConfigMap & KubeObject>(
      resources.configMaps,
      query,
      stop.signal,
    )) {
      seen.push(`${type} ${object.data.x}`);
      if (seen.length === 1) await client.patch(ref('watched'), { data: { x: '2' } });
      else if (seen.length === 2) await cluster.admin.kubectl(['delete', 'configmap', 'watched', '-n', namespace]);
      else stop.abort();
    }
    expect(seen).toEqual(['ADDED 1', 'MODIFIED 2', 'DELETED 2']);
  });

  test('finds no objects of a kind that is not installed', async () => {
    const client = await openClient(cluster.kubeconfig);
    const resource = { group: 'nobody.example', version: 'v1', plural: 'things', kind: 'Thing', namespaced: true };
    expect(await client.get({ resource, namespace, name: 'x' })).toBeUndefined();
    expect(await client.list(resource)[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
  });
});
