import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { gatherMtlsState, reportMtlsState } from '../../src/app/mtls-state.ts';
import { gatherStatus } from '../../src/app/status/gather.ts';
import { reportStatus } from '../../src/app/status/report.ts';
import { openCluster } from '../../src/cli/open-cluster.ts';
import { readControlPlane } from '../../src/kube/dapr/control-plane.ts';
import { findControlPlane } from '../../src/kube/dapr/find.ts';
import type { Workload } from '../../src/kube/dapr/objects.ts';
import type { Cluster, KubeObject } from '../../src/kube/port.ts';
import { resources } from '../../src/kube/resources.ts';
import type { UserRules } from '../support/api-server/access.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { readForeignBundle } from '../support/fixtures.ts';
import { deployment, pod, replicaSet, statusInstant } from '../support/status-objects.ts';

let server: ApiServer;
let cluster: Cluster;

beforeEach(async () => {
  server = await startApiServer();
  const flags = { context: undefined, kubeconfig: server.kubeconfig(), 'request-timeout': 5 };
  cluster = await openCluster(flags, {});
});
afterEach(async () => {
  cluster.close();
  await server.stop();
});

const apps = { apiVersion: 'apps/v1' };
const allow = (rules: UserRules) => server.allow('admin', rules);
const denying = (verb: 'get' | 'list', resource: string): UserRules => ({ allow: 'all', deny: [{ verb, resource }] });
const pathsAsked = () => server.requests.map(({ method, path }) => `${method} ${path.split('?')[0]}`).sort();

/** Sentry and operator, ready, with their bundle and their Configuration. */
function install(namespace: string, mtls: object | undefined = { enabled: true }): void {
  const { anchors, issuerChain } = readForeignBundle('sentry-1.17');
  const inNamespace = <T extends KubeObject>(object: T): T => ({
    ...object,
    metadata: { ...object.metadata, namespace },
  });
  for (const name of ['dapr-sentry', 'dapr-operator']) {
    server.store.put(
      inNamespace({ ...apps, ...deployment(name, { replicas: 1 }) }),
      inNamespace({ ...apps, kind: 'ReplicaSet', ...replicaSet(name, 'new', 1) }),
      inNamespace({ apiVersion: 'v1', kind: 'Pod', ...pod(name, { hash: 'new' }) }),
    );
  }
  server.store.put(
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'dapr-trust-bundle', namespace },
      data: { 'ca.crt': anchors.toString('base64'), 'issuer.crt': issuerChain.toString('base64') },
    } as KubeObject,
    {
      apiVersion: 'dapr.io/v1alpha1',
      kind: 'Configuration',
      metadata: { name: 'daprsystem', namespace },
      spec: mtls ? { mtls } : {},
    } as KubeObject,
  );
}

/** What the controller says of a Deployment in dapr-system. */
function setRollout(name: string, status: { replicas: number; updatedReplicas: number }): void {
  const ref = { resource: resources.deployments, namespace: 'dapr-system', name };
  server.store.change<Workload>(ref, (object) => ({
    ...object,
    status: { ...status, observedGeneration: object.metadata.generation },
  }));
}

