import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { initializeCluster } from '../../src/cli/init-cluster.ts';
import type { InitClusterFlags } from '../../src/cli/init-cluster-flags.ts';
import { openCluster } from '../../src/cli/open-cluster.ts';
import type { Cluster, KubeObject } from '../../src/kube/port.ts';
import { whySentryRefuses } from '../../src/pki/sentry.ts';
import {
  type ConfigMapObject,
  configMapRef,
  filesOf,
  type SecretObject,
  secretRef,
} from '../../src/store/cluster/objects.ts';
import { defaultNames } from '../../src/store/file-names.ts';
import type { UserRules } from '../support/api-server/access.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { makeBundle } from '../support/bundles.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { schemaViolations } from '../support/schema.ts';

const namespace = 'dapr-system';
const home = fileURLToPath(new URL('../..', import.meta.url));

let server: ApiServer;
let cluster: Cluster;
let folder: string;
let said: string[];

beforeEach(async () => {
  server = await startApiServer();
  folder = temporaryDirectory('init');
  said = [];
  cluster = await openCluster({ context: undefined, kubeconfig: server.kubeconfig(), 'request-timeout': 5 }, {});
});
afterEach(async () => {
  cluster.close();
  await server.stop();
});

const flags: InitClusterFlags & { readonly namespace: string } = {
  kubernetes: true,
  namespace,
  context: undefined,
  kubeconfig: undefined,
  'request-timeout': 5,
  'trust-only': true,
  'helm-chart': undefined,
  'runtime-version': undefined,
  'dashboard-version': undefined,
  'enable-mtls': true,
  'enable-ha': false,
  dev: false,
  set: [],
  'image-registry': undefined,
  'image-variant': undefined,
  wait: false,
  timeout: 300,
  'log-as-json': false,
  'trust-domain': undefined,
  'valid-until': undefined,
  'root-valid-until': undefined,
  'issuer-path-length': undefined,
  'key-type': 'p256',
  'private-key': undefined,
  'ca-root-certificate': undefined,
  'issuer-private-key': undefined,
  'issuer-public-certificate': undefined,
  'save-root-key': undefined,
  'insecure-plaintext-key': false,
  'passphrase-file': undefined,
};

const init = (wishes: Partial<typeof flags> = {}, env: NodeJS.ProcessEnv = { PATH: folder }) =>
  initializeCluster(
    cluster,
    { ...flags, ...wishes },
    {
      env,
      home,
      now: new Date(),
      streams: {
        out: (text) => said.push(text),
        note: (text) => said.push(text),
        warn: (text) => said.push(text),
        outTerminal: { isTty: false, columns: 80, colour: false },
        aim: {},
      },
    },
  );
const secret = () => server.store.get<SecretObject>(secretRef({ namespace }));
const configMap = () => server.store.get<ConfigMapObject>(configMapRef({ namespace }));
const files = () => filesOf(secret(), defaultNames);
const put = (object: object) => server.store.put(object as KubeObject);
const allow = (rules: UserRules) => server.allow('admin', rules);
const writes = () => server.requests.filter(({ method, path }) => method !== 'GET' && !path.includes('dryRun=All'));

function putNamespace(): void {
  put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
}

