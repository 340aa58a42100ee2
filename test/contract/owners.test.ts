import { afterEach, describe, expect, test } from 'vitest';
import { openCluster } from '../../src/cli/open-cluster.ts';
import { surveyCluster } from '../../src/cli/survey-cluster.ts';
import { findOwners } from '../../src/kube/owners/find-owners.ts';
import type { BundleObject } from '../../src/kube/owners/marked-object.ts';
import { resources } from '../../src/kube/resources.ts';
import type { UserRules } from '../support/api-server/access.ts';
import { startApiServer } from '../support/api-server/server.ts';
import { makeBundle } from '../support/bundles.ts';
import { controlPlaneObjects } from '../support/dapr-control-plane.ts';
import { type ReleaseWishes, releaseSecret } from '../support/helm-release.ts';

const namespace = 'dapr-system';
const pem = { 'ca.crt': 'a root\n', 'issuer.crt': 'an issuer\n', 'issuer.key': 'a secret key\n' };
const config = {
  dapr_sentry: { tls: { root: { certPEM: 'a root\n' }, issuer: { certPEM: 'an issuer\n', keyPEM: 'a secret key\n' } } },
};

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function openWorld({ releases = [{}], rules = { allow: 'all' }, release = 'dapr' }: World = {}) {
  const server = await startApiServer({ users: { user: rules } });
  const bundle = { anchors: pem['ca.crt'], issuerChain: pem['issuer.crt'], issuerKey: pem['issuer.key'] };
  for (const object of controlPlaneObjects({ namespace, bundle })) server.store.put(object);
  for (const wishes of releases) server.store.put(releaseSecret(wishes));
  const flags = { context: undefined, kubeconfig: server.kubeconfig(), 'request-timeout': 15 };
  const cluster = await openCluster(flags, {});
  open.push(async () => {
    cluster.close();
    await server.stop();
  });
  const annotations = release
    ? { 'meta.helm.sh/release-name': release, 'meta.helm.sh/release-namespace': namespace }
    : {};
  const read = async (resource: (typeof resources)['secrets' | 'configMaps']) => {
    const name = 'dapr-trust-bundle';
    const object = await cluster.get<BundleObject>({ resource, namespace, name });
    return object && { ...object, metadata: { ...object.metadata, annotations } };
  };
  const objects = { secret: await read(resources.secrets), configMap: await read(resources.configMaps) };
  const asked = server.requests.length;
  const facts = await findOwners(cluster, namespace, objects);
  return { facts, requests: server.requests.slice(asked) };
}

interface World {
  readonly releases?: readonly ReleaseWishes[];
  readonly rules?: UserRules;
  /** What the objects name as their release; empty: none. */
  readonly release?: string;
}

describe('the release record', () => {
  test("is found by one list of metadata and one GET, its own and nobody else's", async () => {
    const releases = [1, 2, 3].map((revision) => ({
      revision,
      status: revision === 3 ? 'deployed' : 'superseded',
      ...(revision === 3 ? { config, data: pem } : {}),
    }));
    const { facts, requests } = await openWorld({ releases: [...releases, { name: 'other', revision: 9 }] });
    expect(facts.helm).toMatchObject({
      state: 'found',
      release: { name: 'dapr', revisions: [{ revision: 3, values: { issuerKey: true } }] },
    });
    expect(requests.map(({ method, path }) => `${method} ${path.split('?')[0]}`)).toEqual([
      `GET /api/v1/namespaces/${namespace}/secrets`,
      `GET /api/v1/namespaces/${namespace}/secrets/sh.helm.release.v1.dapr.v3`,
    ]);
    expect(requests[0]?.headers.accept).toContain('as=PartialObjectMetadataList');
    expect(requests[0]?.path).toContain(`labelSelector=${encodeURIComponent('owner=helm,name=dapr')}`);
  });

  test('is compared with what is live', async () => {
    const { facts } = await openWorld({ releases: [{ config, data: pem }] });
    if (facts.helm.state !== 'found') throw new Error('no release');
    const [{ rendered }] = facts.helm.release.revisions;
    expect(rendered.Secret).toEqual(facts.live.Secret);
    expect(rendered.ConfigMap).toEqual(facts.live.ConfigMap);
  });

  test('behind one that failed: the deployed one, too', async () => {
    const { facts } = await openWorld({
      releases: [
        { revision: 2, config, data: pem },
        { revision: 10, status: 'failed' },
      ],
    });
    expect(facts.helm).toMatchObject({
      release: {
        revisions: [
          { revision: 10, status: 'failed' },
          { revision: 2, status: 'deployed' },
        ],
      },
    });
  });

  test('is looked for in every release of the namespace where the objects name none', async () => {
    const other = { name: 'other', manifest: '---\nkind: Service\nmetadata: { name: x }\n' };
    const { facts } = await openWorld({ release: '', releases: [other, { name: 'platform', config, data: pem }] });
    expect(facts.helm).toMatchObject({ state: 'found', release: { name: 'platform' } });
  });

  test('is none where no release renders the objects, or there is no release', async () => {
    const other = { name: 'other', manifest: '---\nkind: Service\nmetadata: { name: x }\n' };
    expect((await openWorld({ release: '', releases: [other] })).facts.helm).toEqual({ state: 'none' });
    expect((await openWorld({ release: '', releases: [] })).facts.helm).toEqual({ state: 'none' });
  });

  test('that is kept elsewhere than in Secrets was not checked', async () => {
    expect((await openWorld({ releases: [] })).facts.helm).toMatchObject({ state: 'not-checked' });
  });

  test('that cannot be read was not checked', async () => {
    const { facts } = await openWorld({ releases: [{ stored: 'bm9uZQ==' }] });
    expect(facts.helm).toEqual({ state: 'not-checked', reason: 'the record of Helm release dapr cannot be read' });
  });
});

describe('who may not look', () => {
  test.each(['list', 'get'] as const)("into Helm's Secrets (%s) is told so, without an error", async (verb) => {
    const deny = [{ verb, resource: 'secrets', ...(verb === 'get' ? { name: 'sh.helm.release.v1.dapr.v1' } : {}) }];
    const { facts } = await openWorld({ rules: { allow: 'all', deny } });
    expect(facts.helm).toEqual({
      state: 'not-checked',
      reason: `this user may not read Helm's release Secrets in ${namespace}`,
    });
  });
});

test('no value of the Secret, and none of the release, is in what is found', async () => {
  const { facts } = await openWorld({ releases: [{ config, data: pem }] });
  const text = JSON.stringify(facts);
  for (const value of Object.values(pem)) {
    expect(text).not.toContain(value.trim());
    expect(text).not.toContain(Buffer.from(value).toString('base64').slice(0, 12));
  }
});

test('check -k tells of a release that would put another bundle back', async () => {
  const server = await startApiServer();
  open.push(() => server.stop());
  const { files } = await makeBundle();
  for (const object of controlPlaneObjects({ namespace, bundle: files })) server.store.put(object);
  server.store.put(releaseSecret({ config, data: pem }));
  const flags = {
    dir: undefined,
    'issuer-ca-filename': 'ca.crt',
    'issuer-certificate-filename': 'issuer.crt',
    'issuer-key-filename': 'issuer.key',
    kubernetes: true,
    namespace: undefined,
    context: undefined,
    kubeconfig: server.kubeconfig(),
    'request-timeout': 15,
  };
  const { surroundings } = await surveyCluster(flags, {});
  expect(surroundings.findings.map(({ code }) => code)).toEqual(['owner.reverts', 'owner.helm-values']);
  expect(JSON.stringify(surroundings.findings)).not.toContain('a secret key');
});
