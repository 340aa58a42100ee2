import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildHelmValues, daprValuesPath } from '../../src/app/owners/helm-values.ts';
import { judgeOwners } from '../../src/app/owners/judge.ts';
import { planData } from '../../src/app/owners/planned-data.ts';
import { type HelmUpgrade, rehearseUpgrade, storeInRelease } from '../../src/cli/helm/upgrade.ts';
import { openCluster } from '../../src/cli/open-cluster.ts';
import { DaprMtlsError } from '../../src/errors.ts';
import type { HelmRelease } from '../../src/kube/owners/facts.ts';
import { findOwners } from '../../src/kube/owners/find-owners.ts';
import type { Cluster } from '../../src/kube/port.ts';
import { resources } from '../../src/kube/resources.ts';
import type { FoundFiles } from '../../src/pki/reading.ts';
import type { ClusterStoreOptions } from '../../src/store/cluster/change-session.ts';
import { ClusterStore } from '../../src/store/cluster/cluster-store.ts';
import { bundleName, type ClusterPlace, filesOf, readObjects } from '../../src/store/cluster/objects.ts';
import { identifyThisProcess } from '../../src/store/directory/process-identity.ts';
import { defaultNames } from '../../src/store/file-names.ts';
import { makeBundle } from '../support/bundles.ts';
import { copyProgram, type Program } from '../support/program.ts';
import { runProgram } from './admin.ts';
import { buildPrograms, whyNoCluster } from './build-programs.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';
import { waitUntil } from './wait.ts';

const missing = await whyNoCluster();
const chart = fileURLToPath(new URL('chart', import.meta.url));

const [first, second] = await Promise.all([makeBundle({ at: new Date() }), makeBundle({ at: new Date() })]);

