import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { KubeObject } from '../../src/kube/port.ts';
import { resources } from '../../src/kube/resources.ts';
import type { ApiRequest } from '../support/api-server/request.ts';
import { type ApiServer, startApiServer } from '../support/api-server/server.ts';
import { bareEnvironment, run, runAny } from '../support/command-line.ts';
import { runningControlPlane } from '../support/dapr-control-plane.ts';
import { readForeignBundle } from '../support/fixtures.ts';
import { commandOf, shellCommandOf } from '../support/program-under-test.ts';
import { schemaViolations } from '../support/schema.ts';

const namespace = 'dapr-system';
let server: ApiServer;
let kubeconfig: string;

beforeEach(async () => {
  server = await startApiServer();
  kubeconfig = server.kubeconfig();
  // Its own pods have written nothing: those that a test speaks of take their place.
  server.store.put(...runningControlPlane({ bundle: readForeignBundle('sentry-1.17') }));
  for (const { kind, metadata } of server.store.objects())
    if (kind === 'Pod') server.store.remove({ resource: resources.pods, namespace, name: metadata.name });
});
afterEach(() => server.stop());

const at = (second: number) => `2026-11-22T01:02:${String(second).padStart(2, '0')}.000000001Z`;
const entry = (level: string, msg: string) =>
  `time="2026-11-22T01:02:03Z" level=${level} msg="${msg}" scope=dapr.sentry`;
const expired = entry('error', 'tls: expired certificate');

function addPod(name: string, service = 'dapr-sentry'): string {
  const metadata = { name, namespace, uid: `uid-${name}`, labels: { app: service } };
  const containers = [{ name: 'istio-proxy' }, { name: service }];
  server.store.put({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers } } as KubeObject);
  return `${name}/${service}`;
}

const logs = (...words: string[]) =>
  run(['logs', '-k', ...words], { program: 'dapr-mtls', env: { KUBECONFIG: kubeconfig } });

