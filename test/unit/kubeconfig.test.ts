import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { resolveAccess } from '../../src/kube/kubeconfig/resolve.ts';
import { fixturePath } from '../support/fixtures.ts';
import { makeFolder } from '../support/workplace.ts';

const folder = makeFolder('kubeconfig-unit');
const pem = readFileSync(fixturePath('pki/sentry-1.17/issuer.crt'));
const key = readFileSync(fixturePath('pki/sentry-1.17/issuer.key'));
const base64 = (content: Buffer) => content.toString('base64');

let written = 0;

function write(text: string): string {
  written += 1;
  const path = join(folder, `kubeconfig-${written}`);
  writeFileSync(path, text);
  return path;
}

const one = (cluster: string, user = '{}', context = '{cluster: c, user: u}') =>
  write(`current-context: x
clusters: [{name: c, cluster: ${cluster}}]
users: [{name: u, user: ${user}}]
contexts: [{name: x, context: ${context}}]
`);

interface World {
  readonly env?: Readonly<Record<string, string>>;
  readonly context?: string;
  readonly serviceAccountDir?: string;
}

function resolve(kubeconfig: string | undefined, { env = {}, context, serviceAccountDir = '/nowhere' }: World = {}) {
  return resolveAccess(
    { context, kubeconfig },
    {
      env,
      homeDir: join(folder, 'home'),
      serviceAccountDir,
      now: () => new Date('2026-11-23T00:00:00Z'),
      isInteractive: () => false,
    },
  );
}

async function refusal(resolved: Promise<unknown>) {
  const error = await resolved.then(
    () => undefined,
    (thrown: unknown) => thrown as Error & { code: string; hint: string },
  );
  return { code: error?.code, message: error?.message ?? '', hint: error?.hint ?? '' };
}

const server = '{server: "https://a"}';
const secret = 'a-token-that-nobody-may-see';

describe('what cannot be resolved is told with what there is', () => {
  test('a context', async () => {
    const file = one(server);
    expect(await refusal(resolve(file, { context: 'other' }))).toEqual({
      code: 'cluster.kubeconfig',
      message: `there is no context "other" in ${file}`,
      hint: 'These are there: x.',
    });
  });

  test('a current context that is none', async () => {
    const file = write(
      'clusters: [{name: c, cluster: {server: "https://a"}}]\ncontexts: [{name: a, context: {cluster: c}}, {name: b, context: {cluster: c}}]',
    );
    const { code, message, hint } = await refusal(resolve(file));
    expect([code, message]).toEqual(['cluster.kubeconfig', `no context is the current one in ${file}`]);
    expect(hint).toContain('--context: a, b.');
  });

  test.each([
    ['the cluster', '{cluster: other, user: u}', /names the cluster "other", which is not there/],
    ['the user', '{cluster: c, user: other}', /names the user "other", which is not there/],
    ['a cluster at all', '{user: u}', /names no cluster/],
  ])('%s of a context', async (_, context, message) => {
    const found = await refusal(resolve(one(server, '{}', context)));
    expect(found).toMatchObject({ code: 'cluster.kubeconfig', message: expect.stringMatching(message) });
    expect(found.hint).toMatch(/These are there: [cu]\. Set it: kubectl config set-context x --(cluster|user)=NAME/);
  });

  test('many names are cut', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `{name: n${index}, context: {cluster: c}}`);
    const { hint } = await refusal(resolve(write(`current-context: x\ncontexts: [${names}]`)));
    expect(hint).toMatch(/n19 and 10 more/);
  });

  test('the file that was named', async () => {
    const { code, message } = await refusal(resolve(join(folder, 'missing')));
    expect([code, message]).toEqual(['cluster.kubeconfig', `there is no kubeconfig ${join(folder, 'missing')}`]);
    expect(await refusal(resolve(folder))).toMatchObject({
      message: `the kubeconfig ${folder} cannot be read (EISDIR)`,
    });
  });

  test('nothing at all, and never an address that nobody wrote down', async () => {
    const { code, message, hint } = await refusal(resolve(undefined));
    expect(code).toBe('cluster.kubeconfig');
    expect(message).toBe(
      `there is no way into a cluster: no kubeconfig in ${join(folder, 'home', '.kube', 'config')}, and this is no pod with a service account`,
    );
    expect(hint).toContain('--kubeconfig FILE');
    const files = [join(folder, 'no-a'), join(folder, 'no-b')];
    const listed = await refusal(resolve(undefined, { env: { KUBECONFIG: files.join(delimiter) } }));
    expect(listed.message).toContain(files.join(', '));
    expect((await refusal(resolve(undefined, { context: 'x' }))).message).toContain('there is no context "x"');
  });
});

