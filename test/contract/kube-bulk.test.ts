import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { BodyStream, Cluster } from '../../src/kube/port.ts';
import { resources } from '../../src/kube/resources.ts';
import type { FaultAction } from '../support/api-server/faults.ts';
import { type ApiServer, type ApiServerOptions, startApiServer } from '../support/api-server/server.ts';
import { startRawServer } from '../support/raw-tls-server.ts';
import { startSlowProxy } from '../support/slow-proxy.ts';
import { makeFolder } from '../support/workplace.ts';
import { configMap, openClient, refusalOf, type Wishes } from './kube-client.ts';
import { startProxy } from './kube-proxies.ts';

const folder = makeFolder('kube-bulk');
let files = 0;

const names = Array.from({ length: 300 }, (_, index) => `c-${String(index).padStart(4, '0')}`);

async function start(options: ApiServerOptions = {}): Promise<ApiServer> {
  const server = await startApiServer(options);
  server.store.put(...names.map((name) => configMap(name, { 'ca.crt': name.repeat(50) })));
  onTestFinished(() => server.stop());
  return server;
}

async function open(kubeconfig: string, wishes: Wishes = {}) {
  const cluster = await openClient(kubeconfig, { env: { PATH: process.env.PATH }, ...wishes });
  onTestFinished(() => cluster.close());
  return cluster;
}

// biome-ignore lint/suspicious/noExplicitAny: entries of a kubeconfig
type Entry = any;

function edit(kubeconfig: string, change: (user: Entry, cluster: Entry) => void): string {
  const document = parse(readFileSync(kubeconfig, 'utf8'));
  change(document.users[0].user, document.clusters[0].cluster);
  files += 1;
  const path = join(folder, `kubeconfig-${files}`);
  writeFileSync(path, stringify(document), { mode: 0o600 });
  return path;
}

const ask = (cluster: Cluster) => cluster.stream(resources.configMaps, {}, 'application/json');

async function drain({ chunks }: BodyStream): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

const read = async (cluster: Cluster) => drain(await ask(cluster));

function namesIn(list: Buffer): string[] {
  const { items } = JSON.parse(list.toString()) as { items: { metadata: { name: string } }[] };
  return items.map(({ metadata }) => metadata.name);
}

const encodings = (server: ApiServer) => server.requests.map(({ headers }) => headers['accept-encoding']);
const head = (...fields: string[]) =>
  ['HTTP/1.1 200 OK', 'Content-Type: application/json', ...fields, '', ''].join('\r\n');
const chunkedHead = head('Transfer-Encoding: chunked');

