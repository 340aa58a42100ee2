import { changeConfiguration } from '../app/configuration/change.ts';
import { isReckonedWith, type Setting } from '../app/configuration/document.ts';
import { type ConfigurationReport, describeConfiguration } from '../app/configuration/report.ts';
import { DaprMtlsError } from '../errors.ts';
import { readConfigurationName } from '../kube/dapr/control-plane.ts';
import { findControlPlane } from '../kube/dapr/find.ts';
import type { Configuration, Workload } from '../kube/dapr/objects.ts';
import { sentryName } from '../kube/dapr/services.ts';
import type { Cluster, ObjectRef } from '../kube/port.ts';
import { resources } from '../kube/resources.ts';
import { assertNotRotatingCluster } from './assert-not-rotating.ts';
import { openCluster } from './open-cluster.ts';
import type { StoreFlags } from './open-store.ts';
import type { Streams } from './streams.ts';

/** The object that Sentry is told to read; JSON is YAML, so it is read as a file is. */
export async function viewInCluster(flags: StoreFlags, env: NodeJS.ProcessEnv): Promise<ConfigurationReport> {
  const { name, object } = await find(flags, env);
  return describeConfiguration(name, object && JSON.stringify(object));
}

/**
 * Writes the settings and nothing else, on exactly the state that was judged.
 * @throws DaprMtlsError `usage.invalid`, `dapr.missing`, `rotation.running`, `cluster.conflict`
 */
export async function changeInCluster(
  settings: readonly Setting[],
  flags: StoreFlags,
  env: NodeJS.ProcessEnv,
  streams: Streams,
): Promise<ConfigurationReport> {
  const { cluster, namespace, ref, name, object } = await find(flags, env);
  if (!object) {
    throw new DaprMtlsError('dapr.missing', {
      message: `there is no ${name}`,
      hint: 'Name the namespace of the control plane with -n; the chart makes the Configuration.',
    });
  }
  if (settings.some(isReckonedWith)) await assertNotRotatingCluster({ cluster, namespace }, streams);
  changeConfiguration(name, JSON.stringify(object), settings);
  const { uid, resourceVersion } = object.metadata;
  const mtls = Object.fromEntries(settings.map(({ name, value }) => [name, value]));
  const changed = await cluster.patch<Configuration>(ref, { metadata: { uid, resourceVersion }, spec: { mtls } });
  return describeConfiguration(name, JSON.stringify(changed));
}

interface FoundConfiguration {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly ref: ObjectRef;
  /** As people call it. */
  readonly name: string;
  readonly object: Configuration | undefined;
}

async function find(flags: StoreFlags, env: NodeJS.ProcessEnv): Promise<FoundConfiguration> {
  const cluster = await openCluster(flags, env);
  const namespace = await findControlPlane(cluster, flags.namespace);
  const sentry = await cluster.get<Workload>({ resource: resources.deployments, namespace, name: sentryName });
  const ref = { resource: resources.configurations, namespace, name: readConfigurationName(sentry) };
  return {
    cluster,
    namespace,
    ref,
    name: `Configuration ${namespace}/${ref.name}`,
    object: await cluster.get<Configuration>(ref),
  };
}
