import { afterEach, beforeEach, expect, test } from 'vitest';
import { resources } from '../../src/kube/resources.ts';
import type { SecretObject } from '../../src/store/cluster/objects.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { makeBundle } from '../support/bundles.ts';
import { run } from '../support/command-line.ts';
import { runningControlPlane } from '../support/dapr-control-plane.ts';
import { makeFolder } from '../support/workplace.ts';

const folder = makeFolder('cluster-refusals');
const { files } = await makeBundle({ at: new Date() });
const stranger = await makeBundle({ at: new Date() });
const system = 'dapr-system';
const secret = { resource: resources.secrets, namespace: system, name: 'dapr-trust-bundle' };

let server: ApiServer;

beforeEach(async () => {
  server = await startApiServer();
  server.store.put(...runningControlPlane({ bundle: files }));
});
afterEach(() => server.stop());

const daprMtls = (line: string) =>
  run(line.split(' '), { cwd: folder, env: { KUBECONFIG: server.kubeconfig(), HOME: folder, DAPR_MTLS_SETTLE: '0' } });

const writes = () => server.requests.filter(({ method, query }) => method === 'PATCH' && !query.has('dryRun'));

test.each(['restart -k', 'restart -k --dry-run'])('%s leaves a Sentry alone that would not come back', async (line) => {
  server.store.change<SecretObject>(secret, (object) => ({
    ...object,
    data: { ...object.data, 'issuer.key': stranger.files.issuerKey.toString('base64') },
  }));
  const { status, stdout, stderr } = await daprMtls(line);
  expect({ status, stdout }).toEqual({ status: 4, stdout: '' });
  expect(stderr).toMatch(/issuer key does not match issuer certificate; nothing was restarted/);
  expect(stderr).toContain('dapr-mtls repair -k --from backup');
  expect(writes()).toEqual([]);
});

test.each(['text', 'json'])('a rehearsal (%s) says what it could not look at', async (format) => {
  server.allow('admin', { allow: 'all', deny: [{ verb: 'get', resource: 'secrets' }] });
  const { status, stdout, stderr } = await daprMtls(`restart -k --dry-run --format ${format}`);
  expect(status).toBe(0);
  expect(stdout).toContain('dapr-sentry');
  expect(stderr).toMatch(
    /^Not checked whether Sentry accepts the bundle, and whether Secret and ConfigMap hold the same anchors: .*secrets/m,
  );
});

test.each(['check -k', 'probe -k'])('%s of a namespace without a control plane finds none', async (line) => {
  expect(await daprMtls(`${line} -n wrong`)).toMatchObject({
    status: 5,
    stdout: '',
    stderr: expect.stringMatching(/there is no control plane in namespace wrong/),
  });
});

test.each(['check -k', 'probe -k'])('%s looks at what is left of a control plane', async (line) => {
  server.store.remove({ resource: resources.deployments, namespace: system, name: 'dapr-sentry' });
  server.store.remove(secret);
  expect(await daprMtls(`${line} -n ${system}`)).toMatchObject({
    status: 10,
    stdout: expect.stringContaining('dapr-mtls repair -k -n dapr-system --from backup'),
  });
});

test('check without a Secret says that no Sentry starts, and a copy brings it back', async () => {
  expect((await daprMtls('backup create -k')).status).toBe(0);
  server.store.remove(secret);
  const { status, stdout } = await daprMtls('check -k');
  expect(status).toBe(10);
  expect(stdout).toMatch(/error cluster\.secret-missing: Secret dapr-system\/dapr-trust-bundle\n.* exits/);
  expect(stdout).not.toContain('bundle.missing');
  expect((await daprMtls('repair -k --from backup')).status).toBe(0);
  expect((await daprMtls('check -k')).stdout).not.toContain('error');
});

test('the copy that check asks for brings back a part of the Secret', async () => {
  expect((await daprMtls('backup create -k')).status).toBe(0);
  server.store.change<SecretObject>(secret, (object) => ({ ...object, data: { ...object.data, 'issuer.key': '' } }));
  const { stdout } = await daprMtls('check -k');
  expect(stdout).toContain('`dapr-mtls backup restore -k`');
  expect((await daprMtls('backup restore -k')).status).toBe(0);
  expect((await daprMtls('check -k')).stdout).not.toContain('error');
});

test('a bridge on a Dapr whose version may not be read comes with a warning, also when nobody wants remarks', async () => {
  server.allow('admin', { allow: 'all', deny: [{ verb: 'get', resource: 'deployments' }] });
  const warning = /^Warning: which version of Dapr runs there is not known/m;
  const line = 'renew-certificate -k -n dapr-system --dry-run --quiet';
  expect(await daprMtls(line)).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('Procedure: bridge'),
    stderr: expect.stringMatching(warning),
  });
  expect((await daprMtls(`${line} --dapr-version 1.17`)).stderr).not.toMatch(warning);
});
