import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { makeAlertGroups } from '../../src/app/manifest/alerts.ts';
import { makeDashboard } from '../../src/app/manifest/dashboard/dashboard.ts';
import { readAlertThresholds } from '../../src/cli/manifest-rule-input.ts';
import { findGo } from '../interop/go-program.ts';
import { buildPromtool } from '../interop/promtool.ts';
import { dayMs, makeBundle } from '../support/bundles.ts';
import { copyProgram, type Program } from '../support/program.ts';
import { untouchedRuleFlags } from '../support/rule-flags.ts';
import { type SentryServer, startSentryServer } from '../support/sentry-server.ts';
import type { KubeJson } from './admin.ts';
import { deployApps } from './apps.ts';
import { whyNoCluster } from './build-programs.ts';
import { installDapr } from './dapr.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { findPorts } from './ports.ts';
import { readOperatorKinds } from './prometheus-operator.ts';
import { openRequestLog, type RequestLog } from './request-log.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';
import { waitUntil } from './wait.ts';

/** As a shell has them. */
function wordsOf(line: string): string[] {
  return (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^"(.*)"$/, '$1'));
}

/** Of the pods of the one workload among them. */
function templateOf(objects: readonly KubeJson[]): KubeJson {
  const workload = objects.find(({ kind }) => kind === 'Deployment' || kind === 'CronJob');
  return workload?.spec.template ?? workload?.spec.jobTemplate.spec.template;
}

function containerOf(objects: readonly KubeJson[]): { readonly args: readonly string[] } {
  return templateOf(objects).spec.containers[0];
}

const page = readFileSync(new URL('../../docs/monitoring-kubernetes.md', import.meta.url), 'utf8');
const commandsOfPage = [...page.matchAll(/^dapr-mtls manifest .*/gm)].map(([line]) => line);
const prometheusOfPage = /^```yaml\n(# prometheus\.yml\n[\s\S]*?)^```/m.exec(page)?.[1] ?? '';

const missing = await whyNoCluster();
const go = await findGo(process.env);
const system = 'dapr-system';
const image = 'registry.example/dapr-mtls:0.1.0';

