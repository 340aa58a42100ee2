import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { resources } from '../../src/kube/resources.ts';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { claimKey } from '../../src/store/cluster/claim.ts';
import { keeperRef } from '../../src/store/cluster/keeper.ts';
import { type ConfigMapObject, configMapRef, type SecretObject, secretRef } from '../../src/store/cluster/objects.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { makeBundle } from '../support/bundles.ts';
import { run } from '../support/command-line.ts';
import { runningControlPlane } from '../support/dapr-control-plane.ts';
import { releaseSecret } from '../support/helm-release.ts';
import { schemaViolations } from '../support/schema.ts';
import { makeFolder } from '../support/workplace.ts';

const folder = makeFolder('cluster-owners');
const place = { namespace: 'dapr-system' };
const { files } = await makeBundle({ at: new Date() });
const other = (await makeBundle({ at: new Date() })).files;

let server: ApiServer;

beforeEach(async () => {
  server = await startApiServer();
  server.store.put(...runningControlPlane({ bundle: files }));
});
afterEach(() => server.stop());

/** A release whose values hold a bundle, as the official CLI's renewal leaves it. */
function storeInRelease({ anchors, issuerChain, issuerKey }: BundleFiles): void {
  const [certPEM, issuerPEM, keyPEM] = [anchors, issuerChain, issuerKey].map(String);
  const data = { 'ca.crt': certPEM, 'issuer.crt': issuerPEM, 'issuer.key': keyPEM } as Record<string, string>;
  const config = { dapr_sentry: { tls: { root: { certPEM }, issuer: { certPEM: issuerPEM, keyPEM } } } };
  server.store.put(releaseSecret({ config, data }));
}

const daprMtls = (line: string) =>
  run(line.split(' '), {
    cwd: folder,
    env: {
      KUBECONFIG: server.kubeconfig(),
      HOME: folder,
      DAPR_MTLS_SETTLE: '0',
      DAPR_MTLS_TEST_CLUSTER_PAUSE_MS: '0',
    },
  });

const secret = () => server.store.get<SecretObject>(secretRef(place));
const configMap = () => server.store.get<ConfigMapObject>(configMapRef(place));
const bundle = () => JSON.stringify([secret(), configMap()]);
const anchors = () => [
  Buffer.from(secret()?.data?.['ca.crt'] ?? '', 'base64').toString(),
  configMap()?.data?.['ca.crt'],
];
const publishOther = () =>
  server.store.change<ConfigMapObject>(configMapRef(place), (map) => ({
    ...map,
    data: { ...map.data, 'ca.crt': other.anchors.toString() },
  }));

describe('backup restore -k', () => {
  test('stops where a release would put another bundle back, and has written nothing', async () => {
    expect((await daprMtls('renew-certificate -k')).status).toBe(0);
    storeInRelease(other);
    const before = bundle();
    const { status, stdout, stderr } = await daprMtls('backup restore -k');
    expect({ status, stdout }).toEqual({ status: 6, stdout: '' });
    expect(stderr).toContain('Helm release dapr stores another bundle in its values (revision 1)');
    expect(stderr.split('\n').filter((line) => /^ {2}\S/.test(line))).toEqual([
      '  dapr-mtls backup restore -k --ignore-owner helm',
    ]);
    expect(bundle()).toBe(before);
    expect(server.store.get<SecretObject>(keeperRef(place))?.data?.[claimKey]).toBeUndefined();
    const document = JSON.parse((await daprMtls('backup restore -k --format json')).stdout);
    expect(schemaViolations(document)).toEqual([]);
    expect(document).toMatchObject({ kind: 'Error', code: 'store.owned', exitCode: 6 });
    expect(JSON.stringify(document) + stderr).not.toContain('PRIVATE KEY');
    expect((await daprMtls('backup list')).stdout).not.toContain('0002');
  });

  test('goes on where that is put up with, and says who will undo it', async () => {
    expect((await daprMtls('renew-certificate -k')).status).toBe(0);
    storeInRelease(other);
    const { status, stdout, stderr } = await daprMtls('backup restore -k --ignore-owner helm');
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: expect.stringContaining('The bundle of 0001 is in its place'),
    });
    expect(stderr).toContain('Warning: Helm release dapr stores another bundle');
    expect(anchors()).toEqual([files.anchors.toString(), files.anchors.toString()]);
  });

  test('is not stopped by a release that stores the very copy', async () => {
    storeInRelease(files);
    expect((await daprMtls('renew-certificate -k')).status).toBe(6);
    expect((await daprMtls('renew-certificate -k --ignore-owner helm')).status).toBe(0);
    const { status, stderr } = await daprMtls('backup restore -k');
    expect(status, stderr).toBe(0);
    expect(stderr).not.toContain('Helm release dapr stores another bundle');
    expect(anchors()).toEqual([files.anchors.toString(), files.anchors.toString()]);
  });
});

