import { describe, expect, onTestFinished, test } from 'vitest';
import type { KubeObject, LogQuery } from '../../src/kube/port.ts';
import { resources } from '../../src/kube/resources.ts';
import { matches } from '../support/api-server/request.ts';
import { startApiServer } from '../support/api-server/server.ts';
import { openClient, refusalOf } from './kube-client.ts';

const namespace = 'dapr-system';
const pod = 'dapr-sentry-0';
const where = `${pod}/dapr-sentry`;
const at = (second: number, nanos = 0) =>
  `2026-11-22T01:02:${String(second).padStart(2, '0')}.${String(nanos).padStart(9, '0')}Z`;

/** How often a call is tried by itself. */
const triesOfACall = 5;

async function open(options: { readonly timeoutMs?: number } = {}) {
  const server = await startApiServer();
  server.store.put({ apiVersion: 'v1', kind: 'Pod', metadata: { name: pod, namespace } } as KubeObject);
  const cluster = await openClient(server.kubeconfig(), options);
  const stop = new AbortController();
  onTestFinished(async () => {
    stop.abort();
    cluster.close();
    await server.stop();
  });
  const query = { namespace, pod, container: 'dapr-sentry' };
  const read = async (wishes: Partial<LogQuery> = {}) => {
    const lines: string[] = [];
    for await (const { at, text } of cluster.logs({ ...query, ...wishes }, stop.signal)) lines.push(`${at} ${text}`);
    return lines;
  };
  const gone = new AbortController();
  const troubles: string[] = [];
  const following = { gone: gone.signal, onTrouble: ({ message }: Error) => void troubles.push(message) };
  /** Lines as they come; `sees` waits for one. */
  const follow = (wishes: Partial<LogQuery> = {}) => {
    const lines: string[] = [];
    const waiting = new Map<string, () => void>();
    const run = async () => {
      for await (const { text } of cluster.logs({ ...query, follow: following, ...wishes }, stop.signal)) {
        lines.push(text);
        waiting.get(text)?.();
      }
    };
    const sees = (text: string) =>
      new Promise<void>((resolve) => {
        if (lines.includes(text)) resolve();
        else waiting.set(text, resolve);
      });
    return { lines, troubles, sees, ended: run() };
  };
  const asked = () => server.requests.filter(matches('get pods/log')).map(({ query }) => Object.fromEntries(query));
  return { server, cluster, read, follow, asked, stop, gone };
}

describe('the log of a container', () => {
  test('has its instants in UTC with nine places, whatever the node writes', async () => {
    const { server, read } = await open();
    server.logs.write(where, '2026-11-22T03:02:01.5+02:00', 'in its own zone');
    server.logs.write(where, at(2, 7), 'level=info msg=two');
    expect(await read()).toEqual([
      '2026-11-22T01:02:01.500000000Z in its own zone',
      '2026-11-22T01:02:02.000000007Z level=info msg=two',
    ]);
  });

  test('is asked for as it is wanted', async () => {
    const { server, read, asked } = await open();
    server.logs.write(where, at(1), 'one', 'two', 'three');
    expect((await read({ tailLines: 2 })).map((line) => line.split(' ')[1])).toEqual(['two', 'three']);
    server.logs.restart(where);
    server.logs.write(where, at(9), 'anew');
    expect(await read({ previous: true })).toHaveLength(3);
    expect(await read({ sinceSeconds: 5 })).toEqual([]);
    expect(asked()).toEqual([
      { container: 'dapr-sentry', timestamps: 'true', tailLines: '2' },
      { container: 'dapr-sentry', timestamps: 'true', previous: 'true' },
      { container: 'dapr-sentry', timestamps: 'true', sinceSeconds: '5' },
    ]);
  });

  test('takes a line of any length, and keeps no more of it than a person reads', async () => {
    const { server, read } = await open();
    server.logs.write(where, at(1), 'x'.repeat(5_000_000), 'after it');
    const [long, after] = await read();
    expect(long?.length).toBeLessThan(70_000);
    expect([long?.endsWith('…'), after]).toEqual([true, `${at(1)} after it`]);
  });

  test('goes on where an answer broke off, with no line twice and none lost', async () => {
    const { server, read, asked } = await open();
    const texts = Array.from({ length: 40 }, (_, index) => `line ${index}`);
    // Two of the same text at the same instant are two.
    for (const [index, text] of texts.entries()) server.logs.write(where, at(index, 5), text, 'the same', 'the same');
    server.faults.add({ when: matches('get pods/log'), times: 1, do: { cutAfterBytes: 2500 } });
    const lines = await read();
    expect(lines).toEqual(
      texts.flatMap((text, index) => [text, 'the same', 'the same'].map((one) => `${at(index, 5)} ${one}`)),
    );
    expect(asked().map(({ sinceTime }) => sinceTime)).toEqual([
      undefined,
      expect.stringMatching(/^2026-11-22T01:02:\d\dZ$/),
    ]);
  });

  test('is not there where the container has not started, its node is in trouble, or the user may not', async () => {
    const { server, read, asked } = await open();
    expect(await refusalOf(read())).toMatchObject({
      code: 'cluster.rejected',
      message: expect.stringContaining('waiting to start'),
    });
    server.faults.add({ when: matches('get pods/log'), times: Number.POSITIVE_INFINITY, do: { status: 500 } });
    expect(await refusalOf(read())).toMatchObject({
      code: 'cluster.rejected',
      message: expect.stringContaining('500'),
    });
    expect(asked()).toHaveLength(1 + triesOfACall);
    server.faults.clear();
    server.allow('admin', { allow: 'all', deny: [{ verb: 'get', resource: 'pods/log' }] });
    expect(await refusalOf(read())).toMatchObject({
      code: 'cluster.forbidden',
      hint: expect.stringContaining('resources: ["pods/log"]'),
    });
  });
});

