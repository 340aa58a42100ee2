import { spawnSync } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeBundle } from '../support/bundles.ts';
import { copyProgram, type Outcome, type Program, type Run, startProcess } from '../support/program.ts';
import { schemaViolations } from '../support/schema.ts';
import type { KubeJson } from './admin.ts';
import { deployApps } from './apps.ts';
import { whyNoCluster } from './build-programs.ts';
import { installDapr } from './dapr.ts';
import { type PodBehaviour, podAnnotations } from './stages.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';
import type { Grant } from './users.ts';
import { waitUntil } from './wait.ts';

const missing = await whyNoCluster();
/** util-linux has it; elsewhere it takes other flags. */
const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;
const system = 'dapr-system';
const restartedAt = 'kubectl.kubernetes.io/restartedAt';

/** In the order in which they have to be restarted. */
const services = [
  ['deployment', 'dapr-sentry', 'deploy/dapr-sentry'],
  ['deployment', 'dapr-sidecar-injector', 'deploy/dapr-sidecar-injector'],
  ['deployment', 'dapr-operator', 'deploy/dapr-operator'],
  ['statefulset', 'dapr-placement-server', 'statefulsets/dapr-placement-server'],
  ['statefulset', 'dapr-scheduler-server', 'statefulsets/dapr-scheduler-server'],
] as const;
const titles = services.map(([, , title]) => title);