describe('repair -k --from', () => {
  const aloud = /^WARNING: THIS REPAIR WILL BE UNDONE by Helm release dapr\. .*`dapr-mtls check -k`/m;

  test.each(['repair -k --from secret', 'repair -k --from secret --quiet'])(
    '%s goes on in the bad hour, and says aloud who will undo it',
    async (line) => {
      storeInRelease(other);
      publishOther();
      const { status, stdout, stderr } = await daprMtls(line);
      expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('hold one bundle again') });
      expect(stderr).toContain('Warning: Helm release dapr stores another bundle in its values (revision 1)');
      expect(stderr).toMatch(aloud);
      expect(stderr).not.toContain('PRIVATE KEY');
      expect(anchors()).toEqual([files.anchors.toString(), files.anchors.toString()]);
    },
  );

  test('is told the same by a rehearsal, which writes nothing', async () => {
    storeInRelease(other);
    publishOther();
    const before = bundle();
    const { status, stderr } = await daprMtls('repair -k --from secret --dry-run');
    expect(status).toBe(0);
    expect(stderr).toMatch(aloud);
    expect(bundle()).toBe(before);
  });

  test('says nothing of a release that stores what the repair leads to', async () => {
    storeInRelease(files);
    publishOther();
    const { status, stderr } = await daprMtls('repair -k --from secret');
    expect(status).toBe(0);
    expect(stderr).not.toMatch(/^(Warning|WARNING)/m);
  });

  test('warns of a Secret, too, that is made anew', async () => {
    expect((await daprMtls('backup create -k')).status).toBe(0);
    storeInRelease(other);
    server.store.remove(secretRef(place));
    const { status, stderr } = await daprMtls('repair -k --from backup');
    expect(status).toBe(0);
    expect(stderr).toMatch(aloud);
    expect(anchors()).toEqual([files.anchors.toString(), files.anchors.toString()]);
  });

  test('is not stopped where owners cannot be found out', async () => {
    storeInRelease(other);
    publishOther();
    const isList = ({ path }: { path: string }) => path.includes('owner%3Dhelm');
    server.faults.add({ when: isList, do: { status: 500 }, times: 20 });
    const { status, stderr } = await daprMtls('repair -k --from secret');
    server.faults.clear();
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/^WARNING: who else keeps the bundle, and would undo this, was not checked: /m);
    expect(anchors()).toEqual([files.anchors.toString(), files.anchors.toString()]);
  });

  test('tells where this user may not look', async () => {
    storeInRelease(other);
    publishOther();
    server.allow('admin', { allow: 'all', deny: [{ verb: 'list', resource: 'secrets' }] });
    const { status, stderr } = await daprMtls('repair -k --from secret');
    expect(status).toBe(0);
    expect(stderr).toMatch(/^Note: Helm: whether an upgrade would undo this was not checked: /m);
  });
});

test('what is asked of owners names no resource beyond Helm records', async () => {
  storeInRelease(other);
  publishOther();
  const begun = server.requests.length;
  await daprMtls('repair -k --from secret');
  const lists = server.requests.slice(begun).filter(({ target }) => target?.verb === 'list');
  expect(lists.map(({ target }) => target?.kind.plural)).toEqual([resources.secrets.plural]);
  expect(lists[0]?.path).toContain('owner%3Dhelm');
});
