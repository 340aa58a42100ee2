import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeRotateManifest, type RotateManifestWish } from '../../src/app/manifest/rotate.ts';
import { describeLedger, emptyLedger, type RestartProgress, recordProgress } from '../../src/app/restart/progress.ts';
import { openClusterRotationSite } from '../../src/app/rotate/cluster-site.ts';
import { holdsAll, readAnchors } from '../../src/app/rotate/held-anchors.ts';
import type { RestartRequest } from '../../src/app/rotate/world.ts';
import { openCluster } from '../../src/cli/open-cluster.ts';
import { asController } from '../../src/kube/admission/caller.ts';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import { renderManifest } from '../../src/render/manifest.ts';
import { makeBundle } from '../support/bundles.ts';
import type { KubeJson } from './admin.ts';
import { deployApps } from './apps.ts';
import { whyNoCluster } from './build-programs.ts';
import { type InstalledDapr, installDapr } from './dapr.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';
import { waitUntil } from './wait.ts';

const missing = await whyNoCluster();
const system = 'dapr-system';
const restartedAt = 'kubectl.kubernetes.io/restartedAt';
const wish: RotateManifestWish = {
  image: 'registry.example/dapr-mtls:0.1.0',
  namespace: system,
  name: 'dapr-mtls-rotate',
  words: ['--pace', '30s'],
  restartsApplications: true,
  mayProbe: true,
  passphraseSecret: undefined,
};

