import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { decodeRecord } from '../../src/app/rotate/record.ts';
import { quotePosix } from '../../src/app/shell-quote.ts';
import { resources } from '../../src/kube/resources.ts';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import type { SecretObject } from '../../src/store/cluster/objects.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { makeBundle } from '../support/bundles.ts';
import { run } from '../support/command-line.ts';
import { injectorOf } from '../support/dapr/injected-pods.ts';
import { runningControlPlane } from '../support/dapr-control-plane.ts';
import { makeFolder } from '../support/workplace.ts';

const { files, bundle: made } = await makeBundle({ at: new Date() });
const system = 'dapr-system';
const secret = { resource: resources.secrets, namespace: system, name: 'dapr-trust-bundle' };
const record = { ...secret, name: 'dapr-mtls-rotation' };
const goOnOrUndo = (way: string) =>
  `Go on with it (\`dapr-mtls rotate run${way}\`) or undo it (\`dapr-mtls rotate undo${way}\`), then run this command again.`;

describe('in a cluster, beside a rotation', () => {
  const folder = makeFolder('rotation-refusals');
  let server: ApiServer;
  const daprMtls = (line: string) =>
    run(line.split(' '), {
      cwd: folder,
      env: { KUBECONFIG: server.kubeconfig(), HOME: folder, DAPR_MTLS_SETTLE: '0' },
    });

  beforeAll(async () => {
    server = await startApiServer({ admit: injectorOf(() => files.anchors.toString()) });
    server.store.put(...runningControlPlane({ bundle: files }));
    const { status, stderr } = await daprMtls('rotate run -k --restart none --ignore-owner helm');
    expect(stderr).toContain('switch: the bundle is written and read back');
    expect(status).toBe(8);
    expect(server.store.get<SecretObject>(record)?.data).toHaveProperty(['rotation.json']);
  });
  afterAll(() => server.stop());
  beforeEach(() => server.allow('admin', { allow: 'all' }));

  const bundle = () => server.store.get<SecretObject>(secret);

  test.each([
    'renew-certificate -k',
    'renew-certificate -k --output-manifest handed-out.yaml --with-issuer-key',
    'backup restore 0001 -k',
    'repair -k --from backup --backup 0001 --yes',
    'config set workloadCertTTL=1h -k',
    'config set enabled=true allowedClockSkew=5m -k',
    'config set controlPlaneTrustDomain=other.local -k',
    'init -k --trust-only',
  ])('%s is refused, and the way on is named', async (line) => {
    const before = bundle();
    const { status, stdout, stderr } = await daprMtls(line);
    expect({ status, stdout }, stderr).toEqual({ status: 6, stdout: '' });
    expect(stderr).toMatch(
      /^Error: a rotation is under way, begun \S+ by \S+@.+, in its phase switch; nothing was written$/m,
    );
    expect(stderr).toContain(goOnOrUndo(' -k'));
    expect(bundle()).toEqual(before);
  });

  test.each([
    ['repair -k', 0],
    ['repair -k --from backup --backup 0001 --dry-run', 0],
    // What the rotation has recorded is no harm, and mends one that has stopped.
    ['repair -k --from secret --yes', 0],
    ['backup restore -k', 0],
    ['renew-certificate -k --dry-run', 0],
    ['backup create -k', 0],
    ['config set enabled=true -k', 0],
    ['rotate status -k', 0],
  ])('%s goes on', async (line, expected) => {
    const before = bundle();
    const { status, stderr } = await daprMtls(line);
    expect(status, stderr).toBe(expected);
    expect(bundle()?.data).toEqual(before?.data);
  });

  test('who may not read the record is told, and does as before', async () => {
    server.allow('admin', {
      allow: 'all',
      deny: [{ verb: 'get', resource: 'secrets', name: 'dapr-mtls-rotation' }],
    });
    const { status, stderr } = await daprMtls('config set workloadCertTTL=12h -k');
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/^Not checked whether a rotation is under way: .*get secrets/m);
  });
});

describe('in a directory, beside a rotation', () => {
  const folder = makeFolder('rotation-refusals-directory');
  const daprMtls = (line: string) =>
    run(line.split(' '), { cwd: folder, env: { HOME: folder, DAPR_MTLS_SETTLE: '0' } });
  const read = () =>
    ['ca.crt', 'issuer.crt', 'issuer.key'].map((name) => readFileSync(join(folder, 'certs', name), 'utf8'));

  beforeAll(async () => {
    await daprMtls('init --dir certs');
    await daprMtls('backup create --dir certs');
    expect((await daprMtls('rotate run --dir certs')).status).toBe(8);
    const saved = readFileSync(join(folder, 'certs.mtls', 'rotation.json'));
    expect(decodeRecord(saved).state).toBe('running');
  });

  test.each([
    'renew-certificate --dir certs',
    'backup restore --dir certs',
    'config set workloadCertTTL=1h --dir certs --config config.yaml',
    'init --dir certs --force',
  ])('%s is refused, and the way on is named', async (line) => {
    const before = read();
    const { status, stdout, stderr } = await daprMtls(line);
    expect({ status, stdout }, stderr).toEqual({ status: 6, stdout: '' });
    expect(stderr).toMatch(/^Error: a rotation is under way, begun /m);
    expect(stderr).toContain(goOnOrUndo(` --dir ${quotePosix(join(folder, 'certs'))}`));
    expect(read()).toEqual(before);
  });

  test('what is meant has to be said, and a Configuration has to be there', async () => {
    const { status, stdout } = await daprMtls('rotate --format json');
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'Error',
      message: 'rotate needs a command behind it: confirm, plan, run, status, undo',
    });
    const missing = await daprMtls('rotate plan --dir certs --config nowhere.yaml');
    expect(missing.status).toBe(5);
    expect(missing.stderr).toContain('--config nowhere.yaml: there is no such file');
  });

  test('none is begun on a key that nobody can read, and the mend is said', async () => {
    await daprMtls('init --dir sealed');
    writeFileSync(join(folder, 'sealed', 'issuer.key'), encodePrivateKey(made.issuerKey, 'a long one'));
    writeFileSync(join(folder, 'passphrase'), 'a long one\n');
    for (const line of ['rotate plan --dir sealed', 'rotate run --dir sealed --passphrase-file passphrase']) {
      const { status, stdout, stderr } = await daprMtls(line);
      expect({ status, stdout }, stderr).toEqual({ status: 4, stdout: '' });
      expect(stderr).toContain('the issuer key issuer.key in');
      expect(stderr).toContain('`openssl pkcs8 -in issuer.key -out clear.key`');
    }
  });

  test('once it has ended, a renewal is free again', async () => {
    expect((await daprMtls('rotate undo --dir certs')).status).toBe(8);
    expect((await daprMtls('rotate confirm issuer-switched --dir certs')).status).toBe(0);
    expect((await daprMtls('rotate run --dir certs')).status).toBe(0);
    expect((await daprMtls('renew-certificate --dir certs')).status).toBe(0);
  });
});
