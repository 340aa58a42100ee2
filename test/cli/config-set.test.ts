import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KubeObject } from '../../src/kube/port.ts';
import { resources } from '../../src/kube/resources.ts';
import { restartedAtAnnotation } from '../../src/kube/rollout/pod.ts';
import { dayMs, makeBundle } from '../support/bundles.ts';
import { run } from '../support/command-line.ts';
import { clusterObjects, type RollingCluster, startRollingCluster } from '../support/rolling-cluster.ts';
import { schemaViolations } from '../support/schema.ts';
import { makeFolder, makeWorkplace } from '../support/workplace.ts';

const folder = makeFolder('config-set');
const namespace = 'dapr-system';
const configuration = { resource: resources.configurations, namespace, name: 'daprsystem' };

type Settings = KubeObject & { readonly spec: { readonly mtls: Readonly<Record<string, unknown>> } };
type Rolling = KubeObject & {
  readonly spec: {
    readonly template: { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } };
  };
};

describe('in a cluster', () => {
  let cluster: RollingCluster;
  beforeEach(async () => {
    const { files } = await makeBundle({ at: new Date(), issuerValidMs: 100 * dayMs });
    cluster = await startRollingCluster(clusterObjects(files));
  });
  afterEach(() => cluster.server.stop());

  const daprMtls = (line: string) =>
    run(['mtls', ...line.split(' ')], { cwd: folder, env: { KUBECONFIG: cluster.server.kubeconfig(), HOME: folder } });
  const mtls = () => cluster.server.store.get<Settings>(configuration)?.spec.mtls;
  const restarted = () =>
    [resources.deployments, resources.statefulSets]
      .flatMap((resource) => cluster.server.store.objects<Rolling>(resource))
      .filter(({ spec }) => spec.template.metadata.annotations?.[restartedAtAnnotation] !== undefined)
      .map(({ metadata }) => metadata.name)
      .sort();

  test("the documentation's example is refused against the default skew, and names the pair that is taken", async () => {
    const refused = await daprMtls('config set workloadCertTTL=5m -k');
    expect([refused.status, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toContain('`dapr-mtls config set workloadCertTTL=5m allowedClockSkew=1m -k`');
    const taken = await daprMtls('config set workloadCertTTL=5m allowedClockSkew=1m -k');
    expect([taken.status, taken.stderr]).toEqual([0, expect.stringContaining('Restart Sentry: it reads')]);
    expect([mtls(), restarted()]).toEqual([
      expect.objectContaining({ workloadCertTTL: '5m', allowedClockSkew: '1m' }),
      [],
    ]);
  });

  test('--restart restarts Sentry alone for the life of certificates, and waits for it', async () => {
    const { status, stdout, stderr } = await daprMtls(
      'config set workloadCertTTL=25s allowedClockSkew=5s -k --restart --format json',
    );
    expect([status, stderr]).toEqual([0, expect.stringContaining('deploy/dapr-sentry is back')]);
    expect(schemaViolations(JSON.parse(stdout))).toEqual([]);
    expect(stderr).not.toContain('Restart Sentry');
    expect(restarted()).toEqual(['dapr-sentry']);
  });

  test('--restart restarts everybody for an address, and says that sidecars are left', async () => {
    const { status, stderr } = await daprMtls('config set sentryAddress=dapr-sentry.dapr-system.svc:443 -k --restart');
    expect([status, stderr]).toEqual([0, expect.stringContaining('Re-create them: `dapr-mtls restart -k --apps -A`')]);
    expect(restarted()).toEqual([
      'dapr-operator',
      'dapr-placement-server',
      'dapr-scheduler-server',
      'dapr-sentry',
      'dapr-sidecar-injector',
    ]);
  });

  test('what stands there already is not written again; --restart restarts for it all the same', async () => {
    await daprMtls('config set workloadCertTTL=12h -k');
    const version = () => cluster.server.store.get<Settings>(configuration)?.metadata.resourceVersion;
    const before = version();
    const { status, stdout, stderr } = await daprMtls('config set workloadCertTTL=12h -k');
    expect([status, stderr]).toEqual([
      0,
      expect.stringContaining(
        'Nothing is written: these settings stand in Configuration dapr-system/daprsystem already',
      ),
    ]);
    expect(stdout).toMatch(/workloadCertTTL +12h/);
    expect(stderr).not.toMatch(/Restart|Written/);
    await daprMtls('config set workloadCertTTL=12h -k --restart');
    expect([version(), restarted()]).toEqual([before, ['dapr-sentry']]);
  });

  test('of a namespace without a control plane nothing is shown, as nothing is judged', async () => {
    for (const words of ['config view', 'config check', 'config set enabled=true']) {
      const { status, stdout } = await daprMtls(`${words} -k -n nowhere --format json`);
      expect([status, JSON.parse(stdout).code]).toEqual([5, 'dapr.missing']);
    }
  });

  test('nothing is written where Sentry could not be restarted afterwards', async () => {
    const before = mtls();
    cluster.server.store.change<KubeObject>(
      { resource: resources.deployments, namespace, name: 'dapr-sentry' },
      (found) => ({ ...found, spec: { ...(found as unknown as { spec: object }).spec, paused: true } }),
    );
    const { status, stderr } = await daprMtls('config set workloadCertTTL=12h -k --restart');
    expect([status, stderr]).toEqual([7, expect.stringContaining('paused')]);
    expect(mtls()).toEqual(before);
  });

  test('a life beyond the issuer is refused; who may not read the issuer is told that it was not judged', async () => {
    const refused = await daprMtls('config set workloadCertTTL=2401h -k');
    expect([refused.status, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/reaches beyond the issuer.*at most 2399h/s),
    ]);
    cluster.server.allow('admin', {
      allow: 'all',
      deny: [{ verb: 'get', resource: 'secrets', name: 'dapr-trust-bundle' }],
    });
    const unjudged = await daprMtls('config set workloadCertTTL=2401h -k');
    expect([unjudged.status, unjudged.stderr]).toEqual([
      0,
      expect.stringContaining('Not checked whether the issuer outlives the certificates'),
    ]);
  });
});

describe('in a directory', () => {
  test('a life beyond the issuer is refused, and so is --restart', async () => {
    const cwd = await makeWorkplace(folder, 'workplace');
    const daprMtls = (line: string) => run(['mtls', ...line.split(' ')], { cwd });
    const refused = await daprMtls('config set workloadCertTTL=100000h --dir certs --settle 0');
    expect([refused.status, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/renew-certificate --dir \S+certs`; or choose at most 8759h\./),
    ]);
    const restart = await daprMtls('config set workloadCertTTL=1h --dir certs --settle 0 --restart');
    expect([restart.status, restart.stderr]).toEqual([2, expect.stringContaining('not ours to restart')]);
    const taken = await daprMtls('config set workloadCertTTL=1h --dir certs --settle 0');
    expect([taken.status, taken.stdout]).toEqual([0, expect.stringMatching(/workloadCertTTL +1h/)]);
  });

  test('what stands there already is not written again', async () => {
    const cwd = await makeWorkplace(folder, 'unchanged');
    const file = join(cwd, 'certs.mtls', 'config.yaml');
    const text = 'spec:\n    mtls: {workloadCertTTL: "24h"} # mine\n';
    writeFileSync(file, text);
    const { ino, mtimeMs } = statSync(file);
    const { status, stdout, stderr } = await run(
      ['mtls', 'config', 'set', 'workloadCertTTL=24h', '--dir', 'certs', '--settle', '0'],
      { cwd },
    );
    expect([status, stdout]).toEqual([0, expect.stringMatching(/workloadCertTTL +24h/)]);
    expect(stderr).toMatch(/Nothing is written: these settings stand in \S+config.yaml already/);
    expect(stderr).not.toMatch(/Restart|Written/);
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(statSync(file)).toMatchObject({ ino, mtimeMs });
  });

  test('of another file that is named, every mend names it, too', async () => {
    const cwd = await makeWorkplace(folder, 'named');
    writeFileSync(join(cwd, 'my own.yaml'), 'spec:\n  mtls: [\n');
    const daprMtls = (...words: string[]) =>
      run(['mtls', 'config', ...words, '--dir', 'certs', '--settle', '0', '--config', 'my own.yaml'], { cwd });
    const broken = await run(['mtls', 'config', 'view', '--dir', 'certs', '--config', 'my own.yaml'], { cwd });
    expect(broken.stderr).toContain("`dapr-mtls config view --dir certs --config 'my own.yaml'`");
    writeFileSync(join(cwd, 'my own.yaml'), '');
    const hot = await daprMtls('set', 'workloadCertTTL=25s');
    expect(hot.stderr).toMatch(/allowedClockSkew=5s --dir \S+certs --config 'my own.yaml'`/);
    const long = await daprMtls('set', 'workloadCertTTL=100000h');
    expect(long.stderr).toMatch(/renew-certificate --dir \S+certs --config 'my own.yaml'`/);
  });
});
