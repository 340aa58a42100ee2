import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { resources } from '../../src/kube/resources.ts';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import type { ConfigMapObject, SecretObject } from '../../src/store/cluster/objects.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { makeBundle } from '../support/bundles.ts';
import { run, runAny } from '../support/command-line.ts';
import { injectedWorkload } from '../support/dapr/injected-pods.ts';
import { runningControlPlane } from '../support/dapr-control-plane.ts';
import { shellCommandOf } from '../support/program-under-test.ts';
import { makeFolder, makeWorkplace } from '../support/workplace.ts';

const parent = makeFolder('cluster-lines');
const { files, rootKey } = await makeBundle({ at: new Date() });
const own = '--ca-root-certificate ca.crt --issuer-private-key issuer.key --issuer-public-certificate issuer.crt';
const rotated =
  /^Starting certificate rotation\nCertificate rotation is successful! Your new certicate is valid through \w{3}, \d\d \w{3} \d{4} [\d:]{8} UTC\n$/;

let server: ApiServer;
let folder: string;

beforeEach(async (context) => {
  server = await startApiServer();
  server.store.put(...runningControlPlane({ bundle: files }));
  folder = await makeWorkplace(parent, context.task.id);
  writeFileSync(join(folder, 'running-root.key'), encodePrivateKey(rootKey), { mode: 0o600 });
  writeFileSync(join(folder, 'bad.key'), 'no key at all\n');
});
afterEach(() => server.stop());

/** No Sentry runs here that would have to be waited for. */
const noWait = { DAPR_MTLS_SETTLE: '0', DAPR_MTLS_TEST_CLUSTER_PAUSE_MS: '0' };

/** A line of Dapr's documentation, as people type it. */
const dapr = (line: string) =>
  run(line.split(' ').slice(1), {
    program: 'dapr',
    cwd: folder,
    env: { KUBECONFIG: server.kubeconfig(), HOME: folder, ...noWait },
  });

test('an image with a tag of its own, below 1.12, does not hide the ConfigMap', async () => {
  const sentry = { resource: resources.deployments, namespace: 'dapr-system', name: 'dapr-sentry' };
  server.store.change(sentry, (deployment) =>
    JSON.parse(
      JSON.stringify(deployment).replace(/"image":"[^"]*dapr[^"]*"/g, '"image":"registry.example/dapr-sentry:1.4.2"'),
    ),
  );
  expect((await dapr('dapr mtls renew-certificate -k --procedure replace')).status).toBe(0);
  const bundle = { namespace: 'dapr-system', name: 'dapr-trust-bundle' };
  const secret = server.store.get<SecretObject>({ resource: resources.secrets, ...bundle });
  const configMap = server.store.get<ConfigMapObject>({ resource: resources.configMaps, ...bundle });
  expect(Buffer.from(secret?.data?.['ca.crt'] ?? '', 'base64').toString()).toBe(configMap?.data?.['ca.crt']);
});

test('--restart without the right to restart is refused before the bundle is renewed', async () => {
  const secret = () =>
    JSON.stringify(
      server.store.get({ resource: resources.secrets, namespace: 'dapr-system', name: 'dapr-trust-bundle' }),
    );
  const before = secret();
  server.allow('admin', { allow: 'all', deny: [{ verb: 'patch', resource: 'deployments' }] });
  const { status, stderr } = await dapr('dapr mtls renew-certificate -k --restart');
  expect(status).toBe(3);
  expect(stderr).toContain('patch');
  expect(secret()).toBe(before);
});

