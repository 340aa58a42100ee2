import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { type ApiServer, type KubeconfigWishes, startApiServer } from '../support/api-server/server.ts';
import { makeFolder } from '../support/workplace.ts';
import { configMapRef, openClient, refusalOf, secretRef, type Wishes } from './kube-client.ts';
import { type IdentityProvider, startIdentityProvider } from './kube-identity-provider.ts';
import { startProxy } from './kube-proxies.ts';

const folder = makeFolder('kube-login');
let names = 0;

async function start(): Promise<ApiServer> {
  const server = await startApiServer();
  onTestFinished(() => server.stop());
  return server;
}

// biome-ignore lint/suspicious/noExplicitAny: entries of a kubeconfig
type Entry = any;

/** A kubeconfig for a server, with other credentials than the server's own. */
function kubeconfig(server: ApiServer, change: (user: Entry, cluster: Entry) => void, wishes: KubeconfigWishes = {}) {
  const document = parse(readFileSync(server.kubeconfig({ login: 'none', ...wishes }), 'utf8'));
  change(document.users[0].user, document.clusters[0].cluster);
  names += 1;
  const path = join(folder, `kubeconfig-${names}`);
  writeFileSync(path, `# mine\n${stringify(document)}`, { mode: 0o600 });
  return path;
}

async function open(path: string, wishes: Wishes = {}) {
  const cluster = await openClient(path, { env: { PATH: process.env.PATH }, ...wishes });
  onTestFinished(() => cluster.close());
  return cluster;
}