describe.skipIf(missing !== undefined)(missing ?? 'mtls restart on a real cluster', () => {
  let cluster: TestCluster;
  let program: Program;

  beforeAll(async () => {
    program = copyProgram();
    cluster = await startCluster();
    await installDapr(cluster, { version: '1.17.13', bundle: await newBundle() });
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  const start = (words: readonly string[], kubeconfig = cluster.kubeconfig): Run =>
    program.start(['restart', '--kubeconfig', kubeconfig, ...words]);
  const restart = (words: readonly string[] = [], kubeconfig?: string): Promise<Outcome> =>
    start(words, kubeconfig).ended;

  /** Behind a pseudo-terminal, on which standard output and standard error are one. */
  const onTerminal = (words: readonly string[]): Promise<Outcome> => {
    const line = [...program.command, 'restart', '--kubeconfig', cluster.kubeconfig, ...words];
    const quoted = line.map((word) => `'${word}'`).join(' ');
    return startProcess(['script', '--quiet', '--return', '--command', quoted, '/dev/null'], { env: { TERM: 'xterm' } })
      .ended;
  };

  describe('the control plane', () => {
    test('comes back service by service, in order, each before the next', async () => {
      const before = await instants();
      const { exitCode, stdout, stderr } = await restart(['-k']);
      expect(stdout).toBe('All control plane services have restarted successfully!\n');
      expect(exitCode).toBe(0);
      const told = stderr.split('\n').filter((line) => / is back after |^Restarting /.test(line));
      expect(told.map((line) => line.replace(/ after .*/, ''))).toEqual(
        titles.flatMap((title) => [`Restarting ${title}..`, `${title} is back`]),
      );
      const after = await instants();
      expect(after).toEqual([...after].sort());
      expect(after.filter((instant) => before.includes(instant))).toEqual([]);
      for (const [kind, name] of services) expect(await staleOf(kind, name)).toEqual([]);
    });

    test.skipIf(!hasScript)('moves one line on a terminal, and gives the cursor back', async () => {
      const { exitCode, stdout } = await onTerminal(['-k']);
      expect(exitCode).toBe(0);
      const hidden = stdout.lastIndexOf('\u001b[?25l');
      expect(hidden).toBeGreaterThan(0);
      expect(stdout.indexOf('\u001b[?25h', hidden)).toBeGreaterThan(0);
      expect(stdout).toContain('deploy/dapr-sentry: restarting');
      const lasting = stripVTControlCharacters(stdout).split(/[\r\n]+/);
      for (const title of titles) expect(lasting.some((line) => line.includes(`${title} is back after`))).toBe(true);
      expect(stdout.trimEnd().endsWith('All control plane services have restarted successfully!')).toBe(true);
    });

    test('is reported as a document', async () => {
      const { stdout } = await restart(['--format', 'json', '--quiet']);
      const report = JSON.parse(stdout);
      expect(schemaViolations(report)).toEqual([]);
      expect(report).toMatchObject({ kind: 'Restart', scope: 'control-plane', outcome: 'restarted' });
      expect(report.cluster.namespace).toBe(system);
      expect(report.workloads.map(({ name, action }: KubeJson) => [name, action])).toEqual(
        services.map(([, name]) => [name, 'restarted']),
      );
    });

    test('a scheduler of three is replaced one pod at a time', async () => {
      await cluster.admin.kubectl(['scale', '-n', system, 'statefulset/dapr-scheduler-server', '--replicas=3']);
      const least = await leastReady('dapr-scheduler-server', 3, () => restart());
      expect(least).toBe(2);
    });

    test('nothing is restarted by a dry run', async () => {
      const before = await instants();
      const { stdout, exitCode } = await restart(['--dry-run']);
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(
        /^WORKLOAD +NAMESPACE +PODS +WHAT WOULD HAPPEN\ndeploy\/dapr-sentry +dapr-system +1 +restart\n/,
      );
      expect(await instants()).toEqual(before);
    });

    test('the operator waits until the webhook has the new anchors', async () => {
      const next = await newBundle();
      await writeBundle(next);
      const { exitCode, stderr } = await restart();
      expect(exitCode).toBe(0);
      expect(stderr).toContain('deploy/dapr-sidecar-injector: the webhook dapr-sidecar-injector has another caBundle');
      const webhook = await cluster.admin.get('mutatingwebhookconfiguration', 'dapr-sidecar-injector');
      expect(Buffer.from(webhook?.webhooks[0].clientConfig.caBundle, 'base64').toString()).toBe(next.anchors);
    });

    test.each<[PodBehaviour, RegExp, number]>([
      ['crash-loop', /pod dapr-operator-\S+: container \S+ is in CrashLoopBackOff \(exit code 1, 4 restarts\)/, 240],
      ['never-ready', /it took too long: .*pod dapr-operator-\S+: container \S+ is not ready/, 15],
      ['image-missing', /it took too long: .*container \S+: ImagePullBackOff: Back-off pulling image/, 15],
    ])('an operator that is %s stops it, with the reason', async (behaviour, reason, timeoutSeconds) => {
      await arm('dapr-operator', behaviour);
      const before = await instants();
      const begun = Date.now();
      const { exitCode, stderr, stdout } = await restart(['-k', '--timeout', String(timeoutSeconds)]);
      expect(exitCode).toBe(7);
      expect(stdout).toBe('');
      const error = errorOf(stderr);
      expect(error).toMatch(/^Error: deploy\/dapr-operator did not come back: /);
      expect(error).toMatch(reason);
      expect(error).toContain(
        'restarted: deploy/dapr-sentry, deploy/dapr-sidecar-injector; under way: deploy/dapr-operator; not restarted: statefulsets/dapr-placement-server, statefulsets/dapr-scheduler-server',
      );
      expect(stderr).toMatch(/kubectl --kubeconfig \S+ logs -n dapr-system deploy\/dapr-operator/);
      // A crash loop is known long before the time is up.
      expect(Date.now() - begun).toBeLessThan(120_000);
      expect((await instants()).slice(3)).toEqual(before.slice(3));
      await arm('dapr-operator', undefined);
    });

    test('a pod that finds no node is told with the words of the scheduler', async () => {
      await cluster.admin.kubectl(['cordon', 'node-1', 'node-2']);
      const { exitCode, stderr } = await restart(['--timeout', '5']);
      await cluster.admin.kubectl(['uncordon', 'node-1', 'node-2']);
      expect(exitCode).toBe(7);
      expect(errorOf(stderr)).toMatch(
        /^Error: deploy\/dapr-sentry did not come back: it took too long: .*pod dapr-sentry-\S+: Pending, Unschedulable: 0\/2 nodes are available/,
      );
      await rolledOut('deployment', 'dapr-sentry');
    });

    test.each(['SIGINT', 'SIGTERM'] as const)('%s says what is done and what is not', async (signal) => {
      await arm('dapr-operator', 'never-ready');
      const before = await instants();
      const run = start(['-k']);
      await waitUntil('the operator is being restarted', async () => (await instants())[2] !== before[2]);
      // Long enough for the wait to have begun.
      await new Promise((resolve) => setTimeout(resolve, 500));
      const stopped = Date.now();
      run.child.kill(signal);
      const { exitCode, stderr } = await run.ended;
      expect(exitCode).toBe(signal === 'SIGINT' ? 130 : 143);
      expect(Date.now() - stopped).toBeLessThan(60_000);
      expect(errorOf(stderr)).toBe(
        `Error: stopped by ${signal}; restarted: deploy/dapr-sentry, deploy/dapr-sidecar-injector; under way: deploy/dapr-operator; not restarted: statefulsets/dapr-placement-server, statefulsets/dapr-scheduler-server`,
      );
      expect(stderr).toContain('Run the same command again');
      await arm('dapr-operator', undefined);
    });

    test('a paused Deployment is refused before anything is restarted', async () => {
      const before = await instants();
      await cluster.admin.kubectl(['rollout', 'pause', '-n', system, 'deployment/dapr-operator']);
      const { exitCode, stderr } = await restart(['-k']);
      await cluster.admin.kubectl(['rollout', 'resume', '-n', system, 'deployment/dapr-operator']);
      expect(exitCode).toBe(7);
      expect(errorOf(stderr)).toContain(
        'deploy/dapr-operator in namespace dapr-system cannot be restarted: it is paused; nothing was restarted',
      );
      expect(stderr).toMatch(/kubectl --kubeconfig \S+ rollout resume -n dapr-system deploy\/dapr-operator/);
      expect(await instants()).toEqual(before);
    });

    test('what is scaled to 0 or not there is skipped, and said', async () => {
      await cluster.admin.kubectl(['scale', '-n', system, 'deployment/dapr-operator', '--replicas=0']);
      const placement = await cluster.admin.get('statefulset', 'dapr-placement-server', system);
      await cluster.admin.kubectl(['delete', 'statefulset', 'dapr-placement-server', '-n', system]);
      const { exitCode, stderr } = await restart(['-k']);
      await cluster.admin.kubectl(['scale', '-n', system, 'deployment/dapr-operator', '--replicas=1']);
      await recreate(placement);
      expect(exitCode).toBe(0);
      expect(stderr).toContain('dapr-operator is skipped: it is scaled to 0\n');
      expect(stderr).toContain('dapr-placement-server is skipped: it is not there\n');
      await rolledOut('deployment', 'dapr-operator');
    });

    test('Sentry is not restarted while Secret and ConfigMap differ', async () => {
      const before = await instants();
      const patch = (value: string) =>
        cluster.admin.kubectl([
          'patch',
          'configmap',
          'dapr-trust-bundle',
          '-n',
          system,
          '-p',
          JSON.stringify({ data: { 'ca.crt': value } }),
        ]);
      const { data } = (await cluster.admin.get('configmap', 'dapr-trust-bundle', system)) as KubeJson;
      await patch(`${data['ca.crt']}\n`);
      const { exitCode, stderr } = await restart(['-k']);
      await patch(data['ca.crt']);
      expect(exitCode).toBe(6);
      expect(errorOf(stderr)).toContain('hold different ca.crt: a Sentry that starts now makes a new root');
      expect(stderr).toMatch(/dapr-mtls repair -k --kubeconfig \S+ --from secret/);
      expect(await instants()).toEqual(before);
    });
  });

  describe('somebody with few rights', () => {
    const own = (resources: string[], verbs: string[], apiGroups = ['apps']): Grant => ({
      namespace: system,
      apiGroups,
      resources,
      verbs,
    });
    const enough = [
      own(['deployments'], ['get', 'patch']),
      own(['statefulsets'], ['get', 'patch']),
      own(['secrets', 'configmaps'], ['get'], ['']),
      own(['configurations'], ['get'], ['dapr.io']),
    ];

    test('needs to get and to patch, and neither watch nor list', async () => {
      const kubeconfig = await cluster.addUser('restarter', enough);
      const { exitCode, stderr } = await restart(['-k'], kubeconfig);
      expect(exitCode).toBe(0);
      expect(stderr).toMatch(
        /Not checked whether the webhook dapr-sidecar-injector has the live anchors: .*mutatingwebhookconfigurations/,
      );
    });

    test('who may not patch one of the services restarts none', async () => {
      const before = await instants();
      const kubeconfig = await cluster.addUser('half-restarter', [
        enough[0] as Grant,
        own(['statefulsets'], ['get']),
        ...enough.slice(2),
      ]);
      const { exitCode, stderr } = await restart(['-k'], kubeconfig);
      expect(exitCode).toBe(3);
      expect(errorOf(stderr)).toMatch(/patch.*statefulsets/);
      expect(await instants()).toEqual(before);
    });

    test('who may not read the Secret is told what was not checked', async () => {
      const kubeconfig = await cluster.addUser('blind-restarter', [
        ...enough.slice(0, 2),
        own(['configmaps'], ['get'], ['']),
      ]);
      const { exitCode, stderr } = await restart(['-k'], kubeconfig);
      expect(exitCode).toBe(0);
      expect(stderr).toMatch(
        /Not checked whether Sentry accepts the bundle, and whether Secret and ConfigMap hold the same anchors: .*secrets/,
      );
    });
  });

  describe('applications', () => {
    beforeAll(async () => {
      const kinds = { deployments: 2, statefulSets: 1, daemonSets: 1, jobs: 1, pods: 1, replicas: 2 };
      await deployApps(cluster, { namespaces: ['shop', 'backend'], ...kinds });
    });

    const sidecars = async (namespace: string) => {
      const pods = await cluster.admin.list('pods', namespace, 'dapr.io/sidecar-injected=true');
      return pods.filter(({ metadata }) => !metadata.deletionTimestamp);
    };

    test('are listed by a dry run, with who needs a hand', async () => {
      const { stdout, exitCode } = await restart(['--apps', '-n', 'shop', '--dry-run', '--format', 'json']);
      expect(exitCode).toBe(0);
      const report = JSON.parse(stdout);
      expect(schemaViolations(report)).toEqual([]);
      expect(report.workloads.map(({ kind, name, action, pods }: KubeJson) => [kind, name, action, pods])).toEqual([
        ['DaemonSet', 'daemonset-1', 'would-restart', 2],
        ['Deployment', 'deployment-1', 'would-restart', 2],
        ['Deployment', 'deployment-2', 'would-restart', 2],
        ['StatefulSet', 'statefulset-1', 'would-restart', 2],
        ['Job', 'job-1', 'by-hand', 1],
        ['Pod', 'pod-1', 'by-hand', 1],
      ]);
    });

    test('of one namespace take the new anchors; those of another are left alone', async () => {
      const next = await newBundle();
      await writeBundle(next);
      expect((await restart(['-k'])).exitCode).toBe(0);
      const others = (await sidecars('backend')).map(({ metadata }) => metadata.uid);
      const { exitCode, stdout, stderr } = await restart(['-k', '--apps', '-n', 'shop']);
      expect(stderr).not.toContain('Error');
      expect(exitCode).toBe(0);
      expect(stdout).toBe(
        [
          'All 4 workloads have restarted.',
          'Not restarted, these need a hand:',
          '  job/job-1 -n shop (1 pod): a Job does not replace its pods: the next run has the new anchors',
          '  pod/pod-1 -n shop (1 pod): nothing re-creates it: delete it, and create it again',
          '',
        ].join('\n'),
      );
      const stale = (await sidecars('shop')).filter((pod) => anchorsOf(pod) !== next.anchors);
      expect(stale.map(({ metadata }) => metadata.name)).toEqual([expect.stringMatching(/^job-1-/), 'pod-1']);
      expect((await sidecars('backend')).map(({ metadata }) => metadata.uid)).toEqual(others);
    });

    test('of all namespaces, paused ones left and said', async () => {
      await cluster.admin.kubectl(['rollout', 'pause', '-n', 'backend', 'deployment/deployment-2']);
      const { exitCode, stdout } = await restart(['-k', '--apps', '-A', '--max-parallel', '8']);
      await cluster.admin.kubectl(['rollout', 'resume', '-n', 'backend', 'deployment/deployment-2']);
      expect(exitCode).toBe(0);
      expect(stdout).toContain('All 7 workloads have restarted.\n');
      expect(stdout).toContain('Left as they are:\n  deploy/deployment-2 -n backend (2 pods): it is paused\n');
    });

    test('one alone is restarted when it alone is named', async () => {
      const { exitCode, stdout, stderr } = await restart([
        '-k',
        '--apps',
        '-n',
        'shop',
        '--only',
        'deploy/deployment-2',
      ]);
      expect(exitCode).toBe(0);
      expect(stdout).toBe('The workload has restarted.\n');
      expect(stderr.match(/Restarting /g)).toHaveLength(1);
    });

    test('one that does not come back stops it: the next ones are not begun', async () => {
      await arm('deployment-1', 'crash-loop', 'shop');
      const { exitCode, stderr } = await restart(['-k', '--apps', '-n', 'shop', '--max-parallel', '1']);
      await arm('deployment-1', undefined, 'shop');
      expect(exitCode).toBe(7);
      expect(errorOf(stderr)).toMatch(
        /^Error: deploy\/deployment-1 -n shop did not come back: pod deployment-1-\S+: container \S+ is in CrashLoopBackOff/,
      );
      expect(errorOf(stderr)).toContain(
        'restarted: daemonsets/daemonset-1 -n shop; under way: deploy/deployment-1 -n shop; not restarted: deploy/deployment-2 -n shop, statefulsets/statefulset-1 -n shop',
      );
    });

    test('a signal says which are done and which are not', async () => {
      await arm('deployment-1', 'never-ready', 'shop');
      const run = start(['-k', '--apps', '-n', 'shop', '--max-parallel', '1']);
      await run.noted(/Restarting deploy\/deployment-1/);
      run.child.kill('SIGINT');
      const { exitCode, stderr } = await run.ended;
      await arm('deployment-1', undefined, 'shop');
      expect(exitCode).toBe(130);
      expect(errorOf(stderr)).toBe(
        'Error: stopped by SIGINT; restarted: daemonsets/daemonset-1 -n shop; under way: deploy/deployment-1 -n shop; not restarted: deploy/deployment-2 -n shop, statefulsets/statefulset-1 -n shop',
      );
      expect(stderr).toContain('--only KIND/NAME');
    });

    test('one that comes back without its sidecar stops it', async () => {
      const webhook = (await cluster.admin.get('mutatingwebhookconfiguration', 'dapr-sidecar-injector')) as KubeJson;
      const setUrl = (url: string) =>
        cluster.admin.kubectl([
          'patch',
          'mutatingwebhookconfiguration',
          'dapr-sidecar-injector',
          '--type=json',
          '-p',
          JSON.stringify([{ op: 'replace', path: '/webhooks/0/clientConfig/url', value: url }]),
        ]);
      await setUrl('https://127.0.0.1:9/mutate');
      const { exitCode, stderr } = await restart(['-k', '--apps', '-n', 'backend', '--only', 'deploy/deployment-1']);
      await setUrl(webhook.webhooks[0].clientConfig.url);
      expect(exitCode).toBe(7);
      expect(errorOf(stderr)).toContain(
        'deploy/deployment-1 -n backend did not come back: its new pods have no sidecar',
      );
      await cluster.admin.kubectl(['rollout', 'restart', '-n', 'backend', 'deployment/deployment-1']);
    });

    test('are not begun while the webhook has other anchors', async () => {
      await writeBundle(await newBundle());
      const { exitCode, stderr } = await restart(['-k', '--apps', '-n', 'shop', '--timeout', '3']);
      expect(exitCode).toBe(7);
      expect(errorOf(stderr)).toMatch(
        /The control plane did not come back: the webhook .* has another caBundle .*; nothing was restarted$/,
      );
      expect(stderr).toContain('dapr-mtls restart -k');
    });
  });

  /** Of every service, when it was restarted last. */
  async function instants(): Promise<string[]> {
    const found = await Promise.all(services.map(([kind, name]) => cluster.admin.get(kind, name, system)));
    return found.map((workload) => workload?.spec.template.metadata.annotations?.[restartedAt] ?? '');
  }

  /** Pods that the last restart has not made. */
  async function staleOf(kind: string, name: string): Promise<string[]> {
    const workload = (await cluster.admin.get(kind, name, system)) as KubeJson;
    const due = workload.spec.template.metadata.annotations[restartedAt];
    const pods = await cluster.admin.list('pods', system, `app=${name}`);
    const stale = pods.filter(
      ({ metadata }) => !metadata.deletionTimestamp && metadata.annotations[restartedAt] !== due,
    );
    return stale.map(({ metadata }) => metadata.name);
  }

  /** Makes the pods that the next restart brings behave so; undefined makes them sound again. */
  async function arm(name: string, behaviour: PodBehaviour | undefined, namespace = system): Promise<void> {
    const annotations = { [podAnnotations.afterRestart]: behaviour ?? null, [restartedAt]: null };
    const patch = JSON.stringify({ spec: { template: { metadata: { annotations } } } });
    await cluster.admin.kubectl(['patch', 'deployment', name, '-n', namespace, '-p', patch]);
    await rolledOut('deployment', name, namespace);
  }

  async function rolledOut(kind: string, name: string, namespace = system): Promise<void> {
    await cluster.admin.kubectl(['rollout', 'status', `${kind}/${name}`, '-n', namespace, '--timeout=60s']);
  }

  async function recreate(workload: KubeJson | undefined): Promise<void> {
    const { metadata, spec, apiVersion, kind } = workload as KubeJson;
    const { name, namespace, labels } = metadata;
    await cluster.admin.apply([{ apiVersion, kind, metadata: { name, namespace, labels }, spec }]);
    await rolledOut('statefulset', name);
  }

  /** The least number of ready pods that was seen while something went on, once it had the right number. */
  async function leastReady(app: string, wanted: number, during: () => Promise<Outcome>): Promise<number> {
    const readyNow = async () => {
      const { body } = await cluster.admin.request('GET', `/apis/apps/v1/namespaces/${system}/statefulsets/${app}`);
      return (body.status?.readyReplicas ?? 0) as number;
    };
    await waitUntil(`${wanted} of ${app}`, async () => (await readyNow()) === wanted);
    let least = wanted;
    let isOver = false;
    const watching = (async () => {
      while (!isOver) least = Math.min(least, await readyNow());
    })();
    const { exitCode } = await during();
    isOver = true;
    await watching;
    expect(exitCode).toBe(0);
    return least;
  }

  async function writeBundle(bundle: BundleTexts): Promise<void> {
    const stringData = { 'ca.crt': bundle.anchors, 'issuer.crt': bundle.issuerChain, 'issuer.key': bundle.issuerKey };
    const patch = (kind: string, body: object) =>
      cluster.admin.kubectl(['patch', kind, 'dapr-trust-bundle', '-n', system, '-p', JSON.stringify(body)]);
    await patch('secret', { stringData });
    await patch('configmap', { data: { 'ca.crt': bundle.anchors } });
  }
});

interface BundleTexts {
  readonly anchors: string;
  readonly issuerChain: string;
  readonly issuerKey: string;
}

async function newBundle(): Promise<BundleTexts> {
  const { files } = await makeBundle({ at: new Date() });
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
  return { anchors: text(files.anchors), issuerChain: text(files.issuerChain), issuerKey: text(files.issuerKey) };
}

function anchorsOf(pod: KubeJson): string | undefined {
  const sidecar = pod.spec.containers.find(({ name }: KubeJson) => name === 'daprd');
  return sidecar?.env.find(({ name }: KubeJson) => name === 'DAPR_TRUST_ANCHORS')?.value;
}

function errorOf(stderr: string): string {
  return stderr.split('\n').find((line) => line.startsWith('Error: ')) ?? '';
}