describe('a list without pages', () => {
  test('is asked for packed from afar, and is the same', async () => {
    const server = await start();
    const cluster = await open(server.kubeconfig({ server: await startSlowProxy(server.url, 20) }));
    const list = await read(cluster);
    expect(encodings(server)).toEqual(['gzip']);
    expect(namesIn(list)).toEqual(names);
    expect(list.equals(await read(await open(server.kubeconfig())))).toBe(true);
  });

  test('is asked for as it is from near by, unless the machine has much else to do', async () => {
    const server = await start();
    const cluster = await open(server.kubeconfig());
    for (let tries = 0; tries < 100 && !encodings(server).includes('identity'); tries++)
      expect(namesIn(await read(cluster))).toEqual(names);
    expect(encodings(server)).toContain('identity');
  });

  test('comes through a proxy by the ordinary way, and packed', async () => {
    const server = await start();
    const proxy = await startProxy('http');
    const kubeconfig = edit(server.kubeconfig(), (_, cluster) => Object.assign(cluster, { 'proxy-url': proxy.url }));
    expect(namesIn(await read(await open(kubeconfig)))).toEqual(names);
    expect(encodings(server)).toEqual(['gzip']);
    expect(proxy.targets).toEqual([new URL(server.url).host]);
  });

  test('says who asks, for what, and where', async () => {
    const server = await startRawServer((socket) => socket.end(`${head('Content-Length: 2')}{}`));
    const cluster = await open(server.kubeconfig);
    const query = { namespace: 'a/b', labelSelector: 'app in (x, y)' };
    const stream = await cluster.stream(resources.configMaps, query, 'application/json');
    expect(stream.contentType).toBe('application/json');
    expect(await drain(stream)).toEqual(Buffer.from('{}'));
    const [first, ...fields] = (server.heads[0] ?? '').split('\r\n');
    expect(first).toBe('GET /api/v1/namespaces/a%2Fb/configmaps?labelSelector=app%20in%20(x%2C%20y) HTTP/1.1');
    expect(fields.filter((field) => !field.startsWith('Accept-Encoding:'))).toEqual([
      `Host: ${new URL(server.url).host}`,
      'Accept: application/json',
      'User-Agent: dapr-mtls/1.2.3',
      'Authorization: Bearer any',
      'Connection: close',
      '',
      '',
    ]);
  });

  test.each(['certificate', 'token'] as const)('is read by who logs in with a %s', async (login) => {
    const server = await start();
    expect(namesIn(await read(await open(server.kubeconfig({ login }))))).toEqual(names);
    expect(server.requests.map(({ user }) => user)).toEqual(['admin']);
  });

  test('is read in the name of who is impersonated', async () => {
    const server = await start();
    const as = { as: 'jane', 'as-uid': '7', 'as-groups': ['dev', 'ops'], 'as-user-extra': { 'a/b': ['c', 'd'] } };
    const kubeconfig = edit(server.kubeconfig({ login: 'token' }), (user) => Object.assign(user, as));
    await read(await open(kubeconfig));
    expect(server.requests[0]?.headers).toMatchObject({
      'impersonate-user': 'jane',
      'impersonate-uid': '7',
      'impersonate-group': 'dev, ops',
      'impersonate-extra-a%2fb': 'c, d',
    });
  });
});

describe('a body', () => {
  const body = randomBytes(3_000_000);
  const framings: [string, (socket: TLSSocket) => void][] = [
    [
      'in chunks',
      (socket) => {
        socket.write(`${chunkedHead}`);
        for (let at = 0, size = 1; at < body.length; at += size, size = (size * 7) % 99_991) {
          const part = body.subarray(at, at + size);
          socket.write(Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]));
        }
        // It is whole, though the server leaves the connection open.
        socket.write('0\r\n\r\n');
      },
    ],
    [
      'of a length',
      (socket) => socket.write(Buffer.concat([Buffer.from(head(`Content-Length: ${body.length}`)), body])),
    ],
    ['that ends with the connection', (socket) => socket.end(Buffer.concat([Buffer.from(head()), body]))],
  ];

  test.each(framings)('%s is read, and its connection closed', async (_, answer) => {
    const server = await startRawServer(answer);
    expect((await read(await open(server.kubeconfig))).equals(body)).toBe(true);
    await expect.poll(() => server.open).toBe(0);
  });

  test.each(framings)('%s is the same where its chunks are given back and written over', async (_, answer) => {
    const server = await startRawServer(answer);
    const { chunks, giveBack } = await ask(await open(server.kubeconfig));
    const read: Buffer[] = [];
    const places = new Set<ArrayBufferLike>();
    for await (const chunk of chunks) {
      read.push(Buffer.from(chunk));
      places.add(chunk.buffer);
      chunk.fill(0xff);
      giveBack?.(chunk);
    }
    expect(Buffer.concat(read).equals(body)).toBe(true);
    expect(giveBack).toBeDefined();
    expect(places.size).toBeLessThanOrEqual(body.length / (128 * 1024));
  });

  test('that comes in drops is told as it comes, and each drop may be given back', async () => {
    const ends = [3, 1000, 200_000, 200_001, body.length];
    let sender: TLSSocket | undefined;
    const server = await startRawServer((socket) => {
      sender = socket;
      socket.write(Buffer.concat([Buffer.from(head(`Content-Length: ${body.length}`)), body.subarray(0, ends[0])]));
    });
    const { chunks, giveBack } = await ask(await open(server.kubeconfig));
    const read: Buffer[] = [];
    let length = 0;
    for await (const chunk of chunks) {
      read.push(Buffer.from(chunk));
      length += chunk.length;
      chunk.fill(0xff);
      giveBack?.(chunk);
      const come = ends.indexOf(length);
      if (come >= 0) sender?.write(body.subarray(length, ends[come + 1]));
    }
    expect(Buffer.concat(read).equals(body)).toBe(true);
  });

  test('that nobody reads makes the server wait', async () => {
    const piece = Buffer.alloc(64 * 1024, 'x');
    const total = 1024 * piece.length;
    let written = 0;
    const server = await startRawServer((socket) => {
      socket.write(head(`Content-Length: ${total}`));
      const more = () => {
        while (written < total) {
          written += piece.length;
          if (!socket.write(piece)) return;
        }
      };
      socket.on('drain', more);
      more();
    });
    const stream = await ask(await open(server.kubeconfig));
    let last = -1;
    const isStill = () => {
      const before = last;
      last = written;
      return before === written;
    };
    await expect.poll(isStill, { interval: 500 }).toBe(true);
    // Most of it waits in the system: by default up to 4 MiB at the sender, and 6 at the receiver.
    expect(written).toBeLessThan(total / 2);
    expect(await drain(stream)).toHaveLength(total);
  });
});

