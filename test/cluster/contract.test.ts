import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openCluster } from '../../src/cli/open-cluster.ts';
import type { Cluster } from '../../src/kube/port.ts';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { whySentryRefuses } from '../../src/pki/sentry.ts';
import { claimKey } from '../../src/store/cluster/claim.ts';
import { keeperName } from '../../src/store/cluster/keeper.ts';
import { bundleName, configMapRef, secretRef } from '../../src/store/cluster/objects.ts';
import { makeBundle } from '../support/bundles.ts';
import { startSentries, throughClient } from '../support/cluster-sentry.ts';
import { schemaViolations } from '../support/schema.ts';
import type { KubeJson } from './admin.ts';
import { whyNoCluster } from './build-programs.ts';
import { layAsSentry } from './control-plane-pods.ts';
import { installDapr } from './dapr.ts';
import { type Dapr, openDapr } from './program.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';
import type { Grant } from './users.ts';
import { waitUntil } from './wait.ts';

const missing = await whyNoCluster();
const namespace = 'dapr-system';
const place = { namespace };
const renew = 'dapr mtls renew-certificate -k';
/** The pause that users have. */
const unhurried = { DAPR_MTLS_SETTLE: '2', DAPR_MTLS_TEST_CLUSTER_PAUSE_MS: '2000' };

/** What every command reads of a control plane before it comes to its bundle. */
const looking: readonly Grant[] = [
  { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] },
  { apiGroups: ['dapr.io'], resources: ['configurations'], verbs: ['get'] },
];

