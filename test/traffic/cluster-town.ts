import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BundleFiles } from '../../src/pki/bundle.ts';
import type { Admin, KubeJson } from '../cluster/admin.ts';
import { deployApps } from '../cluster/apps.ts';
import { layAsSentry } from '../cluster/control-plane-pods.ts';
import { installDapr } from '../cluster/dapr.ts';
import type { TestCluster } from '../cluster/start-cluster.ts';
import { bundleNames } from '../support/bundles.ts';
import { type Authority, clockSkewSeconds, leafTtlSeconds, startAuthority } from './authority.ts';
import { type Kubelet, type PodProcess, playedHere, playKubelet } from './kubelet.ts';
import { type Mesh, startMesh } from './mesh.ts';
import type { Tally } from './tally.ts';

const system = 'dapr-system';

/** A cluster in whose pods of Sentry and of two applications processes run, which call each other. */
export interface ClusterTown {
  /** Rejects as soon as what was measured does not count any more. */
  readonly failed: Promise<never>;
  during(phase: string): void;
  /** Of all calls since the last time. */
  take(): Tally;
  leave(): Promise<Tally>;
}

/** @param folder for what Sentries read; gone with the test */
export async function startClusterTown(
  program: string,
  cluster: TestCluster,
  folder: string,
  files: BundleFiles,
): Promise<ClusterTown> {
  const { admin } = cluster;
  await installDapr(cluster, {
    bundle: files,
    workloadCertTTL: `${leafTtlSeconds}s`,
    allowedClockSkew: `${clockSkewSeconds}s`,
  });
  // Not by Helm, which would be its owner.
  await layAsSentry(cluster, files);
  let meshIsThere: (mesh: Mesh) => void = () => undefined;
  const mesh = new Promise<Mesh>((resolve) => {
    meshIsThere = resolve;
  });
  let known: Mesh | undefined;
  const sentries = new Set<Authority>();
  const startSentry = async (pod: KubeJson): Promise<PodProcess> => {
    const directory = join(folder, pod.metadata.name);
    await takeSnapshot(admin, directory);
    const sentry = await startAuthority(program, directory, system);
    sentries.add(sentry);
    if (known) await known.follow(sentry.address);
    else {
      known = startMesh(program, sentry.address);
      meshIsThere(known);
    }
    return {
      stop: async () => {
        sentries.delete(sentry);
        await sentry.stop();
      },
    };
  };
  const startSidecar = async (pod: KubeJson): Promise<PodProcess> => {
    const there = await mesh;
    const service = await there.join({
      id: pod.metadata.annotations['dapr.io/app-id'],
      namespace: pod.metadata.namespace,
      controlPlaneNamespace: system,
      anchors: anchorsOf(pod),
    });
    return { stop: () => there.part(service) };
  };
  const kubelet: Kubelet = playKubelet(admin, (pod) =>
    pod.metadata.labels?.app === 'dapr-sentry' ? startSentry(pod) : startSidecar(pod),
  );
  const patch = JSON.stringify({ spec: { template: { metadata: { annotations: playedHere } } } });
  await admin.kubectl(['patch', 'deployment', 'dapr-sentry', '-n', system, '-p', patch]);
  const there = await Promise.race([mesh, kubelet.failed]);
  await Promise.race([deployApps(cluster, { deployments: 2, replicas: 2, annotations: playedHere }), kubelet.failed]);
  return {
    failed: kubelet.failed,
    during: there.during,
    take: there.take,
    leave: async () => {
      await kubelet.stop();
      const tally = await there.close();
      await Promise.all([...sentries].map((sentry) => sentry.stop()));
      return tally;
    },
  };
}

/** The anchors that the injector gave to the sidecar. */
function anchorsOf({ spec }: KubeJson): string {
  const daprd = (spec.containers as readonly KubeJson[]).find(({ name }) => name === 'daprd');
  const variable = (daprd?.env as readonly KubeJson[] | undefined)?.find(({ name }) => name === 'DAPR_TRUST_ANCHORS');
  if (variable === undefined) throw new Error('a pod without a sidecar');
  return variable.value;
}

/**
 * Reads both objects as a starting Sentry does, and writes what it will work with. While one of them is
 * missing Sentry exits, and its kubelet starts it again; where they are not one bundle it would make a
 * new root, which is the accident.
 */
async function takeSnapshot(admin: Admin, directory: string): Promise<void> {
  mkdirSync(directory);
  for (;;) {
    const [secret, configMap] = [
      await admin.request('GET', `/api/v1/namespaces/${system}/secrets/dapr-trust-bundle`),
      await admin.request('GET', `/api/v1/namespaces/${system}/configmaps/dapr-trust-bundle`),
    ];
    if (secret.status === 200 && configMap.status === 200) {
      const data = (secret.body.data ?? {}) as Readonly<Record<string, string>>;
      const files = Object.values(bundleNames).map((name) => [name, Buffer.from(data[name] ?? '', 'base64')] as const);
      const isOne =
        files.every(([, bytes]) => bytes.length > 0) && files[0]?.[1].toString() === configMap.body.data?.['ca.crt'];
      if (!isOne) throw new Error('this Sentry would have made a new root: Secret and ConfigMap are not one bundle');
      for (const [name, bytes] of files) writeFileSync(join(directory, name), bytes, { mode: 0o600 });
      return;
    }
    await sleep(500);
  }
}
