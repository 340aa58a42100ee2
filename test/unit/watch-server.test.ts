import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { whyNotAlive, whyNotReady } from '../../src/app/watch/health.ts';
import type { Moment } from '../../src/app/watch/moment.ts';
import { parseListenAddress } from '../../src/cli/watch/listen-address.ts';
import { type Endpoints, serveEndpoints } from '../../src/cli/watch/server.ts';

const minuteMs = 60_000;
const moment = (ms: number, wallMs = ms): Moment => ({ at: new Date(wallMs), elapsedMs: ms });

test('a loop that has not turned for three times its longest wait is dead, one that slept is not', () => {
  expect(whyNotAlive(moment(0), moment(3 * minuteMs), minuteMs)).toBeUndefined();
  expect(whyNotAlive(moment(0), moment(3 * minuteMs + 1), minuteMs)).toBe('the watch does not turn any more');
  expect(whyNotAlive(moment(0), moment(1000, 8 * 60 * minuteMs), minuteMs)).toBeUndefined();
});

test('what was read three times as long ago as it may be is not ready', () => {
  expect(whyNotReady(undefined, moment(0), minuteMs)).toBe('no look has succeeded yet');
  expect(whyNotReady(moment(0), moment(3 * minuteMs - 1), minuteMs)).toBeUndefined();
  expect(whyNotReady(moment(0), moment(3 * minuteMs), minuteMs)).toBe('no look has succeeded for long');
});

test.each([
  ['9108', { host: undefined, port: 9108 }],
  [':9108', { host: undefined, port: 9108 }],
  ['127.0.0.1:9108', { host: '127.0.0.1', port: 9108 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
  ['[::1]:9108', { host: '::1', port: 9108 }],
])('--listen %s', (text, address) => {
  expect(parseListenAddress(text)).toEqual(address);
});

test.each(['', ':', 'localhost', '65536', '1.2.3.4', '::1:9108', '[::1]', 'a b:1', 'http://a:1', '-1'])(
  '--listen %j is refused',
  (text) => {
    expect(() => parseListenAddress(text)).toThrow(/is no address to listen on/);
  },
);

const endpoints = (rest: Partial<Endpoints> = {}): Endpoints => ({
  metrics: async () => 'up 1\n',
  whyNotAlive: () => undefined,
  whyNotReady: () => undefined,
  ...rest,
});

test('figures that cannot be made are no end of the server', async () => {
  const broken = async () => {
    throw new Error('secret words');
  };
  const server = await serveEndpoints({ host: '127.0.0.1', port: 0 }, endpoints({ metrics: broken }));
  const response = await fetch(`http://${server.address}/metrics`);
  expect([response.status, await response.text()]).toEqual([500, 'failed\n']);
  expect((await fetch(`http://${server.address}/healthz`)).status).toBe(200);
  server.close();
});

test('why it is not alive is the answer', async () => {
  const server = await serveEndpoints({ host: '127.0.0.1', port: 0 }, endpoints({ whyNotAlive: () => 'stuck' }));
  const response = await fetch(`http://${server.address}/healthz`);
  expect([response.status, await response.text()]).toEqual([503, 'stuck\n']);
  server.close();
});

test.each([
  ['headers without end', `GET / HTTP/1.1\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`, / 431 /],
  ['what is no HTTP', 'hello\r\n\r\n', / 400 /],
])('%s is answered and cut', async (_, words, answer) => {
  const server = await serveEndpoints({ host: '127.0.0.1', port: 0 }, endpoints());
  const [host = '', port] = server.address.split(':');
  const socket = connect(Number(port), host);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.on('error', () => {});
  socket.write(words);
  await closed;
  expect(text).toMatch(answer);
  server.close();
});

test('nobody can listen where somebody does', async () => {
  const server = await serveEndpoints({ host: '127.0.0.1', port: 0 }, endpoints());
  const port = Number(server.address.split(':')[1]);
  await expect(serveEndpoints({ host: '127.0.0.1', port }, endpoints())).rejects.toMatchObject({
    code: 'usage.listen',
  });
  server.close();
});