describe.skipIf(missing !== undefined)(missing ?? 'a rotation on a real cluster', () => {
  let cluster: TestCluster;
  let dapr: InstalledDapr;
  /** Of the account that the Job runs as, with the rights that were printed. */
  let kubeconfig: string;
  let files: BundleFiles;

  beforeAll(async () => {
    cluster = await startCluster();
    files = (await makeBundle({ at: new Date() })).files;
    dapr = await installDapr(cluster, { version: '1.17.13', bundle: files });
    await cluster.admin.apply(makeRotateManifest(wish).filter(({ kind }) => kind !== 'Job'));
    kubeconfig = await logInAs(wish.name);
    await deployApps(cluster, {
      namespaces: ['shop', 'backend'],
      deployments: 3,
      statefulSets: 1,
      daemonSets: 1,
      jobs: 1,
      pods: 1,
      replicas: 2,
    });
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  async function logInAs(account: string): Promise<string> {
    const token = (await cluster.admin.kubectl(['create', 'token', account, '-n', system])).trim();
    const { server, authority, folder } = cluster;
    const file = join(folder, `${account}.kubeconfig`);
    writeKubeconfig(file, { server, caCertificate: authority.certificate, user: account, credentials: { token } });
    return file;
  }

  /** One run: it holds nothing that another one would need. */
  async function run<Result>(
    use: (site: ReturnType<typeof openClusterRotationSite>) => Promise<Result>,
    wishes: { assertRunning?: () => void; onProgress?: (progress: RestartProgress) => void; file?: string } = {},
  ): Promise<Result> {
    const flags = { context: undefined, kubeconfig: wishes.file ?? kubeconfig, 'request-timeout': 15 };
    const client = await openCluster(flags, {});
    try {
      return await use(
        openClusterRotationSite(client, {
          namespace: system,
          probeNamespace: 'shop',
          openAsController: () => openCluster(flags, {}, asController),
          shakeHands: async ({ host, port }) => ({
            kind: 'unreachable',
            address: `${host}:${port}`,
            isNamed: false,
            code: 'ENOTFOUND',
            reason: 'not found',
          }),
          clock: {
            now: () => new Date(),
            sleep: async (ms, signal) => void (await pause(ms, undefined, { signal }).catch(() => {})),
          },
          timeoutMs: 120_000,
          maxParallel: 2,
          paceMs: 0,
          assertRunning: () => {},
          onProgress: () => {},
          ...wishes,
        }),
      );
    } finally {
      client.close();
    }
  }

  const templates = async () => {
    const kinds = ['deployments', 'statefulsets', 'daemonsets'];
    const found = await Promise.all(kinds.map((kind) => cluster.admin.list(kind)));
    const marks = found
      .flat()
      .map(({ metadata, spec }) => [
        `${metadata.namespace}/${metadata.name}`,
        (spec.template.metadata.annotations?.[restartedAt] as string | undefined) ?? '',
      ]);
    return new Map(marks as [string, string][]);
  };

  /** The old anchors and new ones, under the old issuer: what a staged rotation writes first. */
  async function distribute(): Promise<{ anchors: string; needed: string[] }> {
    const next = (await makeBundle({ at: new Date() })).files;
    const anchors = `${files.anchors}${next.anchors}`;
    const patch = (kind: string, body: object) =>
      cluster.admin.kubectl(['patch', kind, 'dapr-trust-bundle', '-n', system, '-p', JSON.stringify(body)]);
    await patch('secret', { stringData: { 'ca.crt': anchors } });
    await patch('configmap', { data: { 'ca.crt': anchors } });
    return { anchors, needed: readAnchors(anchors).map(({ fingerprint }) => fingerprint) };
  }

  test.each([
    ['least', { ...wish, restartsApplications: false, mayProbe: false }],
    ['all', { ...wish, passphraseSecret: 'passphrase' }],
  ])('the printed Job is taken by the API server as it is (%s)', async (_, asked) => {
    for (const format of ['text', 'json']) {
      const text = renderManifest(makeRotateManifest(asked), format);
      const said = await cluster.admin.kubectl(['apply', '--dry-run=server', '-f', '-'], text);
      expect(said.trim().split('\n')).toHaveLength(makeRotateManifest(asked).length);
      expect(said).toMatch(/job\.batch\/dapr-mtls-rotate created \(server dry run\)/);
    }
  });

  test('is seen whole by the account of the Job', async () => {
    const before = Date.now();
    const { at, sidecars = [], services = [], handout } = await run((site) => site.gather());
    expect(Math.abs(at.getTime() - before)).toBeLessThan(10_000);
    const live = files.anchors.toString();
    expect(handout).toEqual({ kind: 'anchors', pem: live });
    // 3 Deployments and a StatefulSet of 2, a DaemonSet on 2 nodes, a Job and a pod, in two namespaces.
    expect(sidecars).toHaveLength(2 * 12);
    expect(sidecars.every(({ anchors, createdAt }) => anchors === live && createdAt !== undefined)).toBe(true);
    expect(new Set(services.map(({ service }) => service)).size).toBe(5);
    expect(services.every(({ ready, startedAt, createdAt }) => ready && startedAt && createdAt)).toBe(true);
  });

  test('is not asked about the next pod by an account that may not act as the controller', async () => {
    const file = await cluster.addUser('watcher', [
      { resources: ['pods'], verbs: ['list'] },
      { namespace: system, apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] },
    ]);
    const { handout, sidecars = [] } = await run((site) => site.gather(), { file });
    expect(handout.kind).toBe('unknown');
    expect(sidecars).toHaveLength(24);
  });

  test('restarts that are killed again and again go on where they stopped, and nobody is restarted twice', async () => {
    const { needed } = await distribute();
    const since = await run((site) => site.instant());
    const request: RestartRequest = {
      phase: 'distribute',
      scopes: ['sentry', 'services', 'applications'],
      since,
      neededAnchors: needed,
      skipped: ['backend/deployment-3'],
    };
    const marks: Map<string, string>[] = [await templates()];
    const untilDone = async (kills: readonly number[]) => {
      for (const kill of kills) {
        let ledger = emptyLedger;
        const isKilled = () => ledger.begun.length >= kill;
        const killed = run((site) => site.restart(request), {
          onProgress: (progress) => {
            ledger = recordProgress(ledger, progress);
          },
          assertRunning: () => {
            if (isKilled()) throw new Error(`killed: ${describeLedger(ledger)}`);
          },
        });
        await expect(killed).rejects.toThrow('killed');
        marks.push(await templates());
      }
      return await run((site) => site.restart(request));
    };
    const { carriedOut, remarks } = await untilDone([1, 4, 2, 3]);
    marks.push(await templates());

    expect(carriedOut).toBe(true);
    expect(remarks.map((remark) => remark.replace(/ \(.*/, ''))).toEqual([
      'job/job-1 -n backend',
      'pod/pod-1 -n backend',
      'job/job-1 -n shop',
      'pod/pod-1 -n shop',
    ]);
    // Every template was changed once, but for the one that was to be left alone.
    for (const name of marks[0]?.keys() ?? []) {
      const seen = new Set(marks.map((mark) => mark.get(name)));
      expect([name, seen.size]).toEqual([name, name === 'backend/deployment-3' ? 1 : 2]);
    }
    const { sidecars = [], services = [], handout } = await run((site) => site.gather());
    expect(handout.kind === 'anchors' && holdsAll(readAnchors(handout.pem), needed)).toBe(true);
    expect(services.every(({ ready, startedAt }) => ready && startedAt && startedAt >= since)).toBe(true);
    const behind = sidecars.filter(({ anchors }) => !holdsAll(readAnchors(anchors ?? ''), needed));
    expect(behind.filter(({ terminating }) => !terminating).map(({ workload }) => workload.name)).toEqual([
      'deployment-3',
      'deployment-3',
      'job-1',
      'pod-1',
      'job-1',
      'pod-1',
    ]);
    expect((await run((site) => site.restart(request))).restarted).toEqual([]);
  });

  test('a rollout that somebody else has begun since is waited for, not begun anew', async () => {
    const since = await run((site) => site.instant());
    await pause(1100);
    await cluster.admin.kubectl(['rollout', 'restart', '-n', 'shop', 'deployment/deployment-1']);
    const before = (await templates()).get('shop/deployment-1');
    const request: RestartRequest = {
      phase: 'drain',
      scopes: ['applications'],
      since,
      neededAnchors: [],
      skipped: ['shop/deployment-2', 'shop/deployment-3'],
    };
    const { restarted } = await run((site) => site.restart(request));
    expect(restarted).not.toContain('deploy/deployment-1 -n shop');
    expect(restarted).toContain('deploy/deployment-1 -n backend');
    expect((await templates()).get('shop/deployment-1')).toBe(before);
  });

  test('applications wait for an injector that has not followed', async () => {
    const { needed } = await distribute();
    dapr.injector?.giveOut(files.anchors.toString());
    const since = await run((site) => site.instant());
    const request = {
      phase: 'distribute',
      scopes: ['applications'] as const,
      since,
      neededAnchors: needed,
      skipped: [],
    };
    const outcome = await run((site) => site.restart(request));
    dapr.injector?.giveOut(undefined);
    expect(outcome).toMatchObject({ carriedOut: false, restarted: [] });
  });

  test('the least rights restart the control plane, and leave applications to others', async () => {
    const name = 'rotate-least';
    await cluster.admin.apply(
      makeRotateManifest({ ...wish, name, restartsApplications: false, mayProbe: false }).filter(
        ({ kind }) => kind !== 'Job',
      ),
    );
    const file = await logInAs(name);
    await waitUntil('the rights hold', async () =>
      run(async (site) => (await site.gather()).services?.length, { file }).catch(() => undefined),
    );
    const since = await run((site) => site.instant());
    const request = { phase: 'retire', since, neededAnchors: [], skipped: [] };
    const done = await run((site) => site.restart({ ...request, scopes: ['sentry', 'services'] }), { file });
    expect(done).toMatchObject({ carriedOut: true });
    expect(done.restarted).toHaveLength(5);
    const left = await run((site) => site.restart({ ...request, scopes: ['applications'] }), { file });
    expect(left).toMatchObject({
      carriedOut: false,
      remarks: [expect.stringContaining('No application was restarted: this user may not')],
    });
    const pods: readonly KubeJson[] = await cluster.admin.list('pods', 'shop', 'dapr.io/sidecar-injected=true');
    expect(pods.length).toBeGreaterThan(0);
  });
});
