import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { KubeObject } from '../../src/kube/port.ts';
import { resources } from '../../src/kube/resources.ts';
import { describeAnswers } from '../support/api-server/answers.ts';
import type { FaultAction } from '../support/api-server/faults.ts';
import type { Login } from '../support/api-server/identities.ts';
import type { ProtobufStyle } from '../support/api-server/protobuf.ts';
import { openRawClient, patchHeaders, type RawClient } from '../support/api-server/raw-client.ts';
import { matches } from '../support/api-server/request.ts';
import { type ApiServer, type ApiServerOptions, type Serving, startApiServer } from '../support/api-server/server.ts';
import { injectedPods, injectorOf } from '../support/dapr/injected-pods.ts';
import { readForeignBundle } from '../support/fixtures.ts';

const twoUsers = { admin: { allow: 'all' }, stranger: { allow: [] } } as const;
const started: ApiServer[] = [];
afterAll(() => Promise.all(started.map((server) => server.stop())));

async function start(options?: ApiServerOptions): Promise<{ server: ApiServer; client: RawClient }> {
  const server = await startApiServer({ users: twoUsers, ...options });
  started.push(server);
  return { server, client: openRawClient(targetOf(server)) };
}

function targetOf(server: ApiServer) {
  return {
    server: server.url,
    ca: server.caPem,
    token: server.token('admin'),
    strangerToken: server.token('stranger'),
  };
}

describeAnswers("the tests' own", async () => targetOf((await start()).server));

const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'it', namespace: 'there' },
  data: { key: 'djE=' },
};
const path = '/api/v1/namespaces/there/secrets/it';
const ref = { resource: resources.secrets, namespace: 'there', name: 'it' };
const change = { body: { data: { key: 'djI=' } }, headers: patchHeaders('merge') };