test('a node that does not answer is told of as such', async () => {
  const { server, read } = await open({ timeoutMs: 200 });
  server.faults.add({ when: matches('get pods/log'), times: 2, do: 'hang' });
  expect(await refusalOf(read())).toMatchObject({
    code: 'cluster.rejected',
    message: `the API server had no log from the node of pod ${namespace}/${pod} within 0.2 s`,
  });
});

describe('followed', () => {
  test('it tells what is written, through ends, cuts and a restart of the container', async () => {
    const { server, follow } = await open();
    server.logs.write(where, at(1), 'one');
    const { lines, sees } = follow();
    await sees('one');
    server.logs.write(where, at(1, 1), 'two');
    await sees('two');
    // The other stream of the container, a little late.
    server.logs.end(where);
    server.logs.write(where, at(1, 0), 'late');
    await sees('late');
    server.faults.add({ when: matches('get pods/log'), times: 2, do: 'reset' });
    server.logs.end(where);
    server.logs.write(where, at(3), 'three');
    await sees('three');
    server.logs.restart(where);
    server.logs.write(where, at(9), 'anew');
    await sees('anew');
    expect(lines).toEqual(['one', 'two', 'late', 'three', 'anew']);
  });

  test('it does not go back behind where it began', async () => {
    const { server, follow } = await open();
    server.logs.write(where, at(1), 'of the past', 'one');
    const { lines, sees } = follow({ tailLines: 1 });
    await sees('one');
    server.logs.end(where);
    server.logs.write(where, at(2), 'two');
    await sees('two');
    expect(lines).toEqual(['one', 'two']);
  });

  test('it waits for a container that has not started', async () => {
    const { server, follow, asked } = await open();
    const { lines, sees } = follow();
    while (asked().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    server.logs.write(where, at(1), 'one');
    await sees('one');
    expect(lines).toEqual(['one']);
  });

  test('it tells once of each time in which it cannot be read', async () => {
    const { server, follow } = await open();
    server.logs.write(where, at(1), 'one');
    const { lines, troubles, sees } = follow();
    await sees('one');
    for (const [round, text] of ['two', 'three'].entries()) {
      server.faults.add({ when: matches('get pods/log'), times: 2 * triesOfACall, do: { status: 502 } });
      server.logs.end(where);
      server.logs.write(where, at(2 + round), text);
      await sees(text);
      expect(troubles).toHaveLength(round + 1);
    }
    expect(troubles[0]).toContain('502');
    expect(lines).toEqual(['one', 'two', 'three']);
  });

  test('from now on, it loses nothing of what is written while it is cut off', async () => {
    const { server, follow, asked } = await open();
    server.logs.write(where, at(1), 'of the past');
    const { lines, sees } = follow({ tailLines: 0 });
    while (server.logs.followers === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    server.faults.add({ when: matches('get pods/log'), times: 1, do: 'reset' });
    server.logs.end(where);
    server.logs.write(where, new Date(Date.now() + 1000).toISOString(), 'fresh');
    await sees('fresh');
    expect(lines).toEqual(['fresh']);
    expect(asked().at(-1)).toHaveProperty('sinceTime');
  });

  test('it ends with its pod, and at once when it is told to', async () => {
    const { server, follow, gone, stop } = await open();
    server.logs.write(where, at(1), 'one');
    const first = follow();
    await first.sees('one');
    gone.abort();
    server.logs.end(where);
    await first.ended;
    const second = follow();
    await second.sees('one');
    server.store.remove({ resource: resources.pods, namespace, name: pod });
    server.logs.end(where);
    await second.ended;
    stop.abort();
    await follow().ended;
    expect(server.logs.followers).toBe(0);
  });
});