describe('what is damaged is told by file and place, and shows no value', () => {
  test.each([
    [
      'YAML',
      `users:\n- name: u\n  user:\n    token: "${secret}\n`,
      /is neither YAML nor JSON: line \d+, column \d+: [A-Z_]+$/,
    ],
    ['JSON', `{"users": [{"name": "u", "user": {"token": "${secret}"`, /is neither YAML nor JSON: line \d+/],
    ['a list', `- ${secret}`, /: the document is not a mapping$/],
    ['a token that is a number', 'users: [{name: u, user: {token: 123456}}]', /: users\[0\]\.user\.token is not text$/],
    ['a mapping for a list', 'clusters: {c: {}}', /: clusters is not a list$/],
    ['a name that stands twice', 'clusters: [{name: c}, {name: c}]', /: clusters\[1\]\.name stands twice: "c"$/],
    [
      'base64',
      `users: [{name: u, user: {client-key-data: "${secret}!"}}]`,
      /: users\[0\]\.user\.client-key-data is not base64$/,
    ],
    [
      'a boolean',
      'clusters: [{name: c, cluster: {insecure-skip-tls-verify: "maybe"}}]',
      /insecure-skip-tls-verify is neither true nor false$/,
    ],
    [
      'an exec without a command',
      'users: [{name: u, user: {exec: {apiVersion: v1}}}]',
      /: users\[0\]\.user\.exec\.command is missing$/,
    ],
  ])('%s', async (_, text, message) => {
    const file = write(text);
    const found = await refusal(resolve(file));
    expect(found).toMatchObject({ code: 'cluster.kubeconfig', message: expect.stringMatching(message) });
    expect(found.message).toContain(file);
    expect(JSON.stringify(found)).not.toContain(secret);
  });

  test.each([
    ['no server', '{}', '{}', /the cluster has no server/],
    ['a server of another kind', '{server: "ftp://a"}', '{}', /the server "ftp:\/\/a" is no address/],
    [
      'an authority and none',
      `{server: "https://a", insecure-skip-tls-verify: true, certificate-authority-data: ${base64(pem)}}`,
      '{}',
      /certificate-authority and insecure-skip-tls-verify/,
    ],
    ['as-groups without as', server, '{as-groups: [a]}', /without as$/],
    [
      'a proxy that is none',
      '{server: "https://a", proxy-url: "ftp://u:a-token-that-nobody-may-see@p"}',
      '{}',
      /^proxy-url is not the address of a proxy$/,
    ],
    [
      'a dropped auth-provider',
      server,
      '{auth-provider: {name: gcp}}',
      /the auth-provider "gcp", which kubectl has dropped/,
    ],
    [
      'an auth-provider without its issuer',
      server,
      '{auth-provider: {name: oidc, config: {client-id: a}}}',
      /has no idp-issuer-url/,
    ],
    [
      'an exec of an old version',
      server,
      '{exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}}',
      /has the apiVersion "client\.authentication\.k8s\.io\/v1alpha1"/,
    ],
    [
      'an exec of v1 without interactiveMode',
      server,
      '{exec: {apiVersion: client.authentication.k8s.io/v1, command: x}}',
      /has no interactiveMode/,
    ],
  ])('%s', async (_, cluster, user, message) => {
    const found = await refusal(resolve(one(cluster, user)));
    expect(found).toMatchObject({ code: 'cluster.kubeconfig', message: expect.stringMatching(message) });
    expect(found.hint).not.toBe('');
    expect(JSON.stringify(found)).not.toContain(secret);
  });

  test.each([
    [
      'a certificate authority that is missing',
      '{server: "https://a", certificate-authority: none.pem}',
      '{}',
      /^certificate-authority names .*none\.pem, and there is no such file$/,
    ],
    [
      'a certificate authority that is none',
      `{server: "https://a", certificate-authority-data: ${base64(Buffer.from('x'))}}`,
      '{}',
      /certificate-authority-data holds no certificate$/,
    ],
    [
      'a certificate that is missing',
      server,
      `{client-certificate: none.pem, client-key-data: ${base64(key)}}`,
      /^client-certificate names .*none\.pem, and there is no such file$/,
    ],
    [
      'a certificate that is none',
      server,
      `{client-certificate-data: ${base64(Buffer.from('x'))}, client-key-data: ${base64(key)}}`,
      /the client certificate is none that can be read$/,
    ],
    [
      'a certificate without its key',
      server,
      `{client-certificate-data: ${base64(pem)}}`,
      /the user has a client-certificate and no client-key$/,
    ],
    [
      'a key without its certificate',
      server,
      `{client-key-data: ${base64(key)}}`,
      /the user has a client-key and no client-certificate$/,
    ],
  ])('%s', async (_, cluster, user, message) => {
    expect(await refusal(resolve(one(cluster, user)))).toMatchObject({
      code: 'cluster.credentials',
      message: expect.stringMatching(message),
    });
  });
});