describe('a try that fails', () => {
  test.each<[string, FaultAction]>([
    ['429', { status: 429 }],
    ['500', { status: 500 }],
    ['502', { status: 502, body: 'Bad Gateway' }],
    ['503', { status: 503 }],
    ['a reset', 'reset'],
  ])('with %s is made again', async (_, action) => {
    const server = await start();
    server.faults.add({ do: action, times: 2 });
    const cluster = await open(server.kubeconfig());
    expect(namesIn(await read(cluster))).toEqual(names);
    expect(server.requests).toHaveLength(3);
    expect(cluster.pauses).toEqual([75, 150]);
  });

  test('in the middle of the head is made again', async () => {
    const server = await startRawServer((socket, count) =>
      socket.end(count < 3 ? 'HTTP/1.1 200 OK\r\nContent-Le' : `${head('Content-Length: 2')}{}`),
    );
    const cluster = await open(server.kubeconfig);
    expect((await read(cluster)).toString()).toBe('{}');
    expect(cluster.pauses).toEqual([75, 150]);
  });

  test('is made again as late as the server says, and five times at most', async () => {
    const server = await start();
    server.faults.add({ do: { status: 429, headers: { 'retry-after': '3' } } });
    server.faults.add({ do: { status: 503 }, times: 99 });
    const cluster = await open(server.kubeconfig());
    expect(await refusalOf(ask(cluster))).toMatchObject({ code: 'cluster.rejected', failure: { status: 503 } });
    expect(cluster.pauses).toEqual([3000, 150, 300, 600]);
    expect(server.requests).toHaveLength(5);
  });

  test.skipIf(process.platform === 'win32')('with 401 is made again with another token', async () => {
    const server = await start();
    const runs = join(folder, 'runs');
    const program = join(folder, 'login');
    const credential =
      '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}';
    writeFileSync(
      program,
      `#!/bin/sh
echo run >> ${runs}
if [ $(wc -l < ${runs}) = 1 ]; then token=stale; else token=${server.token()}; fi
printf '${credential}' $token\n`,
    );
    chmodSync(program, 0o700);
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', interactiveMode: 'IfAvailable', command: program };
    const kubeconfig = edit(server.kubeconfig({ login: 'none' }), (user) => Object.assign(user, { exec }));
    expect(namesIn(await read(await open(kubeconfig)))).toEqual(names);
    expect(server.requests.map(({ code }) => code)).toEqual([401, 200]);
  });

  test('with 403 says which role is missing', async () => {
    const server = await start({ users: { jane: { allow: [] } } });
    const refusal = await refusalOf(ask(await open(server.kubeconfig())));
    expect(refusal).toMatchObject({ code: 'cluster.forbidden', failure: { status: 403, reason: 'Forbidden' } });
    expect(refusal.message).toBe('this user may not list configmaps in all namespaces (403)');
    expect(refusal.hint).toContain('kind: ClusterRole');
    expect(server.requests).toHaveLength(1);
  });
});