describe.skipIf(missing !== undefined)(missing ?? 'with a real Helm', () => {
  let cluster: TestCluster;
  let client: Cluster;
  let helmFolder: string;
  let program: Program;
  let count = 0;

  beforeAll(async () => {
    program = copyProgram();
    cluster = await startCluster();
    client = await open(cluster.kubeconfig);
    helmFolder = dirname((await buildPrograms()).helm);
  });
  afterAll(async () => {
    client?.close();
    await cluster?.stop();
  });

  describe('a release without values', () => {
    test('keeps what is written, and is told to delete it by force', async () => {
      const world = await install();
      await world.seed(first.files);
      expect(await world.told(second.files)).toEqual([['helm', 'keeps', false]]);
      await world.write(second.files);

      await world.upgrade();
      expect(await world.read()).toEqual(filesAs(second.files));
      await world.upgrade('--force');
      expect(await world.read()).toEqual({ anchors: undefined, issuerChain: undefined, issuerKey: undefined });
    });
  });

  describe('a release with values', () => {
    test('is seen, and puts back what it holds where it is ignored', async () => {
      const world = await install(first.files);
      expect(await world.told(second.files)).toEqual([['helm', 'reverts', true]]);
      await world.write(second.files);

      await world.upgrade();
      expect(await world.read()).toEqual(filesAs(first.files));
    });

    test('agrees with what it holds itself', async () => {
      const world = await install(first.files);
      await world.write(second.files);
      expect(await world.told(first.files)).toEqual([['helm', 'agrees', false]]);
    });

    test('holds the new bundle after --via-helm, whose patch changed nothing', async () => {
      const world = await install(first.files);
      const upgrade = await world.viaHelm(second.files);
      await rehearseUpgrade(upgrade);
      await world.write(second.files);
      const versions = await world.versions();
      expect(await storeInRelease(upgrade)).toEqual({ release: 'dapr', revision: 2 });
      expect(await world.versions()).toEqual(versions);
      expect(await world.read()).toEqual(filesAs(second.files));

      await world.upgrade();
      expect(await world.read()).toEqual(filesAs(second.files));
      expect(await world.told(first.files)).toEqual([['helm', 'reverts', true]]);
    });

    test('deletes the bundle when the values are dropped, as it is said to', async () => {
      const world = await install(first.files);
      expect((await world.judge(first.files, second.files))[0]?.message).toContain(
        'one that drops the values deletes it',
      );
      await world.upgrade('--reset-values');
      expect((await world.read()).issuerKey).toBeUndefined();
    });

    test('with the root alone puts back the ConfigMap alone', async () => {
      const world = await install({ anchors: first.files.anchors, issuerChain: undefined, issuerKey: undefined });
      await world.seed(first.files);
      const [verdict] = await world.judge(second.files);
      expect(verdict).toMatchObject({ stops: true, objects: ['ConfigMap'] });
      await world.write(second.files);

      await world.upgrade();
      const { secret, configMap } = await readObjects(world.place);
      expect(filesOf(secret, defaultNames).anchors).toEqual(Buffer.from(second.files.anchors));
      expect(configMap?.data?.['ca.crt']).toBe(first.files.anchors.toString());
    });

    test('is known by its trace to who may not read its record', async () => {
      const world = await install(first.files);
      const kubeconfig = await cluster.addUser(`reader-${world.namespace}`, [
        {
          namespace: world.namespace,
          apiGroups: [''],
          resources: ['secrets', 'configmaps'],
          resourceNames: [bundleName],
          verbs: ['get'],
        },
      ]);
      const reader = await open(kubeconfig);
      const facts = await findOwners(reader, world.namespace, await readObjects({ ...world.place, cluster: reader }));
      reader.close();
      expect(facts.helm.state).toBe('not-checked');
      expect(judgeOwners(facts, planData(second.files, defaultNames)).filter(({ stops }) => stops)).toMatchObject([
        { owner: 'helm', effect: 'reverts' },
      ]);
    });
  });

  describe('--via-helm', () => {
    test('gives helm no key on its command line', async () => {
      const world = await install(first.files);
      const folder = join(cluster.folder, 'wrapped-helm');
      mkdirSync(folder);
      const log = join(folder, 'arguments');
      writeFileSync(join(folder, 'helm'), `#!/bin/sh\necho "$@" >> '${log}'\nexec '${helmFolder}/helm' "$@"\n`);
      chmodSync(join(folder, 'helm'), 0o755);
      const upgrade = { ...(await world.viaHelm(second.files)), env: environment(folder) };
      await rehearseUpgrade(upgrade);
      await world.write(second.files);
      await storeInRelease(upgrade);
      const lines = readFileSync(log, 'utf8').trim().split('\n');
      expect(lines).toHaveLength(2);
      for (const line of lines) {
        expect(line).toContain(`upgrade dapr ${chart} --namespace ${world.namespace} --reuse-values`);
        expect(line).toContain('--values -');
        expect(line).not.toMatch(/PEM|BEGIN/);
      }
    });

    test.each([
      [
        'of another version',
        'version: 1.17.13',
        'version: 1.18.0',
        'Chart.yaml',
        'the release was made from version 1.17.13',
      ],
      [
        'that changes more',
        'kubernetes\n',
        'standalone\n',
        'templates/sentry.yaml',
        'would also change Deployment/dapr-sentry',
      ],
      [
        'that trims the anchors',
        '. | toJson',
        '. | trim | toJson',
        'templates/trust-bundle.yaml',
        'does not render Secret and ConfigMap',
      ],
    ])('refuses a chart %s, before anything is written', async (_, before, after, file, message) => {
      const world = await install(first.files);
      const other = join(cluster.folder, `chart-${++count}`);
      cpSync(chart, other, { recursive: true });
      const text = readFileSync(join(other, file), 'utf8');
      expect(text).toContain(before);
      writeFileSync(join(other, file), text.replace(before, after));
      const error = await failureOf(rehearseUpgrade({ ...(await world.viaHelm(second.files)), chart: other }));
      expect(error).toMatchObject({ code: 'helm.failed', exitCode: 5 });
      expect(error.message).toContain(message);
      expect(await world.read()).toEqual(filesAs(first.files));
    });

    test('says what to type where helm is missing', async () => {
      const world = await install(first.files);
      const upgrade = { ...(await world.viaHelm(second.files)), env: { PATH: '/nowhere' } };
      const error = await failureOf(rehearseUpgrade(upgrade));
      expect(error.code).toBe('tool.missing');
      expect(error.hint).toContain(`helm upgrade dapr ${chart} --namespace ${world.namespace} --reuse-values`);
      expect(error.hint).toContain('--set-file dapr_sentry.tls.issuer.keyPEM=certs/issuer.key');
    });

    test('passes on the words of helm where it refuses', async () => {
      const world = await install(first.files);
      const upgrade = await world.viaHelm(second.files);
      const error = await failureOf(rehearseUpgrade({ ...upgrade, release: { ...upgrade.release, name: 'gone' } }));
      expect(error).toMatchObject({ code: 'helm.failed' });
      expect(error.message).toContain('has no deployed releases');
    });

    test('that fails after the write says that the bundle is live, and what it says to type stores it', async () => {
      const world = await install(first.files);
      await world.write(second.files);
      const upgrade = { ...(await world.viaHelm(second.files)), env: { PATH: '/nowhere' } };
      const error = await failureOf(storeInRelease(upgrade));
      expect(error.message).toContain('the new bundle is live, but release dapr still holds the old one');
      expect(JSON.stringify([error.message, error.hint])).not.toContain('PRIVATE KEY');

      const [, exporting, upgrading = ''] = /^Store it: (.*) && (.*) \(then remove certs\)$/.exec(error.hint) ?? [];
      expect(exporting).toContain(`dapr-mtls export -k --out certs --namespace ${world.namespace}`);
      const folder = join(cluster.folder, world.namespace);
      const { anchors, issuerChain, issuerKey } = filesAs(second.files);
      mkdirSync(join(folder, 'certs'), { recursive: true });
      for (const [name, content] of Object.entries({
        'ca.crt': anchors,
        'issuer.crt': issuerChain,
        'issuer.key': issuerKey,
      }))
        writeFileSync(join(folder, 'certs', name), content);
      await runProgram(
        '/bin/sh',
        ['-c', `cd '${folder}' && ${upgrading}`],
        environment(helmFolder) as Record<string, string>,
      );
      expect(await world.told(second.files)).toEqual([]);
      expect(await world.told(first.files)).toEqual([['helm', 'reverts', true]]);
    });

    test('finds the values below the name of the chart within a parent chart', async () => {
      const parent = join(cluster.folder, 'platform');
      mkdirSync(join(parent, 'charts'), { recursive: true });
      writeFileSync(join(parent, 'Chart.yaml'), 'apiVersion: v2\nname: platform\nversion: 0.1.0\n');
      cpSync(chart, join(parent, 'charts', 'dapr'), { recursive: true });
      const world = await install(first.files, { chart: parent, valuesPath: ['dapr', 'dapr_sentry', 'tls'] });
      const upgrade = { ...(await world.viaHelm(second.files)), chart: parent };
      expect(upgrade.release.valuesPath).toEqual(['dapr', 'dapr_sentry', 'tls']);
      await rehearseUpgrade(upgrade);
      await world.write(second.files);
      await storeInRelease(upgrade);
      expect(await world.told(first.files)).toEqual([['helm', 'reverts', true]]);
      expect((await failureOf(rehearseUpgrade({ ...upgrade, chart: undefined }))).code).toBe('usage.invalid');
    });
  });

  describe('renew-certificate -k', () => {
    test('stops at a release that holds the bundle, with every way out as a command, and has written nothing', async () => {
      const world = await install(first.files);
      const versions = await world.versions();
      const { exitCode, stderr, stdout } = await world.run('renew-certificate', '-k');
      expect(exitCode).toBe(6);
      expect(stderr).toContain('Helm release dapr stores another bundle in its values (revision 1)');
      for (const way of ['--via-helm', '--output-helm-values values.yaml --with-issuer-key', '--ignore-owner helm'])
        expect(stderr).toMatch(new RegExp(`^  \\S.* renew-certificate -k .*${way}$`, 'm'));
      expect(stdout).not.toContain('Starting certificate rotation');
      expect(await world.versions()).toEqual(versions);
    });

    test('goes on where the owner is ignored, and says what will happen', async () => {
      const world = await install(first.files);
      const { exitCode, stderr, stdout } = await world.run('renew-certificate', '-k', '--ignore-owner', 'helm');
      expect([exitCode, stdout]).toEqual([0, expect.stringContaining('Certificate rotation is successful!')]);
      expect(stderr).toContain('Warning: Helm release dapr stores another bundle');
      expect(await world.read()).not.toEqual(filesAs(first.files));
      await world.upgrade();
      expect(await world.read()).toEqual(filesAs(first.files));
    });

    test('--via-helm leaves a release that keeps the new bundle', async () => {
      const world = await install(first.files);
      const { exitCode, stderr } = await world.run('renew-certificate', '-k', '--via-helm', '--helm-chart', chart);
      expect([exitCode, stderr]).toEqual([
        0,
        expect.stringContaining('Release dapr holds the new bundle now, in its revision 2'),
      ]);
      const renewed = await world.read();
      expect(renewed).not.toEqual(filesAs(first.files));
      await world.upgrade();
      expect(await world.read()).toEqual(renewed);
    });

    test('at Ctrl-C carries an upgrade that has begun to its end', async () => {
      const world = await install(first.files);
      const folder = join(cluster.folder, 'slow-helm');
      mkdirSync(folder);
      const slow = `case "$*" in *--dry-run*) ;; *) touch '${folder}/started'; sleep 1 ;; esac`;
      writeFileSync(join(folder, 'helm'), `#!/bin/sh\n${slow}\nexec '${helmFolder}/helm' "$@"\n`, { mode: 0o755 });
      const run = world.start(folder, 'renew-certificate', '-k', '--via-helm', '--helm-chart', chart);
      await waitUntil('helm was started', async () => existsSync(join(folder, 'started')));
      run.child.kill('SIGINT');
      expect((await run.ended).exitCode).toBe(0);
      const renewed = await world.read();
      expect(renewed).not.toEqual(filesAs(first.files));
      await world.upgrade();
      expect(await world.read()).toEqual(renewed);
    });

    test('--output-helm-values writes what an upgrade takes, and leaves the cluster alone', async () => {
      const world = await install(first.files);
      const file = join(cluster.folder, `${world.namespace}-new.yaml`);
      const { exitCode } = await world.run(
        'renew-certificate',
        '-k',
        '--output-helm-values',
        file,
        '--with-issuer-key',
      );
      expect(exitCode).toBe(0);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(await world.read()).toEqual(filesAs(first.files));
      await world.upgrade('--values', file);
      expect((await world.read()).issuerKey?.toString()).toContain('PRIVATE KEY');
      expect(await world.read()).not.toEqual(filesAs(first.files));
    });
  });

  describe('backup restore -k and repair -k', () => {
    test('a restore stops at what the release would undo, and not for the copy that it holds', async () => {
      const world = await install(first.files);
      expect((await world.run('renew-certificate', '-k', '--ignore-owner', 'helm')).exitCode).toBe(0);
      const renewed = await world.read();
      const back = await world.run('backup', 'restore', '-k');
      expect([back.exitCode, back.stderr]).toEqual([0, expect.not.stringContaining('stores another bundle')]);
      await world.upgrade();
      expect(await world.read()).toEqual(filesAs(first.files));

      const versions = await world.versions();
      const refused = await world.run('backup', 'restore', '0002', '-k');
      expect([refused.exitCode, refused.stderr]).toEqual([
        6,
        expect.stringMatching(/ 0002 -k .*--ignore-owner helm$/m),
      ]);
      expect(await world.versions()).toEqual(versions);
      expect((await world.run('backup', 'restore', '0002', '-k', '--ignore-owner', 'helm')).exitCode).toBe(0);
      expect(await world.read()).toEqual(renewed);
    });

    test('a repair goes on and says who will undo it, which then happens', async () => {
      const world = await install(first.files);
      expect((await world.run('renew-certificate', '-k', '--ignore-owner', 'helm')).exitCode).toBe(0);
      await world.publish('another root\n');
      const { exitCode, stderr } = await world.run('repair', '-k', '--from', 'secret');
      expect([exitCode, stderr]).toEqual([
        0,
        expect.stringMatching(/^WARNING: THIS REPAIR WILL BE UNDONE by Helm release dapr\./m),
      ]);
      expect(await world.read()).not.toEqual(filesAs(first.files));
      await world.upgrade();
      expect(await world.read()).toEqual(filesAs(first.files));
    });
  });

  describe('who applies server-side', () => {
    test.each([
      [
        'argocd',
        'argocd-controller',
        {
          annotations: (namespace: string) => ({
            'argocd.argoproj.io/tracking-id': `dapr:/Secret:${namespace}/${bundleName}`,
          }),
        },
      ],
      ['flux', 'kustomize-controller', { labels: () => ({ 'kustomize.toolkit.fluxcd.io/name': 'infra' }) }],
      ['terraform', 'Terraform', {}],
    ])('is told by its marks: %s', async (owner, manager, marks: Marks) => {
      const world = await install();
      await world.seed(first.files);
      const metadata = {
        name: bundleName,
        namespace: world.namespace,
        labels: marks.labels?.(world.namespace) ?? {},
        annotations: marks.annotations?.(world.namespace) ?? {},
      };
      const data = { 'ca.crt': Buffer.from(first.files.anchors).toString('base64') };
      await cluster.admin.apply([{ apiVersion: 'v1', kind: 'Secret', metadata, data }], manager);
      expect(await world.told(second.files)).toContainEqual([owner, 'reverts', true]);
    });
  });

  interface Marks {
    readonly labels?: (namespace: string) => Record<string, string>;
    readonly annotations?: (namespace: string) => Record<string, string>;
  }

  interface From {
    readonly chart: string;
    readonly valuesPath: readonly string[];
  }

  /** A release `dapr` of the tests' chart in a namespace of its own. */
  async function install(values?: FoundFiles, from: From = { chart, valuesPath: daprValuesPath }) {
    const namespace = `dapr-${++count}`;
    const place: ClusterPlace = { cluster: client, namespace, names: defaultNames, hasConfigMap: true };
    const file = join(cluster.folder, `${namespace}.yaml`);
    const isWhole = values?.issuerKey !== undefined;
    if (values) writeFileSync(file, buildHelmValues(values, { ...from, withIssuerKey: isWhole, keySource: 'nowhere' }));
    await cluster.helm([
      'install',
      'dapr',
      from.chart,
      '--namespace',
      namespace,
      '--create-namespace',
      ...(values ? ['-f', file] : []),
    ]);
    const facts = async () => findOwners(client, namespace, await readObjects(place));
    const start = (folder: string, ...words: string[]) => {
      const where = ['--namespace', namespace, '--kubeconfig', cluster.kubeconfig];
      return program.start([...words, ...where], {
        env: { ...environment(folder), ...noWait } as Record<string, string>,
      });
    };
    const judge = async (files: FoundFiles, instead?: FoundFiles) => {
      const found = await facts();
      const live = instead ? { live: planData(instead, defaultNames) } : {};
      return judgeOwners({ ...found, ...live }, planData(files, defaultNames));
    };
    return {
      namespace,
      place,
      judge,
      told: async (files: FoundFiles) => (await judge(files)).map(({ owner, effect, stops }) => [owner, effect, stops]),
      upgrade: (...flags: string[]) => cluster.helm(['upgrade', 'dapr', chart, '--namespace', namespace, ...flags]),
      read: async () => filesOf((await readObjects(place)).secret, defaultNames),
      run: (...words: string[]) => start(helmFolder, ...words).ended,
      start,
      versions: async () => {
        const { secret, configMap } = await readObjects(place);
        return [secret?.metadata.resourceVersion, configMap?.metadata.resourceVersion];
      },
      /** As Sentry fills objects without data. */
      seed: async (files: FoundFiles) => {
        const { anchors, issuerChain, issuerKey } = filesAs(files);
        const data = { 'ca.crt': anchors, 'issuer.crt': issuerChain, 'issuer.key': issuerKey };
        const encoded = Object.entries(data).map(([key, value]) => [key, value.toString('base64')]);
        const patch = (plural: string, object: object) =>
          cluster.admin.request(
            'PATCH',
            `/api/v1/namespaces/${namespace}/${plural}/${bundleName}?fieldManager=sentry`,
            object,
            'application/merge-patch+json',
          );
        await patch('secrets', { data: Object.fromEntries(encoded) });
        await patch('configmaps', { data: { 'ca.crt': anchors.toString() } });
      },
      /** Leaves the ConfigMap with other anchors than the Secret. */
      publish: (anchors: string) =>
        client.patch({ resource: resources.configMaps, namespace, name: bundleName }, { data: { 'ca.crt': anchors } }),
      write: async (files: FoundFiles) => {
        const session = await new ClusterStore(place, storeOptions).openForChange('a test');
        const { revision } = await session.read();
        const { anchors, issuerChain, issuerKey } = filesAs(files);
        await session.apply(
          { steps: [{ name: 'write', files: { anchors, issuerChain, issuerKey } }], sideFiles: [] },
          revision,
        );
        await session.close();
      },
      viaHelm: async (files: FoundFiles): Promise<HelmUpgrade> => ({
        cluster: client,
        release: releaseIn(await facts()),
        bundle: { name: bundleName, namespace },
        files,
        names: defaultNames,
        chart,
        kubeconfig: cluster.kubeconfig,
        context: undefined,
        env: environment(helmFolder),
      }),
    };
  }

  function environment(folder: string): NodeJS.ProcessEnv {
    return { PATH: `${folder}:/usr/bin:/bin`, HOME: cluster.folder };
  }
});