/** What waits for pods to come back (--restart) is proved on a real cluster: test/cluster/scenarios.test.ts. */
describe('lines of the documentation, and the words that scripts look for', () => {
  test.each<[string, RegExp]>([
    [
      'dapr mtls expiry',
      /^Root certificate expires in 87\d\d hours\. Expiry date: \d{4}-\d\d-\d\d [\d:]{8} \+0000 UTC\n$/,
    ],
    ['dapr mtls export', /^Trust certs successfully exported to \/.*\n$/],
    ['dapr mtls export -o ./exported', /^Trust certs successfully exported to \/.*\/exported\n$/],
    ['dapr mtls renew-certificate -k --valid-until 365', rotated],
    ['dapr mtls renew-cert --kubernetes --valid-until=20 --restart=false', rotated],
    ['dapr mtls rnc -k=true --timeout 120', rotated],
    ['dapr mtls renew-certificate -k --private-key root.key --passphrase-file passphrase --valid-until 20', rotated],
    ['dapr mtls renew-certificate -k --private-key running-root.key', rotated],
    [`dapr mtls renew-certificate -k ${own}`, rotated],
    ['dapr mtls check -k', /Sentry and its clients accept this bundle/],
    ['dapr mtls audit', /^No sidecars/],
  ])('%s', async (line, words) => {
    expect(await dapr(line)).toMatchObject({ status: 0, stdout: expect.stringMatching(words) });
  });

  test.each<[string, number, RegExp]>([
    ['dapr mtls renew-certificate', 2, /required flag\(s\) "kubernetes" not set/],
    [
      'dapr mtls renew-certificate -k --ca-root-certificate ca.crt',
      2,
      /certificate rotation failed: all required flags for this certificate rotation path, /,
    ],
    [
      'dapr mtls renew-certificate -k --private-key gone.key',
      5,
      /certificate rotation failed: open gone\.key: no such file or directory/,
    ],
    ['dapr mtls renew-certificate -k --private-key bad.key', 4, /bad\.key holds no private key/],
    [`dapr mtls renew-certificate -k ${own} --private-key root.key`, 2, /exclude each other/],
    ['dapr mtls renew-certificate -k --image-variant mariner', 2, /found image variant ""/],
    ['dapr init -k', 6, /^Error: /],
    ['dapr init -k --enable-mtls=false --wait --timeout 600', 6, /^Error: /],
    ['dapr list -k', 2, /these words belong to the official dapr CLI/],
  ])('%s is refused', async (line, status, words) => {
    const before = server.requests.length;
    expect(await dapr(line)).toMatchObject({ status, stdout: '', stderr: expect.stringMatching(words) });
    expect(server.requests.slice(before).filter(({ method }) => method !== 'GET' && method !== 'POST')).toEqual([]);
  });
});

test('a day in a cluster: export, renew, look, go back', async () => {
  expect((await dapr('dapr mtls export -o before')).status).toBe(0);
  expect(readFileSync(join(folder, 'before', 'ca.crt'))).toEqual(files.anchors);
  const renewed = await dapr('dapr mtls renew-certificate -k --valid-until 20');
  expect(renewed).toMatchObject({ status: 0, stderr: expect.stringContaining('Secret dapr-system/dapr-mtls-backup') });
  const warned = await dapr('dapr status -k');
  expect(warned.stderr).toMatch(/Dapr root certificate of your Kubernetes cluster expires in 19 days\. Expiry date: /);
  expect((await dapr('dapr mtls check -k')).status).toBe(10);
  expect((await dapr('dapr mtls backup list')).stdout).toMatch(/^ID .*\n0001 +renew-certificate/);
  const restored = await dapr('dapr mtls backup restore -k');
  expect(restored).toMatchObject({ status: 0, stdout: expect.stringMatching(/^The bundle of 0001 is in its place/) });
  expect((await dapr('dapr mtls export -o after')).status).toBe(0);
  expect(readFileSync(join(folder, 'after', 'ca.crt'))).toEqual(files.anchors);
});

test('what is written to commit holds the key only when that is asked for, and the cluster is left alone', async () => {
  const refused = await dapr('dapr mtls renew-certificate -k --output-helm-values values.yaml');
  expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('--with-issuer-key') });
  expect(existsSync(join(folder, 'values.yaml'))).toBe(false);
  const written = await dapr('dapr mtls renew-certificate -k --output-helm-values values.yaml --with-issuer-key');
  expect(written.status, written.stderr).toBe(0);
  expect(readFileSync(join(folder, 'values.yaml'), 'utf8')).toContain('PRIVATE KEY');
  expect(written.stdout + written.stderr).not.toContain('PRIVATE KEY');
  expect((await dapr('dapr mtls expiry')).stdout).toMatch(/expires in 87\d\d hours/);
  expect(server.requests.filter(({ method }) => method === 'PATCH' || method === 'DELETE')).toEqual([]);
});

