import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { releaseOf } from '../support/dapr/release.ts';
import { type ControlPlaneOptions, controlPlaneObjects } from '../support/dapr-control-plane.ts';
import type { Admin, KubeJson } from './admin.ts';
import { type Injector, type InjectorOptions, startInjector } from './injector.ts';
import { waitUntilReady } from './ready.ts';
import type { TestCluster } from './start-cluster.ts';
import { bindVolumes } from './volumes.ts';
import { waitUntil } from './wait.ts';

export interface DaprOptions extends ControlPlaneOptions {
  /** How the tests' injector is set up. It is started where the control plane has an injector. */
  readonly injector?: InjectorOptions;
}

export interface InstalledDapr {
  readonly namespace: string;
  /** Undefined where the control plane has none. */
  readonly injector: Injector | undefined;
}

const crdFile = new URL('chart/crds/configuration.yaml', import.meta.url);

/**
 * Installs a control plane as Dapr's chart does (Helm is the manager of its fields, but there is no
 * release), with the tests' injector in the place of Dapr's, and waits until all its pods are ready.
 */
export async function installDapr(cluster: TestCluster, options: DaprOptions): Promise<InstalledDapr> {
  const { admin } = cluster;
  const objects = controlPlaneObjects(options) as readonly KubeJson[];
  const workloads = objects.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
  const { namespace = 'dapr-system', version = '1.17.13' } = options;

  await applyConfigurationKind(admin, version);
  await admin.apply(
    objects.filter(({ kind }) => kind === 'Namespace'),
    'helm',
  );
  await bindVolumes(admin, workloads);
  // The webhook goes to a Service: pods would wait for it in vain, until the injector's own is there.
  const kept = objects.filter(({ kind }) => kind !== 'MutatingWebhookConfiguration');
  await admin.apply(kept, 'helm');

  const injector =
    kept.length < objects.length
      ? await startInjector(cluster, {
          ...options,
          // Without a bundle there is nothing that could vouch for it.
          ...(options.bundle === undefined ? { vouchedBy: 'cluster' as const } : {}),
          ...options.injector,
        })
      : undefined;
  const isReady = () => areReady(admin, workloads);
  await waitUntilReady(cluster, [namespace], 'the control plane is ready', isReady);
  return { namespace, injector };
}

async function areReady(admin: Admin, workloads: readonly KubeJson[]): Promise<boolean> {
  const seen = await Promise.all(
    workloads.map(({ kind, metadata }) => {
      const path = `/apis/apps/v1/namespaces/${metadata.namespace}/${kind.toLowerCase()}s/${metadata.name}`;
      return admin.request('GET', path);
    }),
  );
  return seen.every(({ body }) => body.status?.readyReplicas === body.spec?.replicas);
}

/** Makes the API server know Configurations. Those of Dapr up to 1.11 had to hold `enabled` alone. */
async function applyConfigurationKind(admin: Admin, version: string): Promise<void> {
  const definition = parse(await readFile(crdFile, 'utf8')) as KubeJson;
  const { mtls } = definition.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties;
  if (!releaseOf(version).hasConfigMap) mtls.required = ['enabled'];
  await admin.apply([definition], 'helm');
  await waitUntil('Configurations are served', async () => {
    const { status } = await admin.request('GET', '/apis/dapr.io/v1alpha1/configurations');
    return status === 200;
  });
}