describe('a server that is not trusted is sent nothing', () => {
  test.each([
    ['of-another-authority', /does not verify under the kubeconfig's CA/],
    ['expired', /has expired$/],
    ['for-another-host', /is not made out to 127\.0\.0\.1$/],
  ] as const)('%s', async (serving, message) => {
    const server = await start({ serving });
    const refusal = await refusalOf(ask(await open(server.kubeconfig())));
    expect(refusal).toMatchObject({ code: 'cluster.untrusted', failure: { status: 0 } });
    expect(refusal.message).toMatch(message);
    expect(server.requests).toEqual([]);
    expect(namesIn(await read(await open(server.kubeconfig({ ca: 'insecure' }))))).toEqual(names);
  });

  test.each(['wrong', 'none'] as const)('where the authority of the kubeconfig is %s', async (ca) => {
    const server = await start();
    expect(await refusalOf(ask(await open(server.kubeconfig({ ca }))))).toMatchObject({ code: 'cluster.untrusted' });
    expect(server.requests).toEqual([]);
  });

  test('but is asked under the name of tls-server-name', async () => {
    const server = await start({ serving: 'for-another-host' });
    const kubeconfig = edit(server.kubeconfig(), (_, cluster) =>
      Object.assign(cluster, { 'tls-server-name': 'elsewhere.example' }),
    );
    expect(namesIn(await read(await open(kubeconfig)))).toEqual(names);
  });
});

describe('an answer that does not come, or not as it should', () => {
  test('is waited for as long as a call may take', async () => {
    const server = await start();
    server.faults.add({ do: 'hang', times: 1000 });
    const refusal = await refusalOf(ask(await open(server.kubeconfig(), { timeoutMs: 1_000 })));
    expect(refusal).toMatchObject({ code: 'cluster.unreachable', failure: { status: 0, reason: 'TIMEOUT' } });
    expect(refusal.message).toBe(`the API server ${server.url} did not answer within 1 s`);
    expect(refusal.hint).toContain('--request-timeout');
  });

  test('is given up when it falls silent in the middle of its body', async () => {
    const server = await startRawServer((socket) => socket.write(`${chunkedHead}5\r\nhello\r\n5\r\nhe`));
    const cluster = await open(server.kubeconfig, { timeoutMs: 2_000 });
    const refusal = await refusalOf(read(cluster));
    expect(refusal).toMatchObject({ code: 'cluster.unreachable', failure: { reason: 'TIMEOUT' } });
    expect(refusal.message).toBe(`the API server ${server.url} did not answer within 2 s`);
    await expect.poll(() => server.open).toBe(0);
  });

  const cuts: [string, string][] = [
    ['behind the head', chunkedHead],
    ['in a chunk', `${chunkedHead}5\r\nhe`],
    ['behind a chunk', `${chunkedHead}5\r\nhello\r\n`],
    ['before its last line', `${chunkedHead}5\r\nhello\r\n0\r\n`],
    ['before its length is reached', `${head('Content-Length: 6')}hello`],
  ];

  test.each(cuts)('is an error where it is cut %s', async (_, text) => {
    const server = await startRawServer((socket) => socket.end(text));
    const refusal = await refusalOf(read(await open(server.kubeconfig)));
    expect(refusal).toMatchObject({ code: 'cluster.unreachable', failure: { reason: 'ECONNRESET' } });
    expect(refusal.message).toBe(`the API server ${server.url} broke the connection off`);
    expect(server.heads).toHaveLength(1);
  });

  test('is the same error where it was cut before anybody read', async () => {
    const server = await startRawServer((socket) => socket.end(`${chunkedHead}5\r\nhe`));
    const stream = await ask(await open(server.kubeconfig));
    await expect.poll(() => server.open).toBe(0);
    expect(await refusalOf(drain(stream))).toMatchObject({
      code: 'cluster.unreachable',
      failure: { reason: 'ECONNRESET' },
    });
  });

  test.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
    ['two lengths', `${head('Content-Length: 5', 'Transfer-Encoding: chunked')}`],
  ])('is refused where it is no HTTP to Node either (%s), and the server waits', async (_, text) => {
    const server = await startRawServer((socket) => socket.write(text));
    const refusal = await refusalOf(ask(await open(server.kubeconfig)));
    expect(refusal).toMatchObject({ code: 'cluster.rejected', failure: { reason: expect.stringMatching(/^HPE_/) } });
    expect(refusal.message).toBe(`what listens at ${server.url} does not speak HTTP (${refusal.failure?.reason})`);
    expect(server.heads).toHaveLength(2);
    await expect.poll(() => server.open).toBe(0);
  });

  test('is read by Node where only Node takes its head for HTTP', async () => {
    const server = await startRawServer((socket) => socket.end(`${head('X-Cookie: a\t', 'Content-Length: 5')}hello`));
    expect((await read(await open(server.kubeconfig))).toString()).toBe('hello');
    expect(server.heads).toHaveLength(2);
  });

  test.each([200, 403, 503])(
    'is refused where the body of a %i is no HTTP, and comes with the head',
    async (status) => {
      const server = await startRawServer((socket) => socket.write(`${chunkedHead.replace('200', `${status}`)}zz\r\n`));
      expect(await refusalOf(read(await open(server.kubeconfig)))).toMatchObject({
        code: 'cluster.rejected',
        failure: { reason: 'HPE_INVALID_CHUNK_SIZE' },
      });
      expect(server.heads).toHaveLength(1);
    },
  );
});

