import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeRotateManifest } from '../../src/app/manifest/rotate.ts';
import type { RotationRecord } from '../../src/app/rotate/record.ts';
import { makeBundle } from '../support/bundles.ts';
import { copyProgram, type Program, type Run } from '../support/program.ts';
import type { KubeJson } from './admin.ts';
import { deployApps } from './apps.ts';
import { whyNoCluster } from './build-programs.ts';
import { installDapr } from './dapr.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { startCluster, type TestCluster } from './start-cluster.ts';

const missing = await whyNoCluster();
const system = 'dapr-system';
const wish = {
  image: 'registry.example/dapr-mtls:0.1.0',
  namespace: system,
  name: 'dapr-mtls-rotate',
  words: ['--drain', 'restart', '--max-parallel', '2', '--ignore-owner', 'helm'],
  restartsApplications: true,
  mayProbe: true,
  passphraseSecret: undefined,
};

describe.skipIf(missing !== undefined)(missing ?? 'the Job of a rotation', () => {
  let cluster: TestCluster;
  let program: Program;
  let kubeconfig: string;

  beforeAll(async () => {
    program = copyProgram();
    cluster = await startCluster();
    await installDapr(cluster, { version: '1.17.13', bundle: (await makeBundle({ at: new Date() })).files });
    await cluster.admin.apply(makeRotateManifest(wish).filter(({ kind }) => kind !== 'Job'));
    const token = (await cluster.admin.kubectl(['create', 'token', wish.name, '-n', system])).trim();
    kubeconfig = join(cluster.folder, 'job.kubeconfig');
    const { server, authority } = cluster;
    const access = { server, caCertificate: authority.certificate, user: wish.name, credentials: { token } };
    writeKubeconfig(kubeconfig, access);
    await deployApps(cluster, { namespaces: ['shop'], deployments: 4, statefulSets: 1, daemonSets: 1, replicas: 2 });
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  /** What its container runs, with its rights; here no Sentry runs that would read what is half written. */
  function startJob(): Run {
    const job = makeRotateManifest(wish).find(({ kind }) => kind === 'Job') as KubeJson;
    const words: readonly string[] = job.spec.template.spec.containers[0].args;
    return program.start([...words, '--kubeconfig', kubeconfig], { env: { DAPR_MTLS_SETTLE: '0' } });
  }

  const secret = (name: string) => cluster.admin.get('secret', name, system);
  const text = (encoded: string) => Buffer.from(encoded, 'base64').toString();

  test('begins none by itself', async () => {
    const { exitCode, stderr } = await startJob().ended;
    expect(stderr).toContain('there is no rotation to go on with');
    expect(exitCode).toBe(5);
  });

  test('carries it through with no right beside those that are printed, and killed five times', async () => {
    const words = ['mtls', 'rotate', 'run', '-k', '--restart', 'none', '--ignore-owner', 'helm'];
    const begun = await program.start([...words, '--kubeconfig', kubeconfig], { env: { DAPR_MTLS_SETTLE: '0' } }).ended;
    expect(begun.exitCode, begun.stderr).toBe(8);
    const before = text((await secret('dapr-trust-bundle'))?.data['ca.crt']);
    const moments = [
      /Restarting deploy\/dapr-sentry/,
      /Restarting deploy\/dapr-operator/,
      /Restarting deploy\/deployment-3/,
      /Restarting statefulsets\/statefulset-1/,
      /retire: restarting[\s\S]*Restarting deploy\/dapr-operator/,
    ];
    for (const moment of moments) {
      const run = startJob();
      const seen = await Promise.race([run.noted(moment).then(() => true), run.ended.then(() => false)]);
      run.child.kill('SIGKILL');
      const { stderr, exitCode } = await run.ended;
      if (!seen) throw new Error(`${moment} never came, exit code ${exitCode}:\n${stderr}`);
    }
    const { exitCode, stderr } = await startJob().ended;
    if (exitCode !== 0) throw new Error(`exit code ${exitCode}:\n${stderr}`);

    const after = text((await secret('dapr-trust-bundle'))?.data['ca.crt']);
    expect(after).not.toBe(before);
    const configMap = await cluster.admin.get('configmap', 'dapr-trust-bundle', system);
    expect(configMap?.data['ca.crt']).toBe(after);
    const pods = await cluster.admin.list('pods', 'shop', 'dapr.io/sidecar-injected=true');
    for (const pod of pods.filter(({ metadata }) => !metadata.deletionTimestamp)) {
      const daprd = pod.spec.containers.find(({ name }: KubeJson) => name === 'daprd');
      const anchors: string = daprd.env.find(({ name }: KubeJson) => name === 'DAPR_TRUST_ANCHORS').value;
      expect(anchors).toContain(after.trim());
    }
    const saved = await secret('dapr-mtls-rotation');
    const record = JSON.parse(text(Object.values(saved?.data as Record<string, string>)[0] ?? '')) as RotationRecord;
    expect(record.state).toBe('done');
    expect(JSON.stringify(record)).not.toContain('PRIVATE KEY');

    const again = await startJob().ended;
    expect(again.exitCode, again.stderr).toBe(0);
    expect(again.stderr).toContain('Nothing is left to do');
  });
});