describe.skipIf(process.platform === 'win32')('a login program', () => {
  let runs: string;

  beforeEach(() => {
    names += 1;
    runs = join(folder, `runs-${names}`);
  });

  const runCount = () => (existsSync(runs) ? readFileSync(runs, 'utf8').trim().split('\n').length : 0);

  /** A program of the shell beside the kubeconfig; it writes down that it ran, and what it was told. */
  function program(script: string): string {
    names += 1;
    const name = `login-${names}`;
    writeFileSync(join(folder, name), `#!/bin/sh\necho "$KUBERNETES_EXEC_INFO" >> ${runs}\n${script}\n`);
    chmodSync(join(folder, name), 0o700);
    return `./${name}`;
  }

  const v1 = 'client.authentication.k8s.io/v1';
  const credential = (status: object, apiVersion = v1) =>
    JSON.stringify({ apiVersion, kind: 'ExecCredential', status });
  const echo = (text: string) => `cat <<'END'\n${text}\nEND`;
  const exec = (command: string, more: object = {}) => ({
    apiVersion: v1,
    interactiveMode: 'IfAvailable',
    command,
    ...more,
  });

  test('beside the kubeconfig gives a token, once for many requests', async () => {
    const server = await start();
    const command = program(echo(credential({ token: server.token() })));
    const cluster = await open(kubeconfig(server, (user) => Object.assign(user, { exec: exec(command) })));
    expect(runCount()).toBe(0);
    await Promise.all([cluster.get(configMapRef), cluster.get(secretRef)]);
    await cluster.get(configMapRef);
    expect(server.requests.map(({ user }) => user)).toEqual(['admin', 'admin', 'admin']);
    expect(runCount()).toBe(1);
    expect(JSON.parse(readFileSync(runs, 'utf8'))).toEqual({
      apiVersion: v1,
      kind: 'ExecCredential',
      spec: { interactive: false },
    });
  });

  test('gets its arguments, its variables, and the cluster where it asks for it', async () => {
    const server = await start();
    const beta = 'client.authentication.k8s.io/v1beta1';
    const command = program(
      `printf '%s' '{"apiVersion":"${beta}","kind":"ExecCredential","status":{"token":"'"$1-of-$PART"'"}}'`,
    );
    const path = kubeconfig(server, (user, cluster) => {
      user.exec = {
        apiVersion: beta,
        command,
        args: ['token'],
        env: [{ name: 'PART', value: 'admin' }],
        provideClusterInfo: true,
      };
      cluster.extensions = [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'x' } }];
    });
    await (await open(path)).get(configMapRef);
    expect(server.requests.map(({ user }) => user)).toEqual(['admin']);
    expect(JSON.parse(readFileSync(runs, 'utf8')).spec).toEqual({
      interactive: false,
      cluster: {
        server: server.url,
        'certificate-authority-data': Buffer.from(server.caPem).toString('base64'),
        config: { audience: 'x' },
      },
    });
  });

  test('is asked once more after a 401, and no more', async () => {
    const server = await start();
    const script = `if [ $(wc -l < ${runs}) = 1 ]; then token=stale; else token=${server.token()}; fi
printf '{"apiVersion":"${v1}","kind":"ExecCredential","status":{"token":"%s"}}' $token`;
    const cluster = await open(kubeconfig(server, (user) => Object.assign(user, { exec: exec(program(script)) })));
    await Promise.all([cluster.get(configMapRef), cluster.get(secretRef)]);
    expect(runCount()).toBe(2);

    const wrong = program(echo(credential({ token: 'wrong' })));
    const refused = await open(kubeconfig(server, (user) => Object.assign(user, { exec: exec(wrong) })));
    expect(await refusalOf(refused.get(configMapRef))).toMatchObject({ code: 'cluster.unauthorized' });
    expect(runCount()).toBe(4);
  });

  test('is asked again when what it gave has ended', async () => {
    const server = await start();
    let now = new Date('2026-11-23T00:00:00Z');
    const command = program(echo(credential({ token: server.token(), expirationTimestamp: '2026-11-23T01:00:00Z' })));
    const path = kubeconfig(server, (user) => Object.assign(user, { exec: exec(command) }));
    const cluster = await open(path, { now: () => now });
    await cluster.get(configMapRef);
    now = new Date('2026-11-23T00:59:59Z');
    await cluster.get(configMapRef);
    expect(runCount()).toBe(1);
    now = new Date('2026-11-23T01:00:00Z');
    await cluster.get(configMapRef);
    expect(runCount()).toBe(2);
  });

  test('may take longer than a request, for somebody may be asked', async () => {
    const server = await start();
    const command = program(`sleep 3\n${echo(credential({ token: server.token() }))}`);
    const path = kubeconfig(server, (user) => Object.assign(user, { exec: exec(command) }));
    await (await open(path, { timeoutMs: 2_500 })).get(configMapRef);
    expect(server.requests.map(({ user }) => user)).toEqual(['admin']);
  });

  test('may give a certificate and its key', async () => {
    const server = await start();
    const { users } = parse(readFileSync(server.kubeconfig(), 'utf8'));
    const decode = (data: string) => Buffer.from(data, 'base64').toString();
    const status = {
      clientCertificateData: decode(users[0].user['client-certificate-data']),
      clientKeyData: decode(users[0].user['client-key-data']),
    };
    const command = program(echo(credential(status)));
    await (await open(kubeconfig(server, (user) => Object.assign(user, { exec: exec(command) })))).get(configMapRef);
    expect(server.requests.map(({ user }) => user)).toEqual(['admin']);
  });

  test('that fails is told with what it said', async () => {
    const server = await start();
    const command = program('echo "session expired, run: cloud login" >&2; exit 3');
    const cluster = await open(
      kubeconfig(server, (user) =>
        Object.assign(user, { exec: exec(command, { installHint: 'Get it from cloud.example' }) }),
      ),
    );
    const refusal = await refusalOf(cluster.get(configMapRef));
    expect(refusal.code).toBe('cluster.credentials');
    expect(refusal.message).toMatch(
      /login program .*login-\d+ ended with 3; it said:\nsession expired, run: cloud login$/,
    );
    expect(server.requests).toEqual([]);
  });

  test('that is missing is told with its own mend', async () => {
    const server = await start();
    const installHint = 'Install cloud-auth: https://cloud.example';
    const path = kubeconfig(server, (user) =>
      Object.assign(user, { exec: exec('no-such-login-program', { installHint }) }),
    );
    expect(await refusalOf((await open(path)).get(configMapRef))).toMatchObject({
      code: 'cluster.credentials',
      message: 'the kubeconfig logs in by the program no-such-login-program, which is not installed or not on the PATH',
      hint: installHint,
    });
  });

  test('that has to ask is not run where nobody is', async () => {
    const server = await start();
    const command = program('exit 0');
    const path = kubeconfig(server, (user) =>
      Object.assign(user, { exec: exec(command, { interactiveMode: 'Always' }) }),
    );
    expect(await refusalOf((await open(path)).get(configMapRef))).toMatchObject({
      code: 'cluster.credentials',
      message: expect.stringContaining('standard input is no terminal'),
    });
    expect(runCount()).toBe(0);
  });

  test.each([
    ['no JSON', 'a-secret-token', 'did not answer in JSON'],
    [
      'another version',
      credential({ token: 'a-secret-token' }, 'client.authentication.k8s.io/v1beta1'),
      'did not answer with an ExecCredential',
    ],
    ['nothing', credential({}), 'gave neither a token nor a certificate with its key'],
    [
      'a key alone',
      credential({ clientKeyData: 'a-secret-token' }),
      'gave a certificate without its key, or a key without its certificate',
    ],
    [
      'a bad time',
      credential({ token: 'a-secret-token', expirationTimestamp: 'soon' }),
      'gave an expirationTimestamp that is none',
    ],
  ])('that answers with %s is told, and its answer is not', async (_, answer, message) => {
    const server = await start();
    const path = kubeconfig(server, (user) => Object.assign(user, { exec: exec(program(echo(answer))) }));
    const refusal = await refusalOf((await open(path)).get(configMapRef));
    expect(refusal).toMatchObject({ code: 'cluster.credentials', message: expect.stringContaining(message) });
    expect(JSON.stringify(refusal)).not.toContain('a-secret-token');
  });

  test('comes after a token in the kubeconfig', async () => {
    const server = await start();
    const command = program('exit 1');
    const path = kubeconfig(server, (user) => Object.assign(user, { token: server.token(), exec: exec(command) }));
    await (await open(path)).get(configMapRef);
    expect(runCount()).toBe(0);
  });
});