describe('the namespace of the control plane', () => {
  test('is the one that is named, and nothing is asked', async () => {
    expect(await findControlPlane(cluster, 'anywhere')).toBe('anywhere');
    expect(server.requests).toEqual([]);
  });

  test('is dapr-system where Sentry is there, and no other is looked for', async () => {
    install('dapr-system');
    install('second');
    expect(await findControlPlane(cluster)).toBe('dapr-system');
    expect(pathsAsked()).toEqual(['GET /apis/apps/v1/namespaces/dapr-system/deployments/dapr-sentry']);
  });

  test('is found elsewhere', async () => {
    install('mesh');
    expect(await findControlPlane(cluster)).toBe('mesh');
  });

  test('is asked for where there are two', async () => {
    install('second');
    install('first');
    await expect(findControlPlane(cluster)).rejects.toMatchObject({
      code: 'dapr.ambiguous',
      message: expect.stringContaining('first and second'),
      hint: expect.stringContaining('-n first or -n second'),
    });
  });

  test('is missed where there is none', async () => {
    await expect(findControlPlane(cluster)).rejects.toMatchObject({ code: 'dapr.missing' });
  });

  test.each(['get', 'list'] as const)('can be named by who may not %s Deployments', async (verb) => {
    allow(denying(verb, 'deployments'));
    await expect(findControlPlane(cluster)).rejects.toMatchObject({
      code: 'cluster.forbidden',
      message: expect.stringMatching(new RegExp(`${verb}.*deployments`)),
      hint: expect.stringMatching(/-n NAMESPACE.*kind: /s),
    });
  });

  test('is not searched for when the API server fails', async () => {
    install('mesh');
    server.faults.add({ times: 99, do: { status: 500 } });
    await expect(findControlPlane(cluster)).rejects.toMatchObject({ code: 'cluster.rejected' });
  });
});

describe('the set-up of a control plane', () => {
  test('is read in two requests', async () => {
    install('dapr-system', { enabled: true, workloadCertTTL: '1h' });
    expect(await readControlPlane(cluster, 'dapr-system')).toMatchObject({
      sentry: 'present',
      version: '1.17.13',
      mtls: { enabled: true, workloadCertTTL: '1h' },
      unread: [],
    });
    expect(server.requests).toHaveLength(2);
  });

  test('takes the Configuration that Sentry was told to take', async () => {
    install('dapr-system');
    const own = { apiVersion: 'dapr.io/v1alpha1', kind: 'Configuration', spec: { mtls: { workloadCertTTL: '2h' } } };
    server.store.put({ ...own, metadata: { name: 'own', namespace: 'dapr-system' } } as KubeObject);
    const told = { name: 'dapr-sentry', image: 'sentry:1.17.13', args: ['--config', 'own'] };
    server.store.put({
      ...apps,
      ...deployment('dapr-sentry', { replicas: 1 }),
      spec: { template: { spec: { containers: [told] } } },
    } as KubeObject);
    expect(await readControlPlane(cluster, 'dapr-system')).toMatchObject({
      configurationName: 'own',
      mtls: { workloadCertTTL: '2h' },
    });
  });

  test.each(['deployments', 'configurations'])('is what is left where %s may not be read', async (resource) => {
    install('dapr-system');
    allow(denying('get', resource));
    const { sentry, configuration, unread } = await readControlPlane(cluster, 'dapr-system');
    expect([sentry, configuration].sort()).toEqual(['present', 'unknown']);
    expect(unread).toEqual([expect.stringContaining(resource)]);
  });
});