describe.skipIf(missing !== undefined)(missing ?? 'what watches a cluster', () => {
  let cluster: TestCluster;
  let program: Program;
  let sentry: SentryServer;
  let requests: RequestLog;

  beforeAll(async () => {
    program = copyProgram();
    requests = openRequestLog(system);
    cluster = await startCluster({ apiServerFlags: requests.flags });
    const { files } = await makeBundle({ at: new Date(), issuerValidMs: 100 * dayMs });
    await installDapr(cluster, { version: '1.17.13', bundle: files });
    await deployApps(cluster, { namespaces: ['shop'], deployments: 2 });
    sentry = await startSentryServer(files);
    await cluster.admin.apply(
      [system, 'monitoring', 'restricted'].map((name) => ({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name, labels: name === 'restricted' ? { 'pod-security.kubernetes.io/enforce': 'restricted' } : {} },
      })),
    );
  });
  afterAll(async () => {
    await sentry?.stop();
    await cluster?.stop();
  });

  async function print(words: string): Promise<string> {
    const { exitCode, stdout, stderr } = await program.run(['manifest', ...wordsOf(words)]);
    expect(exitCode, stderr).toBe(0);
    return stdout;
  }
  const objectsOf = (yaml: string) => parseAllDocuments(yaml).map((document) => document.toJS() as KubeJson);
  const dryRun = (text: string) =>
    cluster.admin.kubectl(['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'], text);

  /** Whoever has the account's token, as a container of it has. */
  async function becomeAccount(name: string): Promise<string> {
    const token = (await cluster.admin.kubectl(['create', 'token', name, '-n', system])).trim();
    const kubeconfig = join(cluster.folder, `${name}.kubeconfig`);
    const { server, authority } = cluster;
    writeKubeconfig(kubeconfig, {
      server,
      caCertificate: authority.certificate,
      user: name,
      credentials: { token },
    });
    return kubeconfig;
  }

  const builtIn = [
    `watch --image ${image}`,
    `watch --image ${image} --scrape-annotations --read-secret --no-sidecars --warn-at 30d,20% --replicas 1`,
    `cronjob --image ${image}`,
    `cronjob --image ${image} --command check --command audit --schedule @hourly --time-zone Europe/Berlin --warn-before 60d`,
    `grafana-dashboard -n monitoring`,
    'network-policy --from-namespace monitoring',
    'network-policy --for cronjob --api-server 10.0.0.1/32 --api-server fd00::1/128',
    'network-policy --for sentry',
  ];
  const operators = [
    `watch --image ${image} --service-monitor --label release=prometheus`,
    'prometheus-rule -n monitoring --label release=prometheus',
  ];

  describe('is taken by the API server as it is printed', () => {
    test.each(builtIn)('manifest %s', async (words) => {
      const yaml = await print(words);
      const taken = await dryRun(yaml);
      expect(taken.trim().split('\n')).toHaveLength(objectsOf(yaml).length);
      // A dashboard in JSON is one for Grafana.
      if (!words.startsWith('grafana')) expect(await dryRun(await print(`${words} --format json`))).toBe(taken);
    });

    test('and a field that Kubernetes does not know is refused', async () => {
      const yaml = (await print('network-policy')).replace('podSelector:', 'podSelecter:');
      await expect(dryRun(yaml)).rejects.toThrow('podSelecter');
    });

    const withoutGo = 'skipped: the kinds of the operator come as a Go module, and go is not on the PATH';
    describe.skipIf(!go)(go ? 'that knows the kinds of the operator of Prometheus' : withoutGo, () => {
      beforeAll(async () => {
        await cluster.admin.apply(await readOperatorKinds(go ?? '', ['prometheusrules', 'servicemonitors']));
        await cluster.admin.kubectl('wait --for=condition=Established crd --all --timeout=60s'.split(' '));
      });

      test.each(operators)('manifest %s', async (words) => {
        const yaml = await print(words);
        await waitUntil('the kinds are served', async () => (await dryRun(yaml)) !== '');
        const taken = await dryRun(yaml);
        expect(taken.trim().split('\n')).toHaveLength(objectsOf(yaml).length);
        expect(await dryRun(await print(`${words} --format json`))).toBe(taken);
      });

      test('and a rule with a field of nobody is refused', async () => {
        const yaml = (await print('prometheus-rule -n monitoring')).replace('expr:', 'expression:');
        await expect(dryRun(yaml)).rejects.toThrow('expression');
      });
    });
  });

  test.each(commandsOfPage)('as docs/monitoring-kubernetes.md has it: %s', async (line) => {
    const [command = '', ...rest] = line.split(/ [|>] /);
    const printed = await print(command.replace('dapr-mtls manifest ', '').replace('"$IMAGE"', image));
    expect(printed).not.toBe('');
    if (rest[0]?.startsWith('kubectl apply') && !/ServiceMonitor|PrometheusRule/.test(printed)) await dryRun(printed);
  });

  test.each([`watch --image ${image}`, `cronjob --image ${image} --command check`])(
    'its pods pass the Pod Security Standard "restricted": manifest %s',
    async (words) => {
      const objects = objectsOf(await print(words));
      const { spec, metadata } = templateOf(objects);
      const pod = (more: object) => ({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...metadata, name: 'one', namespace: 'restricted' },
        spec: { ...spec, ...more, serviceAccountName: 'default' },
      });
      await waitUntil('the account of the namespace', () =>
        cluster.admin.get('serviceaccount', 'default', 'restricted'),
      );
      await dryRun(JSON.stringify(pod({})));
      await expect(dryRun(JSON.stringify(pod({ securityContext: {} })))).rejects.toThrow('violates PodSecurity');
    },
  );

  /** Whether a Helm release keeps the bundle stands in Secrets whose names nobody knows before. */
  const helmIsUnknown = ['list secrets'];

  const granted = (objects: readonly KubeJson[]) =>
    objects
      .flatMap(({ rules = [] }) => rules as { resources: string[]; verbs: string[] }[])
      .flatMap(({ resources, verbs }) => verbs.flatMap((verb) => resources.map((resource) => `${verb} ${resource}`)))
      .sort();

  test.each([
    { command: 'check', withoutRight: helmIsUnknown },
    // Who may read it is asked first.
    { command: 'expiry', withoutRight: ['get secrets'] },
    { command: 'audit', withoutRight: ['get secrets'] },
  ])('a CronJob of $command has the rights that it uses, and no other', async ({ command, withoutRight }) => {
    const objects = objectsOf(await print(`cronjob --image ${image} --command ${command} --fail-on error`));
    await cluster.admin.apply(objects.filter(({ kind }) => kind !== 'CronJob'));
    const { args } = containerOf(objects);
    const kubeconfig = await becomeAccount(`dapr-mtls-${command}`);
    // Where a pod of the cluster finds Sentry by its Service.
    const address = command === 'check' ? [] : ['--sentry-address', sentry.address];
    const { exitCode, stderr } = await program.run([...args, '--kubeconfig', kubeconfig, ...address]);
    expect(exitCode, stderr).toBe(0);
    const { allowed, refused } = requests.read(`dapr-mtls-${command}`);
    expect(allowed).toEqual([...new Set(granted(objects))]);
    expect(refused).toEqual(withoutRight);
  });

  test('a CronJob fails where something is found', async () => {
    const objects = objectsOf(await print(`cronjob --image ${image} --command expiry --warn-before 200d`));
    await cluster.admin.apply(objects.filter(({ kind }) => kind !== 'CronJob'));
    const { args } = containerOf(objects);
    const kubeconfig = await becomeAccount('dapr-mtls-expiry');
    const run = await program.run([...args, '--kubeconfig', kubeconfig, '--sentry-address', sentry.address]);
    expect(run.exitCode, run.stderr).toBe(10);
  });

  test.skipIf(!go)('Prometheus finds both replicas by the configuration of the page, under one name', async () => {
    await cluster.admin.apply(objectsOf(await print(`watch --image ${image}`)));
    await cluster.admin.kubectl(['rollout', 'status', '-n', system, 'deploy/dapr-mtls-watch', '--timeout=60s']);
    const promtool = await buildPromtool(go ?? '');
    const config = prometheusOfPage.replace(
      '- role: pod\n',
      `- role: pod\n        kubeconfig_file: ${cluster.kubeconfig}\n`,
    );
    const { isContent, said } = await promtool(
      ['check', 'service-discovery', '--timeout=10s', 'prometheus.yml', 'dapr-mtls'],
      {
        'prometheus.yml': config,
        'dapr-mtls.rules.yaml': { groups: [] },
      },
    );
    expect(isContent, said).toBe(true);
    const found = (JSON.parse(said.slice(said.indexOf('['))) as { labels?: Record<string, string> }[]).flatMap(
      ({ labels = {} }) => (Object.keys(labels).length > 0 ? [labels] : []),
    );
    const pods = await cluster.admin.list('pods', system, 'app.kubernetes.io/component=watch');
    expect(found.map(({ pod }) => pod).sort()).toEqual(pods.map(({ metadata }) => metadata.name).sort());
    expect(found).toHaveLength(2);
    for (const { instance, __address__ } of found) {
      expect([instance, __address__]).toEqual(['dapr-system/dapr-mtls-watch', expect.stringMatching(/:8080$/)]);
    }
  });

  /** Its figures, when it is ready and has told what it has to tell. */
  async function watchAs(name: string, words: string): Promise<{ objects: KubeJson[]; figures: string; log: string }> {
    // Warnings from 200 days on: an Event is written at once.
    const objects = objectsOf(await print(`watch --image ${image} --name ${name} --warn-at 200d ${words}`.trim()));
    await cluster.admin.apply(objects.filter(({ kind }) => kind !== 'Deployment' && kind !== 'Service'));
    // What an earlier one has made needs not be made anew.
    await cluster.admin.kubectl(['delete', 'lease,events', '--all', '-n', system]);
    const { args } = containerOf(objects);
    const [port] = await findPorts('127.0.0.1', 1);
    const kubeconfig = await becomeAccount(name);
    const placed = args.map((arg) => (arg === ':8080' ? `127.0.0.1:${port}` : arg));
    const run = program.start([...placed, '--kubeconfig', kubeconfig, '--sentry-address', sentry.address]);
    const end = async () => {
      run.child.kill('SIGTERM');
      return run.ended;
    };
    try {
      const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
      await waitUntil('it is ready', async () => (await ask('/readyz')).ok);
      expect((await ask('/healthz')).status).toBe(200);
      const wanted = [...new Set(granted(objects))];
      await waitUntil('it has used every right that it has', async () => {
        const { allowed } = requests.read(name);
        return wanted.every((right) => allowed.includes(right));
      }).catch(() => undefined);
      const figures = await (await ask('/metrics')).text();
      const { exitCode, stdout, stderr } = await end();
      expect(exitCode, stderr).toBe(0);
      return { objects, figures, log: stdout };
    } finally {
      await end();
    }
  }

  test.each([
    { name: 'watch-usual', words: '', withoutRight: [] },
    { name: 'watch-narrow', words: '--no-sidecars', withoutRight: [] },
    { name: 'watch-secret', words: '--read-secret', withoutRight: helmIsUnknown },
  ])('a watcher has the rights that it uses, and no other: $words', async ({ name, words, withoutRight }) => {
    const { objects, log } = await watchAs(name, words);
    const { allowed, refused } = requests.read(name);
    expect({ allowed, refused }, log).toEqual({ allowed: [...new Set(granted(objects))], refused: withoutRight });
    expect(log).toContain('expiration warning');
  });

  test('alerts and dashboard ask for what the watcher serves', async () => {
    const { figures } = await watchAs('watch-figures', '');
    const thresholds = readAlertThresholds({ ...untouchedRuleFlags, 'expect-watcher': true });
    const asked = new Set(
      JSON.stringify([
        makeAlertGroups(thresholds).map(({ rules }) => rules.map(({ expr }) => expr)),
        makeDashboard(),
      ]).match(/\bdapr_mtls_\w+/g),
    );
    // Of `--contexts` alone, and a watcher has one cluster.
    asked.delete('dapr_mtls_cluster_read');
    expect(asked.size).toBeGreaterThan(8);
    for (const name of asked) expect(figures).toContain(`# TYPE ${name} `);
  });
});