describe('who has had enough', () => {
  /** A list without end. */
  const startEndless = () =>
    startRawServer((socket) => {
      const piece = Buffer.from(`10000\r\n${'x'.repeat(65_536)}\r\n`);
      const more = () => {
        while (!socket.destroyed && socket.write(piece));
      };
      socket.write(chunkedHead);
      socket.on('drain', more);
      more();
    });

  test('breaks off, and the connection is closed', async () => {
    const server = await startEndless();
    const cluster = await open(server.kubeconfig);
    const { chunks } = await ask(cluster);
    for await (const chunk of chunks) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await expect.poll(() => server.open).toBe(0);
    expect((await ask(cluster)).contentType).toBe('application/json');
  });

  test('closes the client while a list is being read, and it ends', async () => {
    const server = await startEndless();
    const cluster = await open(server.kubeconfig);
    const { chunks } = await ask(cluster);
    const reading = async () => {
      for await (const _ of chunks) cluster.close();
    };
    const refusal = await refusalOf(reading());
    expect(refusal).toMatchObject({ code: 'cluster.unreachable', failure: { reason: 'ABORTED' } });
    expect(refusal.message).toBe(`the request to ${server.url} was given up`);
    await expect.poll(() => server.open).toBe(0);
  });

  test('closes the client while nobody reads a list that has come, and nothing falls over it', async () => {
    const server = await startEndless();
    const cluster = await open(server.kubeconfig);
    const stream = await ask(cluster);
    cluster.close();
    await expect.poll(() => server.open).toBe(0);
    expect(await refusalOf(drain(stream))).toMatchObject({ failure: { reason: 'ABORTED' } });
  });

  test('closes the client before a head has come', async () => {
    const cluster: { close?: () => void } = {};
    const server = await startRawServer(() => cluster.close?.());
    const opened = await open(server.kubeconfig);
    cluster.close = () => opened.close();
    expect(await refusalOf(ask(opened))).toMatchObject({ failure: { reason: 'ABORTED' } });
    await expect.poll(() => server.open).toBe(0);
    expect(server.heads).toHaveLength(1);
  });
});
