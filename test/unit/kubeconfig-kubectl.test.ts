import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Access } from '../../src/kube/kubeconfig/access.ts';
import { resolveAccess } from '../../src/kube/kubeconfig/resolve.ts';
import type { Surroundings } from '../../src/kube/kubeconfig/surroundings.ts';
import { fixturePath } from '../support/fixtures.ts';
import { announceSkipped } from '../support/privilege.ts';
import { makeFolder } from '../support/workplace.ts';

/** Where Kubernetes' own test programs are, else the PATH. */
const kubectl = process.env.KUBEBUILDER_ASSETS ? join(process.env.KUBEBUILDER_ASSETS, 'kubectl') : 'kubectl';
const { error } = spawnSync(kubectl, ['version', '--client']);
const isSkipped = announceSkipped('kubeconfigs beside kubectl', error && `there is no kubectl (${error.message})`);

const pem = readFileSync(fixturePath('pki/sentry-1.17/issuer.crt'));
const key = readFileSync(fixturePath('pki/sentry-1.17/issuer.key'));
const base64 = (content: Buffer) => content.toString('base64');

/** A kubeconfig with one context; `cluster` and `user` are flow mappings of YAML. */
const one = (cluster: string, user = '{token: t}', context = '{cluster: c, user: u}', current = 'x') =>
  `apiVersion: v1
kind: Config
current-context: ${current}
clusters: [{name: c, cluster: ${cluster}}]
users: [{name: u, user: ${user}}]
contexts: [{name: x, context: ${context}}, {name: second, context: {cluster: c, user: u, namespace: other}}]
`;

interface Case {
  readonly name: string;
  /** By path below the case's folder. */
  readonly files: Readonly<Record<string, string | Buffer>>;
  /** KUBECONFIG, as paths below the folder; undefined: not set. */
  readonly list?: readonly string[];
  readonly flag?: string;
  readonly context?: string;
}

