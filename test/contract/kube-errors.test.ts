import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { resources } from '../../src/kube/resources.ts';
import { type ApiServer, type ApiServerOptions, startApiServer } from '../support/api-server/server.ts';
import { makeFolder } from '../support/workplace.ts';
import { configMap, configMapRef, namespace, openClient, refusalOf, secretRef, type Wishes } from './kube-client.ts';

const folder = makeFolder('kube-errors');

async function start(options: ApiServerOptions = {}): Promise<ApiServer> {
  const server = await startApiServer(options);
  onTestFinished(() => server.stop());
  return server;
}

/** How a read ends that goes to another address with the credentials for a real server. */
async function refusalAt(address: string, wishes: Wishes = {}) {
  const server = await start();
  return refusalOf(get(server.kubeconfig({ server: address }), wishes));
}

async function get(kubeconfig: string, wishes: Wishes = {}) {
  const cluster = await openClient(kubeconfig, wishes);
  onTestFinished(() => cluster.close());
  return cluster.get(configMapRef);
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test('nothing listens', async () => {
  const server = createServer();
  const closed = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  const refusal = await refusalAt(`https://127.0.0.1:${closed}`);
  expect(refusal).toMatchObject({ code: 'cluster.unreachable', failure: { status: 0, reason: 'ECONNREFUSED' } });
  expect(refusal.message).toContain(`https://127.0.0.1:${closed} (connection refused)`);
});

test('an unknown host', async () => {
  const refusal = await refusalAt('https://no-such-host.invalid:6443');
  expect(refusal).toMatchObject({ code: 'cluster.unreachable' });
  expect(refusal.message).toMatch(
    /the host no-such-host\.invalid of the API server .* is not known \((ENOTFOUND|EAI_AGAIN)\)/,
  );
});

test('a server that hangs up at once, and one that is silent', async () => {
  const rude = await listen(createServer((socket: Socket) => socket.destroy()));
  expect(await refusalAt(`https://127.0.0.1:${rude}`)).toMatchObject({
    code: 'cluster.unreachable',
    failure: { reason: 'ECONNRESET', outcomeUnknown: false },
  });
  const silent = await listen(createServer((socket: Socket) => onTestFinished(() => void socket.destroy())));
  const refusal = await refusalAt(`https://127.0.0.1:${silent}`, { timeoutMs: 200 });
  expect(refusal).toMatchObject({ code: 'cluster.unreachable', failure: { reason: 'TIMEOUT' } });
});

test('a connection that cannot be made is given up after 5 s, whatever a call may take', {
  timeout: 120_000,
}, async () => {
  const silent = await listen(createServer((socket: Socket) => onTestFinished(() => void socket.destroy())));
  const started = performance.now();
  const refusal = await refusalAt(`https://127.0.0.1:${silent}`, { timeoutMs: 60_000 });
  expect(performance.now() - started).toBeLessThan(30_000);
  expect(refusal).toMatchObject({ code: 'cluster.unreachable', failure: { reason: 'CONNECT_TIMEOUT' } });
});

test('plain HTTP where TLS is expected, and what is no API server behind http', async () => {
  const http = createHttpServer((_, response) =>
    response.writeHead(400).end('Client sent an HTTP request to an HTTPS server.'),
  );
  const port = await listen(http);
  const refusal = await refusalAt(`https://127.0.0.1:${port}`);
  expect(refusal).toMatchObject({ code: 'cluster.unreachable' });
  expect(refusal.message).toBe(`what listens at https://127.0.0.1:${port} does not speak TLS`);
  expect(await refusalAt(`http://127.0.0.1:${port}`)).toMatchObject({
    code: 'cluster.rejected',
    failure: { status: 400 },
  });
});

test('an answer of 200 that is no object', async () => {
  const http = createHttpServer((_, response) => response.end('<html>Log in</html>'));
  const refusal = await refusalAt(`http://127.0.0.1:${await listen(http)}`);
  expect(refusal).toMatchObject({ code: 'cluster.rejected' });
  expect(refusal.message).toMatch(/answered 200 and not as an API server does$/);
});

test.each([
  ['of-another-authority', /does not verify under the kubeconfig's CA/],
  ['expired', /has expired$/],
  ['for-another-host', /is not made out to 127\.0\.0\.1$/],
] as const)("a server's certificate that is %s", async (serving, message) => {
  const server = await start({ serving });
  const refusal = await refusalOf(get(server.kubeconfig()));
  expect(refusal).toMatchObject({ code: 'cluster.untrusted', failure: { status: 0 } });
  expect(refusal.message).toMatch(message);
  expect(server.requests).toEqual([]);
  expect(await get(server.kubeconfig({ ca: 'insecure' }))).toBeUndefined();
});

test('an authority that is not the one, or none', async () => {
  const server = await start();
  for (const ca of ['wrong', 'none'] as const)
    expect(await refusalOf(get(server.kubeconfig({ ca })))).toMatchObject({ code: 'cluster.untrusted' });
});

test('an authority that the machine trusts is enough where the kubeconfig names none', async () => {
  const server = await start();
  const roots = join(folder, 'roots.pem');
  writeFileSync(roots, server.caPem);
  const env = { SSL_CERT_FILE: roots };
  expect(await get(server.kubeconfig({ ca: 'none' }), { env })).toBeUndefined();
  expect(await refusalOf(get(server.kubeconfig({ ca: 'wrong' }), { env }))).toMatchObject({
    code: 'cluster.untrusted',
  });
});

test('tls-server-name is what the certificate is held against', async () => {
  const server = await start({ serving: 'for-another-host' });
  const kubeconfig = edit(server.kubeconfig(), ({ clusters: [{ cluster }] }) => {
    cluster['tls-server-name'] = 'elsewhere.example';
  });
  expect(await get(kubeconfig)).toBeUndefined();
});

test('a client certificate that has expired is told before anything is sent', async () => {
  const server = await start();
  const refusal = await refusalOf(get(server.kubeconfig({ login: 'expired-certificate' })));
  expect(refusal).toMatchObject({ code: 'cluster.credentials' });
  expect(refusal.message).toMatch(/the client certificate has expired at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  expect(server.connections).toBe(0);
});

test.each(['foreign-certificate', 'wrong-token'] as const)('a %s is 401', async (login) => {
  const server = await start();
  const refusal = await refusalOf(get(server.kubeconfig({ login })));
  expect(refusal).toMatchObject({ code: 'cluster.unauthorized', failure: { status: 401, reason: 'Unauthorized' } });
  expect(refusal.hint).toContain('kubectl auth whoami');
  expect(server.requests).toHaveLength(1);
});

test('a key that does not belong to its certificate, and what is no certificate', async () => {
  const server = await start();
  const [one, other] = [server.kubeconfig(), server.kubeconfig()];
  const mixed = edit(one, ({ users: [{ user }] }) => {
    user['client-key-data'] = parse(read(other)).users[0].user['client-key-data'];
  });
  const refusal = await refusalOf(get(mixed));
  expect(refusal).toMatchObject({ code: 'cluster.credentials' });
  expect(refusal.message).toBe('the client certificate and the client key do not belong together');
  const damaged = edit(one, ({ users: [{ user }] }) => {
    user['client-certificate-data'] = Buffer.from('nonsense').toString('base64');
  });
  expect(await refusalOf(get(damaged))).toMatchObject({ code: 'cluster.credentials' });
});

test('a Role that would allow it is printed for a 403, with exactly the missing rule', async () => {
  const server = await start({ users: { 'system:serviceaccount:ops:renewer': { allow: [] } } });
  const cluster = await openClient(server.kubeconfig());
  const refusal = await refusalOf(cluster.get(secretRef));
  expect(refusal).toMatchObject({ code: 'cluster.forbidden', failure: { status: 403, reason: 'Forbidden' } });
  expect(refusal.message).toBe('this user may not get secrets "dapr-trust-bundle" in namespace "dapr-system" (403)');
  const [role, binding] = manifestsOf(refusal.hint);
  expect(role).toEqual({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'dapr-mtls-get-secrets-dapr-trust-bundle', namespace },
    rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['dapr-trust-bundle'], verbs: ['get'] }],
  });
  expect(binding).toEqual({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'dapr-mtls-get-secrets-dapr-trust-bundle', namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'dapr-mtls-get-secrets-dapr-trust-bundle' },
    subjects: [{ kind: 'ServiceAccount', namespace: 'ops', name: 'renewer' }],
  });
  const [{ rules }] = manifestsOf(
    (await refusalOf(cluster.create({ resource: resources.configMaps, namespace }, configMap('new')))).hint,
  );
  expect(rules).toEqual([{ apiGroups: [''], resources: ['configmaps'], verbs: ['create'] }]);
});