/** No model Sentry is under way here that a pause would have to wait for. */
const noWait = { DAPR_MTLS_SETTLE: '0', DAPR_MTLS_TEST_CLUSTER_PAUSE_MS: '0' };

/** The same for a store. */
const storeOptions: ClusterStoreOptions = {
  now: () => new Date(),
  sleep: async () => {},
  sleepThrough: async () => {},
  pauseMs: 0,
  watchMs: 0,
  takeOverMs: 0,
  holder: 'tests',
  process: identifyThisProcess(),
  isDead: () => false,
  newId: () => 'id',
  assertRunning: () => {},
  uninterrupted: (work) => work(),
  onProgress: () => {},
};

async function open(kubeconfig: string): Promise<Cluster> {
  return openCluster({ context: undefined, kubeconfig, 'request-timeout': 15 }, {});
}

function releaseIn({ helm }: Awaited<ReturnType<typeof findOwners>>): HelmRelease {
  if (helm.state !== 'found') throw new Error(`Helm: ${helm.state}`);
  return helm.release;
}

async function failureOf(promise: Promise<unknown>): Promise<DaprMtlsError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof DaprMtlsError) return error;
  throw error ?? new Error('it did not fail');
}

/** The same kind of Buffer on both sides of a comparison. */
function filesAs({ anchors, issuerChain, issuerKey }: FoundFiles) {
  const [a, b, c] = [anchors, issuerChain, issuerKey].map((part) => Buffer.from(part ?? ''));
  return { anchors: a as Buffer, issuerChain: b as Buffer, issuerKey: c as Buffer };
}