describe('an identity provider', () => {
  const hourMs = 3_600_000;

  async function provided(
    change: (config: Record<string, string>, provider: IdentityProvider) => void = () => undefined,
  ) {
    const server = await start();
    const provider = await startIdentityProvider();
    onTestFinished(() => provider.stop());
    const config: Record<string, string> = {
      'idp-issuer-url': `${provider.url}/`,
      'idp-certificate-authority-data': Buffer.from(provider.caPem).toString('base64'),
      'client-id': 'app',
      'client-secret': 'shh',
      'id-token': provider.idToken(Date.now() - hourMs),
      'refresh-token': 'refresh-1',
    };
    change(config, provider);
    const path = kubeconfig(server, (user) => Object.assign(user, { 'auth-provider': { name: 'oidc', config } }));
    return {
      server,
      provider,
      path,
      stored: () => parse(readFileSync(path, 'utf8')).users[0].user['auth-provider'].config,
    };
  }

  const authorizations = (server: ApiServer) => server.requests.map(({ headers }) => headers.authorization);

  test('is not asked while the id-token lasts', async () => {
    const { server, provider, path, stored } = await provided((config, { idToken }) => {
      config['id-token'] = idToken(Date.now() + hourMs);
    });
    await refusalOf((await open(path)).get(configMapRef));
    expect(authorizations(server)[0]).toBe(`Bearer ${stored()['id-token']}`);
    expect(provider.forms).toEqual([]);
  });

  test('gives a new token for the refresh-token, and both are kept where kubectl finds them', async () => {
    const { server, provider, path, stored } = await provided();
    const cluster = await open(path);
    await refusalOf(Promise.all([cluster.get(configMapRef), cluster.get(secretRef)]));
    expect(provider.forms).toEqual([
      { grant_type: 'refresh_token', refresh_token: 'refresh-1', client_id: 'app', client_secret: 'shh' },
    ]);
    expect(stored()).toMatchObject({ 'refresh-token': 'refresh-2', 'id-token': provider.given[0], 'client-id': 'app' });
    expect(authorizations(server)[0]).toBe(`Bearer ${provider.given[0]}`);
    expect(readFileSync(path, 'utf8')).toMatch(/^# mine\n/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  test('is not asked while another program holds the lock on the kubeconfig', async () => {
    const { provider, path } = await provided();
    writeFileSync(`${path}.lock`, '');
    const refusal = await refusalOf((await open(path)).get(configMapRef));
    expect(refusal).toMatchObject({ code: 'cluster.credentials', hint: expect.stringContaining(`rm ${path}.lock`) });
    expect(provider.forms).toEqual([]);
  });

  test.each<[string, (config: Record<string, string>, provider: IdentityProvider) => void, RegExp]>([
    [
      'without a refresh-token',
      (config) => Object.assign(config, { 'refresh-token': '' }),
      /has ended, and there is no refresh-token$/,
    ],
    ['that refuses', (_, provider) => provider.refuse(), /answered 400$/],
    [
      'of another authority',
      (config) => Object.assign(config, { 'idp-certificate-authority-data': '' }),
      /cannot be reached \([A-Z_]+\)$/,
    ],
    [
      'that is away',
      (config) => Object.assign(config, { 'idp-issuer-url': 'https://127.0.0.1:1' }),
      /cannot be reached \(ECONNREFUSED\)$/,
    ],
  ])('%s is told, and no token is', async (_, change, message) => {
    const { path, stored } = await provided(change);
    const before = stored();
    const refusal = await refusalOf((await open(path)).get(configMapRef));
    expect(refusal).toMatchObject({ code: 'cluster.credentials', message: expect.stringMatching(message) });
    expect(JSON.stringify(refusal)).not.toContain('refresh-1');
    expect(stored()).toEqual(before);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });
});

describe('a proxy', () => {
  test.each(['http', 'socks5'] as const)('that speaks %s is gone through, by proxy-url', async (scheme) => {
    const server = await start();
    const proxy = await startProxy(scheme);
    const path = kubeconfig(server, (_, cluster) => Object.assign(cluster, { 'proxy-url': proxy.url }), {
      login: 'certificate',
    });
    const cluster = await open(path);
    await cluster.get(configMapRef);
    await cluster.get(configMapRef);
    expect(server.requests.map(({ user }) => user)).toEqual(['admin', 'admin']);
    expect(proxy.targets).toEqual([new URL(server.url).host]);
  });

  test('in HTTPS_PROXY is gone through, but not to what NO_PROXY names', async () => {
    const server = await start();
    const proxy = await startProxy('http');
    const { port } = new URL(server.url);
    const path = kubeconfig(
      server,
      (_, cluster) =>
        Object.assign(cluster, { server: `https://api.cluster.example:${port}`, 'tls-server-name': 'localhost' }),
      { login: 'certificate' },
    );
    await (await open(path, { env: { HTTPS_PROXY: proxy.url } })).get(configMapRef);
    expect(proxy.targets).toEqual([`api.cluster.example:${port}`]);
    const direct = await open(path, { env: { HTTPS_PROXY: proxy.url, NO_PROXY: 'cluster.example' } });
    expect(await refusalOf(direct.get(configMapRef))).toMatchObject({ code: 'cluster.unreachable' });
    expect(proxy.targets).toHaveLength(1);
  });

  test('does not stand in for the server: its certificate is held against the server', async () => {
    const server = await startApiServer({ serving: 'for-another-host' });
    onTestFinished(() => server.stop());
    const proxy = await startProxy('http');
    const path = kubeconfig(server, (_, cluster) => Object.assign(cluster, { 'proxy-url': proxy.url }));
    expect(await refusalOf((await open(path)).get(configMapRef))).toMatchObject({ code: 'cluster.untrusted' });
  });

  test('that is away is told, without its password', async () => {
    const server = await start();
    const path = kubeconfig(server, (_, cluster) =>
      Object.assign(cluster, { 'proxy-url': 'http://me:a-password@127.0.0.1:1' }),
    );
    const refusal = await refusalOf((await open(path)).get(configMapRef));
    expect(refusal).toMatchObject({ code: 'cluster.unreachable' });
    expect(refusal.message).toContain('(through the proxy 127.0.0.1:1)');
    expect(JSON.stringify(refusal)).not.toContain('a-password');
  });
});

describe('what cannot be sent in one line', () => {
  test.each<[string, object, RegExp]>([
    ['as', { as: 'jane\r\nX-Other: 1' }, /: as holds a line break/],
    ['as-groups', { as: 'jane', 'as-groups': ['dev', 'ops\n'] }, /: as-groups holds a line break/],
    ['as-user-extra', { as: 'jane', 'as-user-extra': { a: ['\0'] } }, /: as-user-extra holds a line break/],
    ['a token', { token: 'a-secret\n' }, /^the token holds a line break/],
  ])('is told before anything is sent: %s', async (_, entry, message) => {
    const server = await start();
    const path = kubeconfig(server, (user) => Object.assign(user, entry));
    const refusal = await refusalOf(open(path).then((cluster) => cluster.get(configMapRef)));
    expect(refusal).toMatchObject({ code: 'cluster.credentials', message: expect.stringMatching(message) });
    expect(JSON.stringify(refusal)).not.toContain('a-secret');
    expect(server.connections).toBe(0);
  });
});

test('who is impersonated is named in UTF-8, as by kubectl', async () => {
  const server = await start();
  const path = kubeconfig(server, (user) => Object.assign(user, { token: server.token(), as: 'jürgen 名' }));
  await (await open(path)).get(configMapRef);
  const sent = String(server.requests[0]?.headers['impersonate-user']);
  expect(Buffer.from(sent, 'latin1').toString()).toBe('jürgen 名');
});

test('who is impersonated is said in each request', async () => {
  const server = await start();
  const as = { as: 'jane', 'as-uid': '7', 'as-groups': ['dev', 'ops'], 'as-user-extra': { 'a/b': ['c', 'd'] } };
  const path = kubeconfig(server, (user) => Object.assign(user, { token: server.token(), ...as }));
  await (await open(path)).get(configMapRef);
  expect(server.requests[0]?.headers).toMatchObject({
    'impersonate-user': 'jane',
    'impersonate-uid': '7',
    'impersonate-group': 'dev, ops',
    'impersonate-extra-a%2fb': 'c, d',
  });
});

test('a token file is read for every request', async () => {
  const server = await start();
  const token = join(folder, 'token');
  const cluster = await open(kubeconfig(server, (user) => Object.assign(user, { tokenFile: token })));
  writeFileSync(token, server.token());
  await cluster.get(configMapRef);
  writeFileSync(token, 'rotated-away');
  expect(await refusalOf(cluster.get(configMapRef))).toMatchObject({ code: 'cluster.unauthorized' });
});