/** A program in the PATH that writes down how it was called. */
function makeProgram(name: string, body = ''): void {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n{ printf '%s\\n' "$@"; } > '${path}.called'\n${body}\n`);
  chmodSync(path, 0o755);
}

const calledWith = (name: string) =>
  readFileSync(join(folder, `${name}.called`), 'utf8')
    .trimEnd()
    .split('\n');

describe('a bundle is laid', () => {
  test('where nothing is: namespace, Secret, ConfigMap, for Helm to take over', async () => {
    const report = await init();
    expect(schemaViolations(report)).toEqual([]);
    expect(report).toMatchObject({ outcome: 'laid', bundle: 'made', chart: null, trustDomain: 'cluster.local' });
    expect(report.objects.map(({ kind, action }) => [kind, action])).toEqual([
      ['Namespace', 'created'],
      ['Secret', 'created'],
      ['ConfigMap', 'created'],
    ]);
    const { anchors, issuerChain, issuerKey } = files();
    if (!anchors || !issuerChain || !issuerKey) throw new Error('the bundle is not whole');
    expect(whySentryRefuses({ anchors, issuerChain, issuerKey }, new Date())).toBeUndefined();
    expect(configMap()?.data).toEqual({ 'ca.crt': anchors.toString() });
    for (const { metadata } of [secret(), configMap()] as KubeObject[]) {
      expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'Helm' });
      expect(metadata.annotations).toMatchObject({
        'meta.helm.sh/release-name': 'dapr',
        'meta.helm.sh/release-namespace': namespace,
      });
    }
    expect(JSON.stringify(report)).not.toContain('PRIVATE KEY');
    expect(said.join('')).toContain('the key of the new root was NOT kept');
  });

  test('the Secret first, so that an interrupted run is known by it', async () => {
    await init();
    expect(writes().map(({ path }) => path.split('?')[0]?.split('/').at(-1))).toEqual([
      'namespaces',
      'secrets',
      'configmaps',
    ]);
  });

  test('under the names that the chart is told', async () => {
    await init({ set: ['global.issuerFilenames.ca=root.pem,global.issuerFilenames.key=k.pem'] });
    expect(Object.keys(secret()?.data ?? {}).sort()).toEqual(['issuer.crt', 'k.pem', 'root.pem']);
    expect(Object.keys(configMap()?.data ?? {})).toEqual(['root.pem']);
  });

  test('into objects that are there without data, and keeps what else they bear', async () => {
    putNamespace();
    const metadata = { name: 'dapr-trust-bundle', namespace, labels: { team: 'mesh' } };
    put({ apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque' });
    put({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'ca.crt': '' } });
    const report = await init();
    expect(report.objects.map(({ action }) => action)).toEqual(['kept', 'filled', 'filled']);
    expect(configMap()?.metadata.labels).toEqual({ team: 'mesh', 'app.kubernetes.io/managed-by': 'Helm' });
    expect(files().anchors?.toString()).toBe(configMap()?.data?.['ca.crt']);
  });

  test('with own certificates as they are, and not with those that Dapr would not work on', async () => {
    const { files: own } = await makeBundle({ at: new Date() });
    const path = (name: string) => join(folder, name);
    writeFileSync(path('ca.crt'), own.anchors);
    writeFileSync(path('issuer.crt'), own.issuerChain);
    writeFileSync(path('issuer.key'), own.issuerKey);
    const given = {
      'ca-root-certificate': path('ca.crt'),
      'issuer-public-certificate': path('issuer.crt'),
      'issuer-private-key': path('issuer.key'),
    };
    const { files: expired } = await makeBundle({ at: new Date('2020-01-01T00:00:00Z') });
    writeFileSync(path('old.crt'), expired.anchors);
    await expect(init({ ...given, 'ca-root-certificate': path('old.crt') })).rejects.toMatchObject({
      code: 'trust.refused',
      hint: expect.stringContaining('Nothing was written'),
    });
    expect(writes()).toEqual([]);
    expect(await init(given)).toMatchObject({ bundle: 'own', rootKey: null, remarks: [] });
    expect(files().anchors?.equals(own.anchors)).toBe(true);
  });

  test('and the root key is kept, which is gone again where the Secret was not written', async () => {
    const path = join(folder, 'root.key');
    const wish = { 'save-root-key': path, 'insecure-plaintext-key': true };
    server.faults.add({
      when: (request) => request.method === 'POST' && /\/secrets(?!.*dryRun)/.test(request.path),
      do: { status: 403, body: 'denied by policy' },
    });
    await expect(init(wish)).rejects.toMatchObject({ exitCode: 3 });
    expect(existsSync(path)).toBe(false);
    const report = await init(wish);
    expect(report.rootKey).toEqual({ path, encrypted: false });
    expect(readFileSync(path, 'utf8')).toContain('PRIVATE KEY');
    expect(said.join('')).toContain('IN CLEAR');
  });

  test('once: an answer that is lost on its way is no reason to lose the key', async () => {
    const path = join(folder, 'root.key');
    server.faults.add({
      when: (request) => request.method === 'POST' && /\/secrets(?!.*dryRun)/.test(request.path),
      do: 'reset-after-write',
    });
    await init({ 'save-root-key': path, 'insecure-plaintext-key': true });
    expect(existsSync(path)).toBe(true);
    expect(configMap()?.data?.['ca.crt']).toBe(files().anchors?.toString());
  });
});

describe('what is there already is never replaced', () => {
  const metadata = { name: 'dapr-trust-bundle', namespace };
  const sentry = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'dapr-sentry', namespace: 'elsewhere', labels: { app: 'dapr-sentry' } },
    spec: {
      selector: { matchLabels: { app: 'dapr-sentry' } },
      template: { metadata: { labels: { app: 'dapr-sentry' } } },
    },
  };
  const release = (status: string) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 'sh.helm.release.v1.dapr.v1',
      namespace,
      labels: { owner: 'helm', name: 'dapr', status, version: '1' },
    },
    type: 'helm.sh/release.v1',
  });

  test.each([
    [
      'a Secret with data',
      { apiVersion: 'v1', kind: 'Secret', metadata, data: { 'jwt.key': 'eA==' } },
      /Secret dapr-system\/dapr-trust-bundle holds data/,
      /delete secret,configmap/,
    ],
    [
      'a ConfigMap with data',
      { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'ca.crt': 'x' } },
      /ConfigMap dapr-system\/dapr-trust-bundle holds data/,
      /dapr-mtls check -k/,
    ],
    [
      'a Sentry in another namespace',
      sentry,
      /Sentry in namespace elsewhere/,
      /status -k.*renew-certificate -k -n elsewhere.*repair -k/,
    ],
    ['a release', release('deployed'), /Helm release dapr .*\(deployed\)/, /helm status dapr/],
    ['a release that failed', release('failed'), /\(failed\)/, /helm upgrade --install dapr.*helm uninstall dapr/],
    [
      'an empty Secret of another release',
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { ...metadata, annotations: { 'meta.helm.sh/release-name': 'mesh' } },
      },
      /Helm release dapr-system\/mesh/,
      /by that release/,
    ],
  ])('%s', async (_, object, message, hint) => {
    putNamespace();
    put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'elsewhere' } });
    put(object);
    await expect(init()).rejects.toMatchObject({
      code: 'dapr.exists',
      exitCode: 6,
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
    expect(writes()).toEqual([]);
  });

  test('a Secret that appears in between is a conflict', async () => {
    putNamespace();
    const stop = server.onRequest(({ method, path }) => {
      if (method !== 'POST' || !path.includes('/secrets') || path.includes('dryRun')) return;
      stop();
      put({ apiVersion: 'v1', kind: 'Secret', metadata, data: { 'ca.crt': 'eA==' } });
    });
    await expect(init()).rejects.toMatchObject({ code: 'cluster.conflict', exitCode: 6 });
    expect(secret()?.data).toEqual({ 'ca.crt': 'eA==' });
    expect(configMap()).toBeUndefined();
  });
});

describe('a run that was interrupted', () => {
  /** Dies between Secret and ConfigMap. */
  async function interrupt(wishes: Partial<typeof flags> = {}): Promise<void> {
    server.faults.add({
      when: (request) => request.method === 'POST' && /\/configmaps(?!.*dryRun)/.test(request.path),
      do: { status: 500 },
      times: 99,
    });
    await expect(init(wishes)).rejects.toMatchObject({ code: 'cluster.rejected' });
    server.faults.clear();
    expect(configMap()).toBeUndefined();
  }

  test('is finished by the same command, which keeps the bundle', async () => {
    const path = join(folder, 'root.key');
    const wish = { 'save-root-key': path, 'insecure-plaintext-key': true };
    await interrupt(wish);
    const laid = files();
    const report = await init(wish);
    expect(schemaViolations(report)).toEqual([]);
    expect(report).toMatchObject({ outcome: 'laid', bundle: 'kept' });
    expect(report.objects.map(({ action }) => action)).toEqual(['kept', 'kept', 'created']);
    expect(files()).toEqual(laid);
    expect(configMap()?.data?.['ca.crt']).toBe(laid.anchors?.toString());
    expect(existsSync(path)).toBe(true);
  });

  test('before the chart leaves a bundle that the next run installs on', async () => {
    await expect(init({ 'trust-only': false })).rejects.toMatchObject({
      code: 'tool.missing',
      exitCode: 7,
      hint: expect.stringContaining(
        'helm install dapr dapr --repo https://dapr.github.io/helm-charts --namespace dapr-system --set global.ha.enabled=false --set global.mtls.enabled=true --timeout 300s',
      ),
    });
    const laid = files();
    makeProgram('helm');
    const report = await init({ 'trust-only': false });
    expect(report).toMatchObject({ outcome: 'installed', bundle: 'kept', chart: { by: 'helm' } });
    expect(files()).toEqual(laid);
  });

  test('is not finished with other certificates than it had laid', async () => {
    await interrupt();
    const { files: own } = await makeBundle({ at: new Date() });
    const path = (name: string) => join(folder, name);
    writeFileSync(path('a'), own.anchors);
    writeFileSync(path('c'), own.issuerChain);
    writeFileSync(path('k'), own.issuerKey);
    const given = {
      'ca-root-certificate': path('a'),
      'issuer-public-certificate': path('c'),
      'issuer-private-key': path('k'),
    };
    await expect(init(given)).rejects.toMatchObject({ code: 'dapr.exists', message: /another bundle/ });
    expect(configMap()).toBeUndefined();
  });

  test('is not gone on with where somebody has changed the Secret since', async () => {
    await interrupt();
    server.store.change<SecretObject>(secretRef({ namespace }), (found) => ({
      ...found,
      data: { ...found.data, 'ca.crt': Buffer.from('rubbish').toString('base64') },
    }));
    await expect(init()).rejects.toMatchObject({ code: 'dapr.exists' });
  });
});

describe('rights', () => {
  test.each([
    ['create', 'secrets'],
    ['create', 'configmaps'],
    ['create', 'namespaces'],
    ['get', 'secrets'],
    ['get', 'configmaps'],
  ] as const)('without the right to %s %s nothing is half-written', async (verb, resource) => {
    if (resource !== 'namespaces') putNamespace();
    const path = join(folder, 'root.key');
    allow({ allow: 'all', deny: [{ verb, resource }] });
    const run = init({ 'save-root-key': path, 'insecure-plaintext-key': true });
    await expect(run).rejects.toMatchObject({
      code: 'cluster.forbidden',
      message: expect.stringContaining(`${verb} ${resource}`),
    });
    expect(secret() ?? configMap()).toBeUndefined();
    expect(existsSync(path)).toBe(false);
  });

  test('what may not be looked for is told, and keeps nobody from going on', async () => {
    allow({
      allow: 'all',
      deny: [
        { verb: 'list', resource: 'deployments' },
        { verb: 'list', resource: 'secrets' },
      ],
    });
    const { notChecked } = await init();
    expect(notChecked).toEqual([
      'whether there is a Sentry in other namespaces: this user may not list Deployments',
      'whether there is a Helm release dapr in dapr-system: this user may not list Secrets',
    ]);
  });

  test('a Sentry is found in its own namespace by who may not list Deployments', async () => {
    putNamespace();
    put({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'dapr-sentry', namespace },
      spec: { selector: { matchLabels: { app: 'x' } }, template: { metadata: { labels: { app: 'x' } } } },
    });
    allow({ allow: 'all', deny: [{ verb: 'list', resource: 'deployments' }] });
    await expect(init()).rejects.toMatchObject({ code: 'dapr.exists' });
  });
});

describe('the chart', () => {
  const listening = process.listenerCount('SIGINT');
  const install = { ...flags, 'trust-only': false };

  test('goes to the official dapr where there is one, without certificates', async () => {
    makeProgram(
      'dapr',
      `printf '%s\\n' "$DAPR_MTLS_HANDED_OVER/$KUBECONFIG/$DAPR_RUNTIME_PATH" >> '${join(folder, 'dapr.called')}'`,
    );
    makeProgram('helm', 'exit 1');
    const wishes = { ...install, kubeconfig: '/some/config', 'enable-ha': true, 'enable-mtls': false, wait: true };
    const report = await init(
      { ...wishes, 'runtime-version': '1.17.13', set: ['a.b=c'], 'trust-domain': 'prod.example.org' },
      { PATH: folder, DAPR_RUNTIME_PATH: '/elsewhere' },
    );
    expect(report.chart?.by).toBe('dapr');
    expect(calledWith('dapr')).toEqual([
      ...['init', '--kubernetes', '--namespace', 'dapr-system', '--enable-mtls=false', '--enable-ha=true'],
      ...['--runtime-version', '1.17.13', '--set', 'global.mtls.controlPlaneTrustDomain=prod.example.org'],
      ...['--set', 'a.b=c', '--wait', '--timeout', '300', '1//some/config/'],
    ]);
  });

  test.each([
    ['another context', { context: 'prod' }],
    ['a chart of its own', { 'helm-chart': './dapr.tgz' }],
  ])('goes to helm for %s, which the official dapr does not know', async (_, wishes) => {
    makeProgram('dapr', 'exit 1');
    makeProgram('helm');
    expect((await init({ ...install, ...wishes })).chart?.by).toBe('helm');
  });

  test('gets from helm what the official dapr gives it', async () => {
    makeProgram('helm');
    mkdirSync(join(folder, 'chart'));
    await init({
      ...install,
      'helm-chart': join(folder, 'chart'),
      'runtime-version': 'v1.17.13',
      'image-variant': 'mariner',
      'image-registry': 'registry.example/dapr',
      'enable-mtls': false,
      wait: true,
      timeout: 60,
      context: 'prod',
      kubeconfig: '/some/config',
      set: ['x=1'],
    });
    expect(calledWith('helm')).toEqual([
      ...['install', 'dapr', join(folder, 'chart'), '--namespace', 'dapr-system'],
      ...[
        '--set',
        'global.ha.enabled=false',
        '--set',
        'global.mtls.enabled=false',
        '--set',
        'global.tag=1.17.13-mariner',
      ],
      ...['--set', 'global.registry=registry.example/dapr', '--set', 'x=1', '--wait', '--timeout', '60s'],
      ...['--kubeconfig', '/some/config', '--kube-context', 'prod'],
    ]);
  });

  test('takes an empty word for none', async () => {
    makeProgram('helm');
    await init({
      ...install,
      'image-variant': '',
      'runtime-version': '',
      'image-registry': ' ',
      'dashboard-version': '',
    });
    expect(calledWith('helm').filter((word) => /tag|registry|version/.test(word))).toEqual([]);
  });

  test.each([
    ['dev', { dev: true }],
    ['a variant without a version', { 'image-variant': 'mariner' }],
    ['a variant of the latest', { 'image-variant': 'mariner', 'runtime-version': 'latest' }],
    ['an unknown variant', { 'image-variant': 'windows' }],
    ['a dashboard', { 'dashboard-version': '0.15.0' }],
    ['certificates among the values', { set: ['x=1,dapr_sentry.tls.root.certPEM=abc'] }],
    ['two trust domains', { 'trust-domain': 'a.b', set: ['global.mtls.controlPlaneTrustDomain=c.d'] }],
  ])('is not begun with %s that helm cannot do', async (_, wishes) => {
    await expect(init({ ...install, ...wishes })).rejects.toMatchObject({ code: 'usage.invalid' });
    expect(server.requests).toEqual([]);
  });

  test('that fails leaves the bundle laid, and no secret is repeated', async () => {
    makeProgram(
      'helm',
      `echo "Error: cannot patch: -----BEGIN PRIVATE KEY-----abc-----END PRIVATE KEY----- ${'QUJD'.repeat(30)}" >&2; exit 3`,
    );
    const run = init(install);
    await expect(run).rejects.toMatchObject({ code: 'helm.failed', message: expect.stringContaining('exit code 3') });
    await expect(run).rejects.toMatchObject({ message: expect.not.stringMatching(/abc|QUJDQUJD/) });
    expect(files().anchors).toBeDefined();
  });

  test('that is cut off is waited for, and what is done is said', async () => {
    makeProgram('helm', "trap 'exit 9' INT\nwhile :; do /bin/sleep 0.05; done");
    const run = init(install);
    const isStarted = async () => {
      while (!existsSync(join(folder, 'helm.called'))) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await Promise.race([isStarted(), run]);
    process.emit('SIGINT', 'SIGINT');
    await expect(run).rejects.toMatchObject({
      name: 'Interrupted',
      signal: 'SIGINT',
      account: { message: expect.stringContaining('the bundle is laid'), hint: expect.stringContaining('helm status') },
    });
    expect(process.listenerCount('SIGINT')).toBe(listening);
  });

  test('that replaces the bundle is told at once', async () => {
    makeProgram('helm');
    const other = await makeBundle({ at: new Date() });
    const stop = server.onRequest(({ method, path }) => {
      if (method !== 'GET' || !path.includes('dapr-trust-bundle') || !existsSync(join(folder, 'helm.called'))) return;
      stop();
      const { anchors, issuerChain, issuerKey } = other.files;
      const data = {
        'ca.crt': anchors.toString('base64'),
        'issuer.crt': issuerChain.toString('base64'),
        'issuer.key': issuerKey.toString('base64'),
      };
      put({ ...secret(), data });
      put({ ...configMap(), data: { 'ca.crt': anchors.toString() } });
    });
    await expect(init(install)).rejects.toMatchObject({ code: 'store.replaced' });
  });
});