describe('a fault', () => {
  let server: ApiServer;
  let client: RawClient;
  beforeEach(async () => {
    ({ server, client } = await start());
    server.store.put(secret);
  });
  afterEach(() => client.close());
  const stored = () => server.store.get<KubeObject & { data: { key: string } }>(ref)?.data.key;

  test.each<{ what: string; fault: FaultAction; answer: object; after: string }>([
    { what: 'an answer instead', fault: { status: 503 }, answer: { code: 503 }, after: 'djE=' },
    { what: '500 after the write', fault: { status: 500, afterWrite: true }, answer: { code: 500 }, after: 'djI=' },
    {
      what: '429 with its header',
      fault: { status: 429, headers: { 'retry-after': '1' } },
      answer: { code: 429, headers: { 'retry-after': '1' }, json: { reason: 'TooManyRequests' } },
      after: 'djE=',
    },
    {
      what: "a stranger's text",
      fault: { status: 502, body: '<html>' },
      answer: { code: 502, type: 'text/plain' },
      after: 'djE=',
    },
    { what: 'a delay', fault: { delayMs: 1 }, answer: { code: 200 }, after: 'djI=' },
  ])('is $what', async ({ fault, answer, after }) => {
    server.faults.add({ when: matches('patch secrets it'), do: fault });
    expect(await client.send('PATCH', path, change)).toMatchObject(answer);
    expect(stored()).toBe(after);
    expect((await client.send('GET', path)).code).toBe(200);
    expect(server.faults.left).toBe(0);
  });

  test.each<{ fault: FaultAction; after: string }>([
    { fault: 'reset', after: 'djE=' },
    { fault: 'reset-after-write', after: 'djI=' },
    { fault: { cutAfterBytes: 0 }, after: 'djI=' },
    { fault: { cutAfterBytes: 20 }, after: 'djI=' },
  ])('breaks the connection: $fault', async ({ fault, after }) => {
    server.faults.add({ when: matches('patch'), do: fault });
    await expect(client.send('PATCH', path, change)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(stored()).toBe(after);
  });

  test.each<{ fault: FaultAction; after: string }>([
    { fault: 'hang', after: 'djE=' },
    { fault: 'hang-after-write', after: 'djI=' },
  ])('is silence: $fault', async ({ fault, after }) => {
    server.faults.add({ do: fault });
    const waited = await Promise.race([
      client.send('PATCH', path, change).catch(() => 'broken'),
      new Promise((resolve) => setTimeout(() => resolve('silence'), 200)),
    ]);
    expect(waited).toBe('silence');
    expect(stored()).toBe(after);
  });

  test('comes as often as it was ordered', async () => {
    server.faults.add({ times: 2, do: { status: 500 } });
    const codes = [];
    for (const _ of [1, 2, 3]) codes.push((await client.send('GET', path)).code);
    expect(codes).toEqual([500, 500, 200]);
  });
});

describe('a test can', () => {
  let server: ApiServer;
  let client: RawClient;
  beforeEach(async () => {
    ({ server, client } = await start({ admit: injectorOf(() => 'the anchors of the moment') }));
    server.store.put(secret);
  });
  afterEach(() => client.close());

  test('change an object between two requests', async () => {
    const { resourceVersion } = (await client.send('GET', path)).json.metadata;
    const end = server.onRequest(({ method }) => {
      if (method === 'PATCH') server.store.put({ ...secret, data: { key: 'djM=' } } as KubeObject);
    });
    const body = { metadata: { resourceVersion }, data: { key: 'djI=' } };
    expect(await client.send('PATCH', path, { ...change, body })).toMatchObject({ code: 409 });
    end();
    expect(await client.send('PATCH', path, change)).toMatchObject({ code: 200 });
  });

  test('see what was asked, by whom, and how it was answered', async () => {
    await client.send('GET', `${path}?a=b`, { token: server.token('stranger') });
    expect(server.requests).toMatchObject([
      {
        method: 'GET',
        path: `${path}?a=b`,
        userAgent: 'dapr-mtls-tests/1',
        user: 'stranger',
        target: { verb: 'get', namespace: 'there', name: 'it', kind: { plural: 'secrets' } },
        code: 403,
      },
    ]);
  });

  test('forbid exactly one verb, and the review says so', async () => {
    server.allow('admin', { allow: 'all', deny: [{ verb: 'patch', resource: 'secrets' }] });
    expect((await client.send('PATCH', path, change)).code).toBe(403);
    expect((await client.send('GET', path)).code).toBe(200);
    const review = await client.send('POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
      body: { spec: { namespace: 'there' } },
    });
    const rule = review.json.status.resourceRules.find(
      ({ resources: [one] }: { resources: string[] }) => one === 'secrets',
    );
    expect(rule.verbs).toEqual(['get', 'list', 'watch', 'create', 'update', 'delete', 'deletecollection']);
  });

  test('allow what a Role would: verbs, groups, resources, names, in one namespace', async () => {
    const rule = { verbs: ['get', 'patch'], apiGroups: [''], resources: ['secrets'], resourceNames: ['it'] };
    server.allow('reader', { allow: [{ ...rule, namespace: 'there' }] });
    const asReader = { token: server.token('reader') };
    server.store.put({ ...secret, metadata: { name: 'other', namespace: 'there' } } as KubeObject);
    server.store.put({ ...secret, metadata: { name: 'it', namespace: 'elsewhere' } } as KubeObject);
    const codes = await Promise.all(
      [path, path.replace('/it', '/other'), path.replace('there', 'elsewhere'), path.replace('/it', '')].map(
        async (asked) => (await client.send('GET', asked, asReader)).code,
      ),
    );
    expect(codes).toEqual([200, 403, 403, 403]);
  });

  test('let lists expire between two pages', async () => {
    for (const name of ['a', 'b'])
      server.store.put({ ...secret, metadata: { name, namespace: 'there' } } as KubeObject);
    const first = await client.send('GET', '/api/v1/secrets?limit=1');
    server.expirePages();
    const next = await client.send('GET', `/api/v1/secrets?limit=1&continue=${first.json.metadata.continue}`);
    expect(next.json).toMatchObject({ reason: 'Expired', code: 410, metadata: { continue: expect.any(String) } });
  });

  test('end a watch, and let its past expire: as an event, or as a status', async () => {
    const watch = '/api/v1/namespaces/there/secrets?watch=true';
    const ended = client.send('GET', `${watch}&resourceVersion=0`);
    await expect.poll(() => server.watches.count).toBe(1);
    server.watches.end();
    expect((await ended).json).toMatchObject([{ type: 'ADDED' }]);

    const expiring = client.send('GET', `${watch}&resourceVersion=0`);
    await expect.poll(() => server.watches.count).toBe(1);
    server.store.put({ ...secret, data: { key: 'djM=' } } as KubeObject);
    server.watches.expire('event');
    const gone = { type: 'ERROR', object: { kind: 'Status', reason: 'Expired', code: 410 } };
    expect((await expiring).json).toMatchObject([{ type: 'ADDED' }, { type: 'MODIFIED' }, gone]);

    expect((await client.send('GET', `${watch}&resourceVersion=5`)).json).toMatchObject([gone]);
    server.watches.expire('status');
    expect(await client.send('GET', `${watch}&resourceVersion=5`)).toMatchObject({
      code: 410,
      json: { reason: 'Expired' },
    });
    expect(server.watches.count).toBe(0);
  });

  test('have pods injected, also in a dry run', async () => {
    const pod = {
      metadata: { generateName: 'probe-', annotations: { 'dapr.io/enabled': 'true' } },
      spec: { containers: [{ name: 'app', image: 'app' }] },
    };
    const before = server.store.objects(resources.pods).length;
    const answer = await client.send('POST', '/api/v1/namespaces/there/pods?dryRun=All', { body: pod });
    const names = answer.json.spec.containers.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['app', 'daprd']);
    expect(answer.json.spec.containers[1].env).toContainEqual({
      name: 'DAPR_TRUST_ANCHORS',
      value: 'the anchors of the moment',
    });
    expect(server.store.objects(resources.pods)).toHaveLength(before);
  });

  test('count the connections', async () => {
    for (const _ of [1, 2, 3]) await client.send('GET', path);
    expect(server.connections).toBe(1);
  });
});