test('data come before the file of the same field', async () => {
  const user = `{client-certificate: none, client-key: none, client-certificate-data: ${base64(pem)}, client-key-data: ${base64(key)}}`;
  const access = await resolve(
    one(`{server: "https://a", certificate-authority: none, certificate-authority-data: ${base64(pem)}}`, user),
  );
  expect(access.tls.ca).toEqual(pem);
  expect(await access.credentials.current()).toMatchObject({ certificate: { certificate: pem, key } });
});

const certificate = `{client-certificate-data: ${base64(pem)}, client-key-data: ${base64(key)}}`;

test.each([
  ['with a path', 'https://a:6443/k8s/clusters/c-1/', '{}', 'https://a:6443/k8s/clusters/c-1'],
  ['without a scheme and without TLS', '10.0.0.1:8080', '{}', 'http://10.0.0.1:8080'],
  ['without a scheme, with a client certificate', '10.0.0.1:6443', certificate, 'https://10.0.0.1:6443'],
])('a server %s: %s', async (_, address, user, expected) => {
  expect((await resolve(one(`{server: "${address}"}`, user))).address.server).toBe(expected);
});

test('a token file that is empty is an error, and one that is replaced is read anew', async () => {
  const token = join(folder, 'token');
  writeFileSync(token, '\n');
  const { credentials } = await resolve(one(server, `{tokenFile: ${token}}`));
  expect(() => credentials.current()).toThrow(/which is empty$/);
  writeFileSync(token, 'first\n');
  expect(await credentials.current()).toMatchObject({ authorization: 'Bearer first' });
  writeFileSync(token, 'second\n');
  expect(await credentials.current()).toMatchObject({ authorization: 'Bearer second' });
});

describe('in a pod', () => {
  const serviceAccountDir = join(folder, 'service-account');
  mkdirSync(serviceAccountDir);
  writeFileSync(join(serviceAccountDir, 'token'), 'of-the-pod');
  writeFileSync(join(serviceAccountDir, 'ca.crt'), pem);
  writeFileSync(join(serviceAccountDir, 'namespace'), 'ops\n');
  const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };

  test('its service account is the way in, and its token is read anew', async () => {
    const { address, tls, credentials } = await resolve(undefined, { env, serviceAccountDir });
    expect(address).toEqual({ context: undefined, server: 'https://10.96.0.1', namespace: 'ops' });
    expect(tls.ca).toEqual(pem);
    expect(await credentials.current()).toMatchObject({ authorization: 'Bearer of-the-pod' });
    writeFileSync(join(serviceAccountDir, 'token'), 'rotated');
    expect(await credentials.current()).toMatchObject({ authorization: 'Bearer rotated' });
  });

  test('of IPv6', async () => {
    const ipv6 = { ...env, KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' };
    const { address } = await resolve(undefined, { env: ipv6, serviceAccountDir });
    expect(address.server).toBe('https://[fd00::1]:6443');
  });

  test('a kubeconfig that is there comes first, and a context that was named is not passed over', async () => {
    const withFile = { ...env, KUBECONFIG: one(server) };
    expect((await resolve(undefined, { env: withFile, serviceAccountDir })).address.context).toBe('x');
    expect(await refusal(resolve(undefined, { env, serviceAccountDir, context: 'x' }))).toMatchObject({
      code: 'cluster.kubeconfig',
    });
  });
});
