import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { copyProgram, type Program } from '../support/program.ts';
import { whyNoCluster } from './build-programs.ts';
import { type KubeletLogs, serveKubeletLogs } from './kubelet-logs.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';
import type { Grant } from './users.ts';

const missing = await whyNoCluster();
const namespace = 'default';
const at = (second: number, nanos = 5) =>
  `2026-11-22T03:02:${String(second).padStart(2, '0')}.${String(nanos).padStart(9, '0')}+02:00`;

describe.skipIf(missing !== undefined)(missing ?? 'mtls logs through a real API server', () => {
  let cluster: TestCluster;
  let program: Program;
  let kubelet: KubeletLogs;

  beforeAll(async () => {
    program = copyProgram();
    cluster = await startCluster({ nodes: 1 });
    kubelet = await serveKubeletLogs(cluster, 'node-1');
  });
  afterAll(async () => {
    kubelet?.stop();
    await cluster?.stop();
  });

  async function addPod(name: string): Promise<string> {
    const { status } = await cluster.admin.request('POST', `/api/v1/namespaces/${namespace}/pods`, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels: { app: 'dapr-sentry' } },
      spec: { nodeName: 'node-1', containers: [{ name: 'dapr-sentry', image: 'daprio/sentry:1.17.13' }] },
    });
    expect(status).toBe(201);
    return `${name}/dapr-sentry`;
  }

  const line = (words: readonly string[], kubeconfig = cluster.kubeconfig) => [
    'logs',
    '-n',
    namespace,
    '--kubeconfig',
    kubeconfig,
    ...words,
  ];

  test('reads, and follows through cuts, with the rights that its page names', async () => {
    const rights: Grant[] = [
      { namespace, resources: ['pods'], verbs: ['list', 'watch'] },
      { namespace, resources: ['pods/log'], verbs: ['get'] },
    ];
    const reader = await cluster.addUser('reader', rights, { credentials: 'token' });
    const [a, b] = [await addPod('sentry-a'), await addPod('sentry-b')];
    kubelet.logs.write(a, at(1), 'one');
    kubelet.logs.write(b, at(2), 'two');
    kubelet.logs.write(a, at(3), 'three');
    const whole = await program.run(line(['--format', 'json'], reader));
    expect(whole.exitCode, whole.stderr).toBe(0);
    const entries = whole.stdout
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text));
    expect(entries.map(({ pod, time, msg }) => [pod, time, msg])).toEqual([
      ['sentry-a', '2026-11-22T01:02:01.000000005Z', 'one'],
      ['sentry-b', '2026-11-22T01:02:02.000000005Z', 'two'],
      ['sentry-a', '2026-11-22T01:02:03.000000005Z', 'three'],
    ]);

    const run = program.start(line(['-f', '--tail', '1'], reader));
    let output = '';
    run.child.stdout?.on('data', (chunk) => {
      output += chunk;
    });
    const prints = (text: string) => expect.poll(() => output).toContain(text);
    await prints('sentry-a three');
    for (let second = 10; second < 20; second++) {
      kubelet.logs.write(a, at(second), `a ${second}`, 'the same', 'the same');
      kubelet.logs.write(b, at(second), `b ${second}`);
      if (second % 3 === 0) kubelet.cut();
    }
    await prints('sentry-b b 19');
    const c = await addPod('sentry-c');
    // It has not started yet, which is a 400 of the API server.
    await expect.poll(() => kubelet.asked.length).toBeGreaterThan(4);
    kubelet.logs.write(c, at(30), 'I am new');
    await prints('sentry-c I am new');
    await prints('sentry-a a 19');
    run.child.kill('SIGINT');
    expect((await run.ended).exitCode).toBe(130);

    const count = (text: string) => output.split('\n').filter((printed) => printed === text).length;
    for (let second = 10; second < 20; second++)
      expect([second, count(`sentry-a a ${second}`), count(`sentry-b b ${second}`)]).toEqual([second, 1, 1]);
    expect(count('sentry-a the same')).toBe(20);
    expect(count('sentry-a one')).toBe(0);
    // Kubernetes hands it on in whole seconds: what the client counts on.
    const resumed = kubelet.asked.flatMap(({ sinceTime }) => sinceTime ?? []);
    expect(resumed.length).toBeGreaterThan(0);
    for (const sinceTime of resumed) expect(sinceTime).toMatch(/^[^.]*$/);
  });

  test('names the right that is missing', async () => {
    const lister = await cluster.addUser('lister', [{ namespace, resources: ['pods'], verbs: ['list'] }]);
    const { exitCode, stderr } = await program.run(line([], lister));
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('resources: ["pods/log"]')]);
  });
});