describe('logging in', () => {
  const ask = (server: ApiServer, kubeconfig: string) => {
    const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8'));
    const decode = (text?: string) => (text === undefined ? undefined : Buffer.from(text, 'base64').toString());
    const { user } = users[0];
    const agent = new Agent({
      ca: decode(clusters[0].cluster['certificate-authority-data']),
      cert: decode(user['client-certificate-data']),
      key: decode(user['client-key-data']),
    });
    const headers = user.token ? { authorization: `Bearer ${user.token}` } : {};
    return new Promise<number | string>((resolve) => {
      get(`${clusters[0].cluster.server}/api/v1/namespaces/default`, { agent, headers }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      }).on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    }).finally(() => {
      agent.destroy();
      expect(server.requests.every(({ code }) => code !== undefined)).toBe(true);
    });
  };

  test.each<[Login, number]>([
    ['certificate', 200],
    ['token', 200],
    ['none', 403],
    ['wrong-token', 401],
    ['expired-certificate', 401],
    ['foreign-certificate', 401],
  ])('with %s: %d', async (login, code) => {
    const { server } = await start();
    expect(await ask(server, server.kubeconfig({ login }))).toBe(code);
  });

  test.each<[Serving, string]>([
    ['of-another-authority', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['expired', 'CERT_HAS_EXPIRED'],
    ['for-another-host', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('at a server whose certificate is %s: %s', async (serving, code) => {
    const { server } = await start({ serving });
    expect(await ask(server, server.kubeconfig())).toBe(code);
  });

  test('with the wrong authority in the kubeconfig', async () => {
    const { server } = await start();
    expect(await ask(server, server.kubeconfig({ ca: 'wrong' }))).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });
});

describe('a list of pods in protobuf', () => {
  const anchors = readForeignBundle('sentry-1.17').anchors.toString();
  const accept = { accept: 'application/vnd.kubernetes.protobuf, application/json' };

  test.each<Partial<ProtobufStyle>>([
    {},
    { order: 'descending' },
    { unknownFields: true },
    { order: 'descending', unknownFields: true },
  ])('holds what the one in JSON holds, written as %o', async (protobuf) => {
    const { server, client } = await start({ protobuf });
    server.store.put(...injectedPods({ count: 45, anchors, namespaces: ['one', 'two'], managedFields: true }));
    const inJson = await client.send('GET', '/api/v1/pods');
    const inProtobuf = await client.send('GET', '/api/v1/pods', { headers: accept });
    expect(inProtobuf.type).toBe('application/vnd.kubernetes.protobuf');
    expect(readPodList(inProtobuf.bytes)).toEqual({
      resourceVersion: inJson.json.metadata.resourceVersion,
      pods: inJson.json.items.map(summarize),
    });
  });

  test('is zipped where that is asked for, and in JSON for everything else', async () => {
    const { server, client } = await start();
    server.store.put(...injectedPods({ count: 3, anchors }));
    const zipped = await client.send('GET', '/api/v1/pods', { headers: { ...accept, 'accept-encoding': 'gzip' } });
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(readPodList(zipped.bytes).pods).toHaveLength(3);
    expect((await client.send('GET', '/api/v1/secrets', { headers: accept })).type).toBe('application/json');
  });

  test('comes in pages', async () => {
    const { server, client } = await start();
    server.store.put(...injectedPods({ count: 3, anchors }));
    const first = await client.send('GET', '/api/v1/pods?limit=2', { headers: accept });
    const inJson = await client.send('GET', '/api/v1/pods?limit=2');
    const { pods, continue: token } = readPodList(first.bytes);
    expect(pods).toHaveLength(2);
    expect(token).toBe(inJson.json.metadata.continue);
  });
});

interface Summary {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Record<string, string>;
  readonly owner: string;
  readonly phase: string;
  readonly env: readonly string[];
}

interface PodJson {
  readonly metadata: {
    name: string;
    namespace: string;
    labels: Record<string, string>;
    ownerReferences: { name: string }[];
  };
  readonly spec: { containers: { env?: { name: string; value?: string }[] }[] };
  readonly status: { phase: string };
}

function summarize({ metadata, spec, status }: PodJson): Summary {
  const env = spec.containers.flatMap((container) => container.env ?? []);
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    labels: metadata.labels,
    owner: metadata.ownerReferences[0]?.name ?? '',
    phase: status.phase,
    env: env.map(({ name, value = '' }) => `${name}=${value}`),
  };
}

/** Every field of a message with its number: a reader that shares nothing with the writer. */
function fieldsOf(bytes: Uint8Array): ReadonlyMap<number, Uint8Array[]> {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, Uint8Array[]>();
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (wireType === 2) fields.set(number, [...(fields.get(number) ?? []), reader.bytes()]);
    else reader.skip(wireType, number);
  }
  return fields;
}

function readPodList(bytes: Buffer): { resourceVersion: string; continue?: string; pods: Summary[] } {
  expect(bytes.subarray(0, 4).toString('latin1')).toBe('k8s\0');
  const one = (message: Uint8Array | undefined, number: number) =>
    fieldsOf(message ?? Buffer.alloc(0)).get(number)?.[0];
  const all = (message: Uint8Array | undefined, number: number) =>
    fieldsOf(message ?? Buffer.alloc(0)).get(number) ?? [];
  const text = (message: Uint8Array | undefined, number: number) => Buffer.from(one(message, number) ?? []).toString();
  const list = one(bytes.subarray(4), 2);
  const rest = text(one(list, 1), 3);
  return {
    resourceVersion: text(one(list, 1), 2),
    ...(rest ? { continue: rest } : {}),
    pods: all(list, 2).map((pod) => {
      const metadata = one(pod, 1);
      const containers = all(one(pod, 2), 2);
      return {
        name: text(metadata, 1),
        namespace: text(metadata, 3),
        labels: Object.fromEntries(all(metadata, 11).map((entry) => [text(entry, 1), text(entry, 2)])),
        owner: text(one(metadata, 13), 3),
        phase: text(one(pod, 3), 1),
        env: containers.flatMap((container) => all(container, 7).map((env) => `${text(env, 1)}=${text(env, 2)}`)),
      };
    }),
  };
}