describe('mtls logs', () => {
  test('has the lines of all replicas by time, each as it was written', async () => {
    const [a, b] = [addPod('sentry-a'), addPod('sentry-b')];
    addPod('operator', 'dapr-operator');
    server.logs.write(a, at(1), entry('info', 'one'));
    server.logs.write(b, at(2), '{"level":"info","msg":"two"}');
    server.logs.write(a, at(3), 'no line of a log\twith \u001b[31mtricks', 'and another');
    const { status, stdout, stderr } = await logs();
    expect(status, stderr).toBe(0);
    expect(stdout.split('\n')).toEqual([
      `sentry-a ${entry('info', 'one')}`,
      'sentry-b {"level":"info","msg":"two"}',
      'sentry-a no line of a log\twith \\u001b[31mtricks',
      'sentry-a and another',
      '',
    ]);
    expect(stderr).toMatch(/^Control plane: namespace dapr-system/);
  });

  test('as JSON each line is a document', async () => {
    server.logs.write(addPod('sentry-a'), at(1), entry('info', 'one'), expired);
    const { stdout, stderr } = await logs('--format', 'json');
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.flatMap((line) => schemaViolations(line))).toEqual([]);
    expect(lines[1]).toMatchObject({
      kind: 'LogLine',
      pod: 'sentry-a',
      time: at(1),
      level: 'error',
      msg: 'tls: expired certificate',
      known: 'certificate.expired',
    });
    expect(stderr).toMatch(/Seen once: A certificate has expired\n.*dapr-mtls logs -k.* \| dapr-mtls explain/);
  });

  test('is asked for as it is wanted', async () => {
    const where = addPod('sentry-a');
    server.logs.write(where, at(1), 'before');
    server.logs.restart(where);
    server.logs.write(where, at(2), 'one', 'two', 'three');
    server.logs.write(addPod('operator', 'dapr-operator'), at(3), 'of the operator');
    expect((await logs('--tail', '1')).stdout).toBe('sentry-a three\n');
    expect((await logs('-p')).stdout).toBe('sentry-a before\n');
    expect((await logs('--since', '1h30m')).stdout).toBe('');
    expect(server.requests.at(-1)?.query.get('sinceSeconds')).toBe('5400');
    expect((await logs('--service', 'all', '--tail', '1')).stdout).toBe('sentry-a three\noperator of the operator\n');
  });

  test('goes on without a pod that has no log yet, and says so', async () => {
    server.logs.write(addPod('sentry-a'), at(1), 'one');
    addPod('sentry-b');
    const { status, stdout, stderr } = await logs('-q');
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'sentry-a one\n' });
    expect(stderr).toMatch(/^Pod sentry-b is left out: .*waiting to start/);
  });

  test('fails where no pod has a log', async () => {
    addPod('sentry-a');
    addPod('sentry-b');
    const { status, stdout, stderr } = await logs('-q');
    expect({ status, stdout }).toEqual({ status: 5, stdout: '' });
    expect(stderr).toMatch(/Error: none of the 2 pods has a log\nSee why: `kubectl describe pods -n dapr-system -l/);
  });

  test('of a node in trouble does without its pod', async () => {
    server.logs.write(addPod('sentry-a'), at(1), 'one');
    server.logs.write(addPod('sentry-b'), at(2), 'two');
    const isOfA = ({ path }: ApiRequest) => path.includes('/sentry-a/log');
    server.faults.add({ when: isOfA, times: Number.POSITIVE_INFINITY, do: { status: 500 } });
    const { status, stdout, stderr } = await logs('-q');
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'sentry-b two\n' });
    expect(stderr).toMatch(/^Pod sentry-a is left out: .*500/);
  });

  test('fails where the only pod has none', async () => {
    addPod('sentry-a');
    expect(await logs('-q', '-p')).toMatchObject({
      status: 5,
      stderr: expect.stringMatching(
        /Error: the only pod has no log of a container that ran before\nLeave -p out for the log/,
      ),
    });
  });

  test.each([
    [['sentry-a'], [], 'the only pod'],
    [['sentry-a'], ['-p'], 'the only pod'],
    [['sentry-a', 'sentry-b'], ['-p'], 'any of the 2 pods'],
  ])('of %j %j does not say that there is none where it could not be read', async (names, words, whom) => {
    for (const name of names) addPod(name);
    const isOfA = ({ path }: ApiRequest) => path.includes('/sentry-a/log');
    server.faults.add({ when: isOfA, times: Number.POSITIVE_INFINITY, do: { status: 500 } });
    const { status, stdout, stderr } = await logs('-q', ...words);
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    expect(stderr).toMatch(/^Pod sentry-a is left out: .*500/m);
    expect(stderr).toContain(
      `Error: no log could be read of ${whom}\nTry again; if it stays so, see whether the nodes`,
    );
  });

  test.each([
    ['alone', []],
    ['beside another pod', ['sentry-b']],
  ])('that breaks off for good, %s, is printed so far, and no success', async (_, others) => {
    server.logs.write(addPod('sentry-a'), at(1), 'one', expired, 'three');
    for (const name of others) server.logs.write(addPod(name), at(2), 'four');
    const isOfA = ({ path }: ApiRequest) => path.includes('/sentry-a/log');
    const twoLines = `${at(1)} one\n${at(1)} ${expired}\n`.length;
    server.faults.add({ when: isOfA, times: 1, do: { cutAfterBytes: twoLines + 3 } });
    server.faults.add({ when: isOfA, times: Number.POSITIVE_INFINITY, do: { status: 500 } });
    const { status, stdout, stderr } = await logs();
    expect(stdout).toBe(
      ['sentry-a one', `sentry-a ${expired}`, ...others.map((name) => `${name} four`), ''].join('\n'),
    );
    expect(status).toBe(3);
    expect(stderr).toMatch(/^The rest of the log of pod sentry-a is missing: .*500/m);
    expect(stderr).not.toContain('left out');
    expect(stderr).toMatch(/^Seen once: A certificate has expired$/m);
    expect(stderr).toMatch(/^Error: the log of sentry-a broke off, and what stands behind the last line/m);
  });

  test.each<[string[], number, RegExp]>([
    [['--since', 'yesterday'], 2, /--since yesterday is not a length of time/],
    [['-f', '--previous'], 2, /previous/],
    [['-n', 'elsewhere'], 5, /there is no pod of dapr-sentry in namespace elsewhere/],
  ])('%s is refused', async (words, status, text) => {
    expect(await logs(...words)).toMatchObject({ status, stdout: '', stderr: expect.stringMatching(text) });
  });

  test('without the right names it', async () => {
    addPod('sentry-a');
    server.allow('admin', { allow: 'all', deny: [{ verb: 'get', resource: 'pods/log' }] });
    const { status, stderr } = await logs();
    expect([status, stderr]).toEqual([3, expect.stringContaining('resources: ["pods/log"]')]);
  });

  test('what it prints is what explain reads', async () => {
    server.logs.write(addPod('sentry-a'), at(1), entry('info', 'one'), expired);
    const line = `${shellCommandOf('dapr-mtls')} logs -k -q | ${shellCommandOf('dapr-mtls')} explain`;
    const { stdout } = await runAny('bash', ['-c', line], { env: { KUBECONFIG: kubeconfig } });
    expect(stdout).toContain('A certificate has expired');
  });

  test('a reader that has had enough is no error', async () => {
    const where = addPod('sentry-a');
    for (let index = 0; index < 200_000; index++) server.logs.write(where, at(1), `line ${index}`);
    const line = `${shellCommandOf('dapr-mtls')} logs -k | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await runAny('bash', ['-c', line], { env: { KUBECONFIG: kubeconfig } });
    expect([stdout, stderr]).toEqual(['sentry-a line 0\n0\n', expect.stringMatching(/^Control plane: .*\n$/)]);
  });
});