/** What the fake server's contract tests hold the store to, held by a real API server and the built program. */
describe.skipIf(missing !== undefined)(missing ?? 'the store on a real API server', () => {
  let cluster: TestCluster;
  let dapr: Dapr;

  beforeAll(async () => {
    cluster = await startCluster();
    dapr = openDapr(cluster.kubeconfig);
    const { files } = await makeBundle({ at: new Date() });
    await installDapr(cluster, { version: '1.17.13', placement: false, scheduler: false, bundle: files });
  }, 240_000);
  afterAll(async () => {
    await cluster?.stop();
  });

  beforeEach(lay);

  /** A fresh bundle, no copy, no claim. */
  async function lay(): Promise<BundleFiles> {
    const { files } = await makeBundle({ at: new Date() });
    await remove('secrets', keeperName);
    await remove('secrets', bundleName);
    await remove('configmaps', bundleName);
    await layAsSentry(cluster, files);
    return files;
  }

  const pathOf = (plural: string, name: string) => `/api/v1/namespaces/${namespace}/${plural}/${name}`;
  const remove = (plural: string, name: string) => cluster.admin.request('DELETE', pathOf(plural, name));
  const read = async (plural: string, name: string): Promise<KubeJson> =>
    (await cluster.admin.request('GET', pathOf(plural, name))).body;
  const patch = (plural: string, body: object, name: string = bundleName) =>
    cluster.admin.request('PATCH', pathOf(plural, name), body, 'application/merge-patch+json');
  const secret = () => read('secrets', bundleName);
  const configMap = () => read('configmaps', bundleName);
  const bytes = async () => JSON.stringify([(await secret()).data, (await configMap()).data]);

  /** Whole, in both objects, and nothing of a run left. */
  async function expectWhole(): Promise<BundleFiles> {
    const files = filesOf(await secret());
    expect(whySentryRefuses(files, new Date())).toBeUndefined();
    expect((await configMap()).data['ca.crt']).toBe(files.anchors.toString('utf8'));
    expect((await read('secrets', keeperName)).data?.[claimKey]).toBeUndefined();
    return files;
  }

  test('a renewal writes both objects and keeps what is not the bundle', async () => {
    await patch('secrets', { data: { 'jwt.key': 'bm9uZSBvZiBvdXJz' }, metadata: { labels: { team: 'platform' } } });
    await patch('configmaps', { data: { 'jwks.json': '{}' }, metadata: { annotations: { note: 'kept' } } });
    const before = { secret: await secret(), configMap: await configMap() };
    const { exitCode, stderr } = await dapr.run(renew);
    expect(exitCode, stderr).toBe(0);
    await expectWhole();
    const after = { secret: await secret(), configMap: await configMap() };
    expect(after.secret.data['ca.crt']).not.toBe(before.secret.data['ca.crt']);
    expect(after.secret.data['jwt.key']).toBe('bm9uZSBvZiBvdXJz');
    expect(after.configMap.data['jwks.json']).toBe('{}');
    expect(after.secret.metadata.uid).toBe(before.secret.metadata.uid);
    expect(after.secret.metadata.labels).toEqual(before.secret.metadata.labels);
    expect(after.configMap.metadata.labels).toEqual(before.configMap.metadata.labels);
    expect(after.configMap.metadata.annotations).toEqual(before.configMap.metadata.annotations);
  });

  describe('a user who may do all but one thing', () => {
    const writes: readonly Grant[] = [
      { resources: ['secrets'], verbs: ['get'], resourceNames: [bundleName] },
      { resources: ['secrets'], verbs: ['patch'], resourceNames: [bundleName] },
      { resources: ['configmaps'], verbs: ['get'], resourceNames: [bundleName] },
      { resources: ['configmaps'], verbs: ['delete'], resourceNames: [bundleName] },
      { resources: ['configmaps'], verbs: ['patch'], resourceNames: [bundleName] },
      { resources: ['configmaps'], verbs: ['create'] },
      { resources: ['secrets'], verbs: ['get'], resourceNames: [keeperName] },
      { resources: ['secrets'], verbs: ['patch'], resourceNames: [keeperName] },
      { resources: ['secrets'], verbs: ['create'] },
    ];
    const cases = writes.map((without, index) => ({
      what: `${without.verbs[0]} ${without.resources[0]}${without.resourceNames ? `/${without.resourceNames[0]}` : ''}`,
      user: `all-but-${index}`,
      grants: [...writes.filter((one) => one !== without), ...looking],
    }));

    test.each(cases)('$what: nothing is half written, and the verb is named', async ({ what, user, grants }) => {
      const kubeconfig = await cluster.addUser(
        user,
        grants.map((grant) => ({ namespace, ...grant })),
      );
      const before = await bytes();
      const { exitCode, stdout, stderr } = await dapr.run(`${renew} --format json`, { kubeconfig });
      expect(exitCode, stderr).toBe(3);
      const told = JSON.parse(stdout);
      expect(schemaViolations(told)).toEqual([]);
      expect(told.code).toBe('cluster.forbidden');
      for (const word of what.split(/[ /]/)) expect(told.message).toContain(word);
      expect(told.hint).toContain('kind: Role');
      expect(await bytes()).toBe(before);
      expect((await read('secrets', keeperName)).data?.[claimKey]).toBeUndefined();
    });

    test('the Roles that the refusals print are enough, one after another', async () => {
      const user = 'newcomer';
      const kubeconfig = await cluster.addUser(user, []);
      const applied: string[] = [];
      for (let round = 0; round < 12; round++) {
        const { exitCode, stdout, stderr } = await dapr.run(`${renew} -n ${namespace} --format json`, { kubeconfig });
        if (exitCode === 0) break;
        expect(exitCode, stderr).toBe(3);
        const { hint } = JSON.parse(stdout);
        const manifest = hint.slice(hint.indexOf('apiVersion: rbac'));
        expect(applied, `asked for the same again:\n${manifest}`).not.toContain(manifest);
        applied.push(manifest);
        await cluster.admin.kubectl(['apply', '-f', '-'], manifest);
        if (!manifest.includes('kind: RoleBinding')) {
          const name = /name: ([a-z0-9-]+)/.exec(manifest)?.[1] ?? '';
          const words = ['create', 'rolebinding', `${user}-${round}`, '-n', namespace];
          await cluster.admin.kubectl([...words, `--role=${name}`, `--user=${user}`]);
        }
        // The API server's authorizer follows its own writes after a moment.
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      expect((await expectWhole()).anchors.toString()).toMatch(/BEGIN/);
      expect(applied.length).toBeGreaterThan(0);
      console.info(`${applied.length} refusals until a renewal was allowed`);
      expect((await dapr.run(`${renew} -n ${namespace}`, { kubeconfig })).exitCode).toBe(0);
    });
  });

  test('two renewals at once from two processes: one wins, the other exits 6', async () => {
    for (let round = 0; round < 3; round++) {
      const lines = [1, 2].map(() => dapr.run(renew, { env: unhurried }));
      const outcomes = await Promise.all(lines);
      expect(outcomes.map(({ exitCode }) => exitCode).sort(), JSON.stringify(outcomes)).toEqual([0, 6]);
      const lost = outcomes.find(({ exitCode }) => exitCode === 6);
      expect(lost?.stderr).toMatch(/is being changed by "renew-certificate" \(\S+, process \d+/);
      expect(lost?.stdout).not.toContain('successful');
      await expectWhole();
    }
  });

  test.each(['secrets', 'configmaps'])('immutable %s: told before anything is made', async (plural) => {
    await patch(plural, { immutable: true });
    const before = await bytes();
    const { exitCode, stdout, stderr } = await dapr.run(renew);
    expect(exitCode).toBe(5);
    expect(stderr).toContain('is immutable');
    expect(stdout).toBe('');
    expect(await bytes()).toBe(before);
    expect((await read('secrets', keeperName)).code).toBe(404);
  });

  test('a refusal that repeats the whole Secret shows nothing of it', async () => {
    await refuseAloud();
    const before = await bytes();
    const key = (await secret()).data['issuer.key'] as string;
    const seen = await patch('secrets', { metadata: { labels: { probe: 'yes' } } });
    expect(JSON.stringify(seen.body)).toContain(key);
    for (const line of [renew, `${renew} --format json`, `${renew} --restart`]) {
      const { exitCode, stdout, stderr } = await dapr.run(line, { env: { DAPR_MTLS_DEBUG: '1' } });
      expect(exitCode, stderr).toBe(3);
      expect(stdout + stderr).toMatch(/422/);
      expect(stdout + stderr).not.toContain(key.slice(0, 40));
      expect(stdout + stderr).not.toContain('PRIVATE KEY');
    }
    await cluster.admin.kubectl(['delete', 'validatingadmissionpolicybindings,validatingadmissionpolicies', 'loud']);
    expect(await bytes()).toBe(before);
    await waitUntil(
      'the policy is gone',
      async () => (await patch('secrets', { metadata: { labels: { probe: null } } })).status === 200,
    );
    expect((await dapr.run(renew)).exitCode).toBe(0);
    await expectWhole();
  });

  describe('sides that differ', () => {
    test('are found, stop a renewal, and are made one after either side or a copy', async () => {
      const original = await lay();
      await dapr.run('dapr mtls backup create -k');
      const other = (await makeBundle({ at: new Date() })).files;

      // What `kubectl edit secret`, the documentation's own recipe, leaves behind.
      await writeSecret(other);
      const check = await dapr.run('dapr mtls check -k --format json');
      expect(check.exitCode).toBe(10);
      const codes = JSON.parse(check.stdout).findings.map(({ code }: { code: string }) => code);
      expect(codes).toContain('cluster.bundle-mismatch');
      const before = await bytes();
      const refused = await dapr.run(renew);
      expect(refused.exitCode).toBe(6);
      expect(refused.stderr).toContain('dapr-mtls repair -k --from secret');
      expect(await bytes()).toBe(before);

      expect((await dapr.run('dapr mtls repair -k --from configmap')).exitCode).toBe(4);
      expect(await bytes()).toBe(before);
      const united = await dapr.run('dapr mtls repair -k --from secret');
      expect(united.exitCode, united.stderr).toBe(0);
      expect(await expectWhole()).toEqual(other);

      await patch('secrets', { data: { 'ca.crt': original.anchors.toString('base64') } });
      expect((await dapr.run('dapr mtls repair -k --from secret')).exitCode).toBe(4);
      expect((await dapr.run('dapr mtls repair -k --from configmap')).exitCode).toBe(0);
      expect(await expectWhole()).toEqual(other);

      await patch('secrets', { data: { 'ca.crt': null, 'issuer.key': null } });
      expect((await dapr.run('dapr mtls repair -k --from backup --backup 0001')).exitCode).toBe(0);
      expect(await expectWhole()).toEqual(original);
    });

    test('a bundle that was deleted whole comes back from a copy, by which Helm still knows it', async () => {
      const original = await lay();
      const { labels, annotations } = (await configMap()).metadata;
      await dapr.run('dapr mtls backup create -k');
      await remove('secrets', bundleName);
      await remove('configmaps', bundleName);
      const { exitCode, stderr } = await dapr.run('dapr mtls repair -k --from backup');
      expect(exitCode, stderr).toBe(0);
      expect(await expectWhole()).toEqual(original);
      expect((await configMap()).metadata).toMatchObject({ labels, annotations });
    });
  });

  test('copies are kept, listed, pruned, restored', async () => {
    const original = await lay();
    for (let count = 0; count < 3; count++) expect((await dapr.run(`${renew} --keep 2`)).exitCode).toBe(0);
    const { backups } = JSON.parse((await dapr.run('dapr mtls backup list -k --format json')).stdout);
    expect(backups.map(({ id }: { id: string }) => id)).toEqual(['0003', '0002']);
    expect((await dapr.run('dapr mtls backup restore 0001 -k')).exitCode).toBe(5);
    const before = await expectWhole();
    expect((await dapr.run('dapr mtls backup restore 0003 -k')).exitCode).toBe(0);
    const restored = await expectWhole();
    expect(restored).not.toEqual(before);
    expect(restored).not.toEqual(original);
    const size = JSON.stringify((await read('secrets', keeperName)).data).length;
    expect(size).toBeLessThan(1024 * 1024);
  });

  describe('Sentries that start at any moment', () => {
    const sentries = { gapMs: 20, everyMs: 20, atOnce: 4 };
    let client: Cluster;
    beforeAll(async () => {
      const flags = { context: undefined, kubeconfig: cluster.kubeconfig, 'request-timeout': 15 };
      client = await openCluster(flags, {});
    });
    afterAll(() => client?.close());

    test('never make a new root while the built program renews, every other run killed', async () => {
      const running = startSentries(throughClient(client), place, sentries);
      const env = unhurried;
      const fates = { renewed: 0, killed: 0 };
      const { tally } = running;
      // As long as it takes, on a slow machine, and no longer.
      while (fates.killed < 6 || tally.exits === 0 || tally.serves + tally.exits <= 1000) {
        const run = dapr.start(renew, { env });
        const timer = setTimeout(() => run.child.kill('SIGKILL'), 300 + Math.random() * 3500);
        if ((await run.ended).exitCode === 137) fates.killed += 1;
        clearTimeout(timer);
        const { exitCode, stderr } = await dapr.run(renew, { env });
        expect(exitCode, stderr).toBe(0);
        await expectWhole();
        fates.renewed += 1;
      }
      await running.stop();
      console.info(`${JSON.stringify(fates)}; Sentry started: ${JSON.stringify(tally)}`);
      expect(tally.generates).toBe(0);
      expect(fates.renewed).toBeGreaterThanOrEqual(6);
    }, 900_000);

    test('do make one where both objects are patched, the Secret first', async () => {
      const running = startSentries(throughClient(client), place, sentries);
      for (let count = 0; count < 200 && running.tally.generates === 0; count++) {
        const { files } = await makeBundle({ at: new Date() });
        await client.patch(secretRef(place), { data: encode(files) });
        await client.patch(configMapRef(place), { data: { 'ca.crt': files.anchors.toString('utf8') } });
      }
      expect((await running.stop()).generates).toBeGreaterThan(0);
    });
  });

  async function writeSecret(files: BundleFiles): Promise<void> {
    await patch('secrets', { data: encode(files) });
  }

  /** A policy that refuses every change of the bundle's Secret, and has all of it in its message. */
  async function refuseAloud(): Promise<void> {
    const group = { apiVersion: 'admissionregistration.k8s.io/v1' };
    await cluster.admin.apply([
      {
        ...group,
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name: 'loud' },
        spec: {
          failurePolicy: 'Fail',
          matchConstraints: {
            resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['secrets'] }],
          },
          matchConditions: [{ name: 'bundle', expression: `object.metadata.name == '${bundleName}'` }],
          validations: [
            { expression: 'false', messageExpression: "'refused: ' + string(oldObject.data['issuer.key'])" },
          ],
        },
      },
      {
        ...group,
        kind: 'ValidatingAdmissionPolicyBinding',
        metadata: { name: 'loud' },
        spec: { policyName: 'loud', validationActions: ['Deny'] },
      },
    ]);
    await waitUntil('the policy refuses', async () => {
      const { status } = await patch('secrets', { metadata: { labels: { probe: String(Date.now()) } } });
      return status === 422;
    });
  }
});

function filesOf({ data }: KubeJson): BundleFiles {
  const file = (name: string) => Buffer.from(data?.[name] ?? '', 'base64');
  return { anchors: file('ca.crt'), issuerChain: file('issuer.crt'), issuerKey: file('issuer.key') };
}

function encode({ anchors, issuerChain, issuerKey }: BundleFiles): Record<string, string> {
  return {
    'ca.crt': anchors.toString('base64'),
    'issuer.crt': issuerChain.toString('base64'),
    'issuer.key': issuerKey.toString('base64'),
  };
}