describe('status', () => {
  const status = async (namespace?: string) =>
    reportStatus(await gatherStatus(cluster, namespace), cluster.location, statusInstant);

  test('takes one round of requests, none of them for more than it needs', async () => {
    install('dapr-system');
    for (const name of ['dapr-sentry', 'dapr-operator']) setRollout(name, { replicas: 1, updatedReplicas: 1 });
    const report = await status();
    expect(report.services.map(({ name, healthy }) => [name, healthy])).toEqual([
      ['dapr-sentry', true],
      ['dapr-operator', true],
    ]);
    expect(report.expiry.checked).toBe(true);
    expect(pathsAsked()).toEqual([
      'GET /api/v1/namespaces/dapr-system/pods',
      'GET /api/v1/namespaces/dapr-system/secrets/dapr-trust-bundle',
      'GET /apis/apps/v1/namespaces/dapr-system/deployments',
      'GET /apis/apps/v1/namespaces/dapr-system/statefulsets',
    ]);
  });

  test('asks for the ReplicaSets while one of the rollouts is under way', async () => {
    install('dapr-system');
    setRollout('dapr-operator', { replicas: 1, updatedReplicas: 1 });
    setRollout('dapr-sentry', { replicas: 2, updatedReplicas: 1 });
    const newest = replicaSet('dapr-sentry', 'newest', 2);
    server.store.put({ ...apps, kind: 'ReplicaSet', ...newest } as KubeObject);
    const { services } = await status();
    expect(services.map(({ name, healthy, status }) => [name, healthy, status])).toEqual([
      ['dapr-sentry', false, 'No pods'],
      ['dapr-operator', true, 'Running'],
    ]);
  });

  test('goes to the namespace that holds the control plane', async () => {
    install('mesh');
    expect((await status()).cluster.namespace).toBe('mesh');
    expect((await status('mesh')).services).toHaveLength(2);
  });

  test.each([[undefined], ['empty']])('says in the known words that nothing is there (-n %s)', async (namespace) => {
    await expect(status(namespace)).rejects.toMatchObject({
      code: 'dapr.missing',
      exitCode: 5,
      message: 'No status returned. Is Dapr initialized in your cluster?',
    });
  });

  test('without the right to the Secret lacks the banner alone', async () => {
    install('dapr-system');
    allow(denying('get', 'secrets'));
    const { services, expiry, unread } = await status();
    expect(services.every(({ healthy }) => healthy)).toBe(true);
    expect(expiry).toMatchObject({ checked: false, reason: expect.stringMatching(/may not get .*secret/i) });
    expect(unread).toEqual([]);
  });

  test.each(['deployments', 'statefulsets', 'replicasets'])(
    'without the right to list %s says so',
    async (resource) => {
      install('dapr-system');
      allow(denying('list', resource));
      const { services, unread } = await status();
      expect(services.map(({ healthy }) => healthy)).toEqual([true, true]);
      expect(unread).toEqual([expect.stringContaining(resource)]);
    },
  );

  test('without the right to list pods is refused', async () => {
    install('dapr-system');
    allow(denying('list', 'pods'));
    await expect(status()).rejects.toMatchObject({ code: 'cluster.forbidden', message: expect.stringMatching(/pods/) });
  });
});

describe('mtls', () => {
  const state = async (namespace?: string) =>
    reportMtlsState(await gatherMtlsState(cluster, namespace), cluster.location, statusInstant);

  test.each([
    ['enabled', { enabled: true }, true],
    ['disabled', { enabled: false }, false],
    ['silent', {}, true],
    ['without mtls', undefined, true],
  ])('is as the Configuration says: %s', async (_, mtls, enabled) => {
    install('dapr-system');
    server.store.put({
      apiVersion: 'dapr.io/v1alpha1',
      kind: 'Configuration',
      metadata: { name: 'daprsystem', namespace: 'dapr-system' },
      spec: mtls ? { mtls } : {},
    } as KubeObject);
    expect((await state()).enabled).toBe(enabled);
    expect(server.requests).toHaveLength(3);
  });

  test('is that of the control plane, not of a Configuration of the same name elsewhere', async () => {
    install('mesh', { enabled: false });
    server.store.put({
      apiVersion: 'dapr.io/v1alpha1',
      kind: 'Configuration',
      metadata: { name: 'daprsystem', namespace: 'dapr-system' },
      spec: { mtls: { enabled: true } },
    } as KubeObject);
    expect(await state()).toMatchObject({ enabled: false, cluster: { namespace: 'mesh' } });
  });

  test.each([[undefined], ['dapr-system']])('fails in the known words without Dapr (-n %s)', async (namespace) => {
    await expect(state(namespace)).rejects.toMatchObject({
      code: 'dapr.missing',
      message: expect.stringMatching(/^error checking mTLS: system configuration not found/),
    });
  });

  test('needs no right but the one to the Configuration', async () => {
    install('dapr-system');
    const rule = { verbs: ['get'], apiGroups: ['dapr.io'], resources: ['configurations'] };
    allow({ allow: [rule] });
    expect(await state()).toMatchObject({ enabled: true, expiry: { checked: false } });
    allow(denying('get', 'configurations'));
    await expect(state()).rejects.toMatchObject({ code: 'cluster.forbidden' });
  });
});