test('and a ClusterRole where the request spans the cluster', async () => {
  const server = await start({ users: { jane: { allow: [] } } });
  const cluster = await openClient(server.kubeconfig());
  const refusal = await refusalOf(cluster.list(resources.deployments)[Symbol.asyncIterator]().next());
  expect(refusal.message).toBe('this user may not list deployments.apps in all namespaces (403)');
  const [role, binding] = manifestsOf(refusal.hint);
  expect(role).toMatchObject({
    kind: 'ClusterRole',
    metadata: { name: 'dapr-mtls-list-deployments' },
    rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['list'] }],
  });
  expect(binding).toMatchObject({
    kind: 'ClusterRoleBinding',
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'jane' }],
  });
});

test('a 403 that no Role mends prints none', async () => {
  const server = await start();
  const message = 'configmaps "new" is forbidden: exceeded quota: objects, requested: count/configmaps=1';
  const body = { kind: 'Status', reason: 'Forbidden', code: 403, message };
  server.faults.add({ do: { status: 403, body } });
  const cluster = await openClient(server.kubeconfig());
  const refusal = await refusalOf(cluster.create({ resource: resources.configMaps, namespace }, configMap('new')));
  expect(refusal).toMatchObject({ code: 'cluster.forbidden' });
  expect(refusal.message).toContain('exceeded quota');
  expect(refusal.hint).not.toContain('kind: Role');
});