describe('mtls logs -f', () => {
  interface Following {
    readonly child: ChildProcess;
    readonly output: () => string;
    readonly errors: () => string;
    readonly prints: (text: string) => Promise<void>;
  }

  function follow(...words: string[]): Following {
    const [program, ...before] = commandOf('dapr-mtls');
    const child = spawn(program, [...before, 'logs', '-k', '-f', ...words], {
      env: { ...bareEnvironment, KUBECONFIG: kubeconfig },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    const prints = (text: string) => expect.poll(() => output, { timeout: 60_000 }).toContain(text);
    return { child, output: () => output, errors: () => errors, prints };
  }

  test('goes on through cuts, with replicas that come and go, until Ctrl-C', async () => {
    const a = addPod('sentry-a');
    server.logs.write(a, at(1), 'of the past', 'one');
    const { child, prints, output, errors } = follow('--tail', '1');
    await prints('sentry-a one');
    server.logs.end(a);
    server.logs.write(a, at(2), 'behind a cut');
    await prints('sentry-a behind a cut');
    server.logs.write(addPod('sentry-b'), at(3), 'I am new', expired);
    await prints('sentry-b I am new');
    server.store.remove({ resource: resources.pods, namespace, name: 'sentry-a' });
    server.logs.end(a);
    server.logs.write('sentry-b/dapr-sentry', at(4), 'alone');
    await prints('sentry-b alone');
    expect(output().split('\n').slice(0, -1)).toEqual([
      'sentry-a one',
      'sentry-a behind a cut',
      'sentry-b I am new',
      `sentry-b ${expired}`,
      'sentry-b alone',
    ]);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([130, null]);
    expect(errors()).toMatch(/Seen once: A certificate has expired/);
  });

  test('waits for the first pod', async () => {
    const { child, prints, errors } = follow();
    await expect.poll(() => server.watches.count, { timeout: 60_000 }).toBe(1);
    await expect.poll(errors).toContain('No pod of dapr-sentry in namespace dapr-system yet: waiting for one\n');
    server.logs.write(addPod('sentry-a'), at(1), 'one');
    await prints('sentry-a one');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([143, null]);
  });

  test('without the right to watch follows the pods that are there', async () => {
    server.allow('admin', { allow: 'all', deny: [{ verb: 'watch', resource: 'pods' }] });
    const a = addPod('sentry-a');
    server.logs.write(a, at(1), 'one');
    const { child, prints, errors } = follow();
    await prints('sentry-a one');
    server.logs.write(a, at(2), 'two');
    await prints('sentry-a two');
    expect(errors()).toContain('Pods that come from now on are not followed');
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([130, null]);
  });

  test('fails where there is no pod, and no right to see one come', async () => {
    server.allow('admin', { allow: 'all', deny: [{ verb: 'watch', resource: 'pods' }] });
    const { child, errors } = follow();
    expect(await once(child, 'exit')).toEqual([3, null]);
    expect(errors()).toMatch(/^Error: .*may not watch pods/m);
  });

  test('ends quietly when nobody reads any more', async () => {
    const a = addPod('sentry-a');
    server.logs.write(a, at(1), 'one');
    const { child, prints, errors } = follow();
    await prints('sentry-a one');
    const ended = once(child, 'exit');
    child.stdout?.destroy();
    server.logs.write(a, at(2), 'two');
    expect(await ended).toEqual([0, null]);
    expect(errors()).toMatch(/^Control plane: .*\n$/);
  });
});
