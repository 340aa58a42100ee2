import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { makeBundle } from '../support/bundles.ts';
import { copyProgram, type Program } from '../support/program.ts';
import { type SentryServer, startSentryServer } from '../support/sentry-server.ts';
import type { KubeJson } from './admin.ts';
import { deployApps } from './apps.ts';
import { whyNoCluster } from './build-programs.ts';
import { installDapr } from './dapr.ts';
import { findPorts } from './ports.ts';
import { type Dapr, openDapr } from './program.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';
import { waitUntil } from './wait.ts';
import { startChurn } from './watched-churn.ts';
import { makeWatcherAccount, startWatcher, type Watcher, type WatcherAccount } from './watcher.ts';

const missing = await whyNoCluster();
const system = 'dapr-system';
/** How long the watcher is left alone; by hand 15 and more. */
const soakMinutes = Number(process.env.DAPR_MTLS_TEST_SOAK_MINUTES ?? 1);
const changesPerMinute = 500;

describe.skipIf(missing !== undefined)(missing ?? 'mtls watch on a real cluster', () => {
  let cluster: TestCluster;
  let program: Program;
  let dapr: Dapr;
  let sentry: SentryServer;
  let account: WatcherAccount;
  const watchers: Watcher[] = [];

  beforeAll(async () => {
    program = copyProgram();
    cluster = await startCluster();
    dapr = openDapr(cluster.kubeconfig);
    const { files } = await makeBundle({ at: new Date() });
    await installDapr(cluster, { version: '1.17.13', bundle: files });
    await deployApps(cluster, { namespaces: ['shop'], deployments: 2, replicas: 3 });
    await deployApps(cluster, { namespaces: ['churn'], isInjected: false });
    sentry = await startSentryServer(files);
    account = await makeWatcherAccount(cluster, program);
  });
  afterEach(async () => {
    for (const watcher of watchers.splice(0)) await watcher.stop();
  });
  afterAll(async () => {
    await sentry?.stop();
    await cluster?.stop();
  });

  function watch(...args: readonly string[]): Watcher {
    const usual = ['--kubeconfig', account.kubeconfig, '--sentry-address', sentry.address, '--every', '10s'];
    const watcher = startWatcher(program, [...usual, ...args]);
    watchers.push(watcher);
    return watcher;
  }

  /** So often, and no more. */
  const untilSaid = (watcher: Watcher, words: string | RegExp, times = 1) =>
    waitUntil(`${words} is said`, async () => {
      expect(watcher.count(words), JSON.stringify(watcher.lines, undefined, 1)).toBeLessThanOrEqual(times);
      return watcher.count(words) === times;
    });

  /** By the program as people run it; Sentry's own reload is played. */
  async function renew(): Promise<BundleFiles> {
    const { exitCode, stderr } = await dapr.run('dapr mtls renew-certificate -k --ignore-owner helm');
    expect(exitCode, stderr).toBe(0);
    const { data } = (await cluster.admin.get('secret', 'dapr-trust-bundle', system)) as KubeJson;
    const file = (name: string) => Buffer.from(data[name], 'base64');
    const files = { anchors: file('ca.crt'), issuerChain: file('issuer.crt'), issuerKey: file('issuer.key') };
    sentry.use(files);
    return files;
  }

  async function restartApps(): Promise<void> {
    for (const name of ['deployment-1', 'deployment-2'])
      await cluster.admin.kubectl(['rollout', 'restart', `deployment/${name}`, '-n', 'shop']);
  }

  const eventsOf = async (reason: string) =>
    (await cluster.admin.list('events', system)).filter((event) => event.reason === reason);

  test(
    `left alone for ${soakMinutes} min, it tells of everything once and grows no more`,
    async () => {
      const wholeMs = soakMinutes * 60_000;
      const live = (await cluster.admin.get('configmap', 'dapr-trust-bundle', system)) as KubeJson;
      const churn = startChurn(cluster.admin, 'churn', live.data['ca.crt'], changesPerMinute);
      const watcher = watch('--events', '--leader-elect');
      const samples: number[] = [];
      const sampling = setInterval(() => samples.push(watcher.memory()), 1_000);
      const startedMs = performance.now();
      /** So far into the time. */
      const until = (share: number) => pause(Math.max(0, startedMs + share * wholeMs - performance.now()));
      try {
        await untilSaid(watcher, 'Watching the trust bundle');

        await until(0.2);
        await cluster.restartApiServer(3_000);

        await until(0.35);
        const recoveries = watcher.count('Looking succeeds again');
        await account.revokeToken();
        await waitUntil('the token is refused', async () => watcher.count('(cluster.unauthorized)') > 0);
        await account.renewToken();
        await waitUntil('it looks again', async () => watcher.count('Looking succeeds again') > recoveries);

        await until(0.5);
        await churn.change(async () => `${(await renew()).anchors}`);
        await untilSaid(watcher, 'The root certificate was replaced');
        await untilSaid(watcher, 'The issuer certificate was replaced');
        await untilSaid(watcher, / lack a trust anchor that they need, 0 when it was told last$/);

        await until(0.65);
        await restartApps();
        await untilSaid(watcher, /^All \d+ sidecars that can be judged hold /);

        await until(0.8);
        await cluster.restartApiServer(3_000);
        await until(1);
      } finally {
        clearInterval(sampling);
        await churn.stop();
        report(watcher, samples, churn.changes);
      }

      await waitUntil('both Events are there', async () => (await eventsOf('IssuerReplaced')).length > 0);
      const { exitCode, tookMs } = await watcher.stop();
      const changes = watcher.lines.filter(({ level }) => level === 'info').map(({ msg }) => msg);
      expect(exitCode).toBe(0);
      expect(tookMs).toBeLessThan(5_000);
      expect(changes.filter((message, index) => changes.indexOf(message) !== index)).toEqual([]);
      expect(churn.changes).toBeGreaterThan(0.5 * changesPerMinute * soakMinutes);
      const half = samples.length >> 1;
      expect(median(samples.slice(-10))).toBeLessThan(median(samples.slice(half - 5, half + 5)) + 6);
      for (const reason of ['RootReplaced', 'IssuerReplaced'])
        expect((await eventsOf(reason)).map(({ count }) => count)).toEqual([1]);
      const described = await cluster.admin.kubectl(['describe', 'deployment', 'dapr-sentry', '-n', system]);
      expect(described).toMatch(/Normal\s+RootReplaced\s.*dapr-mtls/);
    },
    soakMinutes * 60_000 + 300_000,
  );

  test('of two replicas one tells, and the other one when that was killed', async () => {
    const ports = await findPorts('127.0.0.1', 2);
    const lease = () => cluster.admin.get('lease', 'dapr-mtls-watch', system);
    const start = (port: number | undefined) =>
      watch('--events', '--leader-elect', '--warn-at', '400d', '--listen', `127.0.0.1:${port}`);
    const leads = async (port: number | undefined) => {
      const figures = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      return /^dapr_mtls_watch_leader(?:\{[^}]*\})? 1$/m.test(figures);
    };
    const warning = 'Dapr root certificate expiration warning';
    const first = start(ports[0]);
    await waitUntil('the first one leads', () => leads(ports[0]));
    const second = start(ports[1]);
    await untilSaid(second, 'Watching the trust bundle');
    await untilSaid(first, warning);
    expect(await leads(ports[1])).toBe(false);
    await waitUntil('the Event is there', async () => (await eventsOf('RootExpiring')).length === 1);

    first.run.child.kill('SIGKILL');
    await waitUntil('the second one leads', () => leads(ports[1]));
    await untilSaid(second, warning);
    expect(await lease()).toMatchObject({ spec: { leaseDurationSeconds: 15 } });
    await waitUntil('the Event is counted', async () => (await eventsOf('RootExpiring'))[0]?.count === 2);
    expect((await second.stop()).exitCode).toBe(0);
    expect((await lease())?.spec.holderIdentity).toBeUndefined();
  });
});

/** For who runs it by hand. */
function report(watcher: Watcher, samples: readonly number[], changes: number): void {
  const [begin, middle, end] = [samples[10], samples[samples.length >> 1], samples.at(-1)].map((mb) => mb?.toFixed(1));
  const most = Math.max(...samples).toFixed(1);
  console.info(
    [
      `${samples.length} s, ${changes} pod changes, ${watcher.cpu()} s of CPU; RSS ${begin}, ${middle}, ${end} MB, at most ${most} MB`,
      ...watcher.lines.map(({ time, level, msg }) => `${time} ${level} ${msg}`),
    ].join('\n'),
  );
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}