const server = '{server: "https://a.example:6443"}';
const cases: readonly Case[] = [
  { name: 'in the home directory', files: { '.kube/config': one(server) } },
  {
    name: 'named by KUBECONFIG',
    files: { '.kube/config': one('{server: "https://wrong"}'), k: one(server) },
    list: ['k'],
  },
  {
    name: 'named by the flag',
    files: { wrong: one('{server: "https://wrong"}'), k: one(server) },
    list: ['wrong'],
    flag: 'k',
  },
  {
    name: 'in JSON',
    files: {
      k: JSON.stringify({
        'current-context': 'x',
        clusters: [{ name: 'c', cluster: { server: 'https://j' } }],
        users: [{ name: 'u', user: { token: 'j' } }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      }),
    },
    list: ['k'],
  },
  { name: 'of another context', files: { k: one(server) }, list: ['k'], context: 'second' },
  { name: 'with a namespace', files: { k: one(server, '{}', '{cluster: c, user: u, namespace: mine}') }, list: ['k'] },
  { name: 'without a user', files: { k: one(server, '{}', '{cluster: c}') }, list: ['k'] },
  {
    name: 'of two files, entries of the first win whole',
    files: {
      a: one('{server: "https://a"}', '{token: of-a}'),
      b: one(
        '{server: "https://b", tls-server-name: b}',
        '{token: of-b, username: b, password: b}',
        '{cluster: c, user: u, namespace: of-b}',
      ),
    },
    list: ['a', 'b'],
  },
  {
    name: 'of two files, the first current-context wins',
    files: { a: 'apiVersion: v1\nkind: Config\ncurrent-context: second\n', b: one(server) },
    list: ['a', 'b'],
  },
  {
    name: 'of two files, of which the first has no current-context',
    files: {
      a: one('{server: "https://a"}', '{token: of-a}', '{cluster: c, user: u}', '""'),
      b: one(server, '{token: of-b}', '{cluster: c, user: u}', 'second'),
    },
    list: ['a', 'b'],
  },
  {
    name: 'of three files, of which one is missing and one is empty',
    files: { empty: '', b: one(server) },
    list: ['missing', 'empty', 'b'],
  },
  { name: 'of a file that stands twice', files: { a: one(server) }, list: ['a', 'a'] },
  {
    name: 'of two files with cluster and user apart',
    files: {
      a: 'clusters: [{name: c, cluster: {server: "https://apart"}}]\n',
      b: 'current-context: x\nusers: [{name: u, user: {token: apart}}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n',
    },
    list: ['a', 'b'],
  },
  {
    name: 'with a certificate authority as data',
    files: { k: one(`{server: "https://a", certificate-authority-data: ${base64(pem)}}`) },
    list: ['k'],
  },
  {
    name: 'with files beside the kubeconfig',
    files: {
      'deep/k': one(
        '{server: "https://a", certificate-authority: ../ca.pem}',
        '{client-certificate: tls/c.pem, client-key: ./tls/k.pem}',
      ),
      'ca.pem': pem,
      'deep/tls/c.pem': pem,
      'deep/tls/k.pem': key,
    },
    list: ['deep/k'],
  },
  {
    name: 'of two files, each with a path of its own',
    files: {
      'p/a': 'clusters: [{name: c, cluster: {server: "https://a", certificate-authority: ca.pem}}]\n',
      'p/ca.pem': pem,
      'q/b':
        'current-context: x\nusers: [{name: u, user: {tokenFile: token}}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n',
      'q/token': 'of-file\n',
    },
    list: ['p/a', 'q/b'],
  },
  { name: 'with a token file', files: { k: one(server, '{tokenFile: token}'), token: ' of-file\n' }, list: ['k'] },
  {
    name: 'with a token file and a token',
    files: { k: one(server, '{tokenFile: token, token: of-config}'), token: 'of-file' },
    list: ['k'],
  },
  {
    name: 'with a token file that is not there, and a token',
    files: { k: one(server, '{tokenFile: none, token: of-config}') },
    list: ['k'],
  },
  { name: 'with a name and a password', files: { k: one(server, '{username: jane, password: "p:w"}') }, list: ['k'] },
  { name: 'insecure', files: { k: one('{server: "https://a", insecure-skip-tls-verify: true}') }, list: ['k'] },
  {
    name: 'with a name for TLS',
    files: { k: one('{server: "https://10.0.0.1:6443", tls-server-name: api.example}') },
    list: ['k'],
  },
  { name: 'with a proxy', files: { k: one('{server: "https://a", proxy-url: "socks5://p:1080"}') }, list: ['k'] },
  {
    name: 'impersonating',
    files: {
      k: one(
        server,
        '{token: t, as: jane, as-uid: "7", as-groups: [dev, ops], as-user-extra: {Scopes: [view, edit], "a/b": [c]}}',
      ),
    },
    list: ['k'],
  },
];

let folders = 0;
const parent = makeFolder('kubeconfig');

function layOut({ files, list }: Case) {
  folders += 1;
  const folder = join(parent, String(folders));
  for (const [path, content] of Object.entries({ ...files, '.keep': '' })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  const env = { HOME: folder, ...(list && { KUBECONFIG: list.map((path) => join(folder, path)).join(delimiter) }) };
  return { folder, env };
}

const surroundings = (folder: string, env: Surroundings['env']): Surroundings => ({
  env,
  homeDir: folder,
  serviceAccountDir: join(folder, 'none'),
  now: () => new Date('2026-11-23T00:00:00Z'),
  isInteractive: () => false,
});

describe.skipIf(isSkipped)('a way in is the one that kubectl takes', () => {
  test.each(cases)('$name', async (given) => {
    const { folder, env } = layOut(given);
    const flag = given.flag && join(folder, given.flag);
    const access = await resolveAccess({ context: given.context, kubeconfig: flag }, surroundings(folder, env));
    const words = ['config', 'view', '--minify', '--raw', '--flatten', '-o', 'json'];
    const flags = [...(flag ? ['--kubeconfig', flag] : []), ...(given.context ? ['--context', given.context] : [])];
    const view = JSON.parse(
      execFileSync(kubectl, [...words, ...flags], { env: { PATH: process.env.PATH, ...env } }).toString(),
    );
    // Its view shows the path of a token file as it was written.
    const roots = Object.keys(given.files).map((path) => join(folder, dirname(path)));
    expect(await describeAccess(access)).toEqual(describeView(view, roots));
  });
});

/** Both as the requests that come of it. */
async function describeAccess({ address, tls, proxyUrl, headers, credentials }: Access) {
  const { authorization, certificate } = await credentials.current();
  return {
    context: address.context,
    server: address.server,
    namespace: address.namespace,
    ca: tls.ca?.toString(),
    serverName: tls.serverName,
    insecure: tls.insecure,
    proxy: proxyUrl?.href,
    authorization,
    certificate: certificate?.certificate.toString(),
    key: certificate?.key.toString(),
    headers,
  };
}

// biome-ignore lint/suspicious/noExplicitAny: a document of kubectl
function describeView(view: any, roots: readonly string[]): Awaited<ReturnType<typeof describeAccess>> {
  const [{ cluster }] = view.clusters;
  const [{ name, context }] = view.contexts;
  const user = view.users?.[0]?.user ?? {};
  return {
    context: name,
    server: cluster.server,
    namespace: context.namespace,
    ca: decode(cluster['certificate-authority-data']),
    serverName: cluster['tls-server-name'],
    insecure: cluster['insecure-skip-tls-verify'] ?? false,
    proxy: cluster['proxy-url'],
    authorization: authorizationOf(user, roots),
    certificate: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
    headers: headersOf(user),
  };
}

function decode(data: string | undefined): string | undefined {
  return data && Buffer.from(data, 'base64').toString();
}

/** What client-go makes of it: `NewBearerAuthWithRefreshRoundTripper`, `NewBasicAuthRoundTripper`. */
function authorizationOf(user: Record<string, string>, roots: readonly string[]): string | undefined {
  const { tokenFile } = user;
  const path = tokenFile && roots.map((root) => resolve(root, tokenFile)).find((candidate) => existsSync(candidate));
  const fromFile = path && readFileSync(path, 'utf8').trim();
  if (fromFile || user.token) return `Bearer ${fromFile || user.token}`;
  return user.username && `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`;
}

// biome-ignore lint/suspicious/noExplicitAny: a document of kubectl
function headersOf(user: any): Access['headers'] {
  const extra = Object.entries<string[]>(user['as-user-extra'] ?? {}).map(([name, values]) => [
    `Impersonate-Extra-${name.toLowerCase().replace('/', '%2F')}`,
    values,
  ]);
  return {
    ...(user.as && { 'Impersonate-User': user.as }),
    ...(user['as-uid'] && { 'Impersonate-Uid': user['as-uid'] }),
    ...(user['as-groups'] && { 'Impersonate-Group': user['as-groups'] }),
    ...Object.fromEntries(extra),
  };
}