describe('a renewal that cuts sidecars off', () => {
  const line = 'dapr mtls renew-certificate -k --procedure replace';
  const told =
    /Warning: 2 sidecars of 1 workload will not verify the new issuer's certificates until their pods are re-created: shop\/Deployment\/checkout \(2\)\. `dapr-mtls rotate run -k` leaves nobody behind/;

  beforeEach(() => {
    server.store.put(...injectedWorkload({ anchors: files.anchors.toString(), replicas: 2 }));
  });

  test('says so, and a script goes on as with the official CLI', async () => {
    expect(await dapr(line)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(rotated),
      stderr: expect.stringMatching(told),
    });
    expect((await dapr('dapr mtls audit')).stdout).toMatch(/^2 sidecars in 1 workload: 0 current, 2 broken/);
  });

  test.each([
    ['n', 2],
    ['y', 0],
  ])('asks who sits at a terminal: %s', async (answer, status) => {
    const words = `${shellCommandOf('dapr')} ${line.slice('dapr '.length)}`;
    const { stdout, ...outcome } = await runAny('script', ['-qec', words, '/dev/null'], {
      env: { TERM: 'xterm', KUBECONFIG: server.kubeconfig(), ...noWait },
      input: `${answer}\n`,
    });
    expect(stdout).toMatch(told);
    expect(stdout).toContain('Replace the bundle? [y/N]');
    expect(outcome.status).toBe(status);
    // The claim on the bundle is taken before the question, and given back.
    const writes = server.requests.filter(
      ({ method, path }) => method !== 'GET' && path.includes('/secrets/dapr-trust-bundle'),
    );
    expect(writes.length > 0).toBe(status === 0);
  });
});

test('to replace a bundle that cannot be read cuts off who runs on it, and a copy is the way out', async () => {
  server.store.put(...injectedWorkload({ anchors: files.anchors.toString(), replicas: 2 }));
  expect((await dapr('dapr mtls backup create -k')).status).toBe(0);
  const bundle = { namespace: 'dapr-system', name: 'dapr-trust-bundle' };
  const cut = files.anchors.toString().slice(0, 300);
  server.store.change<SecretObject>({ resource: resources.secrets, ...bundle }, (secret) => ({
    ...secret,
    data: { ...secret.data, 'ca.crt': Buffer.from(cut).toString('base64') },
  }));
  server.store.change<ConfigMapObject>({ resource: resources.configMaps, ...bundle }, (configMap) => ({
    ...configMap,
    data: { ...configMap.data, 'ca.crt': cut },
  }));
  const told = (mend: string) =>
    new RegExp(
      [
        'Warning: 2 sidecars of 1 workload will not verify .*`dapr-mtls backup list -k`[^]*',
        'Warning: who holds the anchors from before the damage does not verify certificates of the new issuer\\.\n[^]*',
        `${mend}a copy from before the damage: \`dapr-mtls backup list -k\``,
      ].join(''),
    );
  const dry = await dapr('dapr mtls renew-certificate -k --dry-run');
  expect(dry).toMatchObject({ status: 0, stderr: expect.stringMatching(told('Without cutting anybody off: ')) });
  expect(dry.stderr).not.toContain('rotate');
  const lines = dry.stdout.split('\n').filter((line) => line.includes('anchors'));
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}the anchors from before the damage +- +NO$/));
  const renewed = await dapr('dapr mtls renew-certificate -k');
  expect(renewed).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(told('Restart Sentry and every sidecar now. What cuts nobody off is ')),
  });
});

test('a terminal gets the tables, colour included', async () => {
  const line = `stty cols 80; ${shellCommandOf('dapr')} mtls expiry`;
  const { stdout } = await runAny('script', ['-qec', line, '/dev/null'], {
    env: { TERM: 'xterm', KUBECONFIG: server.kubeconfig() },
  });
  expect(stdout).toMatch(/^Root certificate expires in[\s\S]*ROLE\s+STATUS\s+ENDS IN/);
  expect(stdout).toContain('\u001b[32mvalid');
});