test('words of the server come on one line, and not without end', async () => {
  const server = await start();
  const message = `first\nsecond\u001b[31m ${'x'.repeat(5_000)}`;
  server.faults.add({ do: { status: 400, body: { kind: 'Status', reason: 'BadRequest', message } } });
  const refusal = await refusalOf(get(server.kubeconfig()));
  expect(refusal.message).toContain('400 BadRequest: first second');
  expect(refusal.message.length).toBeLessThan(1_000);
});

test('a body without end is not read to it', async () => {
  const http = createHttpServer((_, response) => {
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(1 << 20)));
    };
    response.on('drain', more);
    more();
  });
  const refusal = await refusalAt(`http://127.0.0.1:${await listen(http)}`, { timeoutMs: 30_000 });
  expect(refusal).toMatchObject({ code: 'cluster.rejected', failure: { reason: 'TOO_LARGE' } });
});

// biome-ignore lint/suspicious/noExplicitAny: documents of YAML
function manifestsOf(hint: string): any[] {
  return hint
    .slice(hint.indexOf('apiVersion:'))
    .split('---\n')
    .map((text) => parse(text));
}

let copies = 0;

function read(path: string): string {
  return readFileSync(path, 'utf8');
}

// biome-ignore lint/suspicious/noExplicitAny: a document of YAML
function edit(kubeconfig: string, change: (document: any) => void): string {
  const document = parse(read(kubeconfig));
  change(document);
  copies += 1;
  const path = join(folder, `kubeconfig-${copies}`);
  writeFileSync(path, stringify(document));
  return path;
}
