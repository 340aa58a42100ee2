import { assertLeavesEndBeforeIssuer } from '../app/configuration/assert-lifetime.ts';
import { changeConfiguration } from '../app/configuration/change.ts';
import { isReckonedWith, type Setting } from '../app/configuration/document.ts';
import { describeFollowers, describeUnchanged, servicesThatRead } from '../app/configuration/followers.ts';
import { type ConfigurationReport, describeConfiguration } from '../app/configuration/report.ts';
import type { MtlsSettings } from '../app/configuration/settings.ts';
import { DaprMtlsError } from '../errors.ts';
import { look, type Presence, readConfigurationName, readControlPlane } from '../kube/dapr/control-plane.ts';
import { findControlPlane } from '../kube/dapr/find.ts';
import type { Configuration, Workload } from '../kube/dapr/objects.ts';
import { sentryName } from '../kube/dapr/services.ts';
import type { Cluster, ObjectRef } from '../kube/port.ts';
import { resources } from '../kube/resources.ts';
import { filesOf, type SecretObject, secretRef } from '../store/cluster/objects.ts';
import { assertControlPlane } from './assert-control-plane.ts';
import { assertNotRotatingCluster } from './assert-not-rotating.ts';
import type { SettingFlags } from './change-configuration.ts';
import { openCluster } from './open-cluster.ts';
import type { StoreFlags } from './open-store.ts';
import type { Streams } from './streams.ts';

/**
 * The object that Sentry is told to read; JSON is YAML, so it is read as a file is.
 * @throws DaprMtlsError `dapr.missing` where no control plane is
 */
export async function viewInCluster(flags: StoreFlags, env: NodeJS.ProcessEnv): Promise<ConfigurationReport> {
  const { cluster, namespace, sentry, name, object } = await find(flags, env);
  if (!object) await assertControlPlane(cluster, { namespace, sentry });
  return describeConfiguration(name, object && JSON.stringify(object), ' -k');
}

export interface SettingSurroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly streams: Streams;
  readonly now: () => Date;
}

/**
 * Writes the settings and nothing else, on exactly the state that was judged; then restarts whoever
 * reads them at its start, where that was asked for.
 * @throws DaprMtlsError `usage.invalid`, `dapr.missing`, `rotation.running`, `cluster.conflict`, `rollout.failed`
 */
export async function changeInCluster(
  settings: readonly Setting[],
  flags: StoreFlags & SettingFlags,
  surroundings: SettingSurroundings,
): Promise<ConfigurationReport> {
  const { env, streams } = surroundings;
  const { cluster, namespace, ref, name, object } = await find(flags, env);
  if (!object) {
    throw new DaprMtlsError('dapr.missing', {
      message: `there is no ${name}`,
      hint: 'Name the namespace of the control plane with -n; the chart makes the Configuration.',
    });
  }
  if (settings.some(isReckonedWith)) await assertNotRotatingCluster({ cluster, namespace }, streams);
  const wanted = changeConfiguration(name, JSON.stringify(object), settings, ' -k');
  if (settings.some((setting) => setting.name === 'workloadCertTTL')) {
    await assertIssuerLastsLonger(cluster, namespace, wanted.settings, surroundings);
  }
  const affected = servicesThatRead(settings);
  const restart = flags.restart && affected.length > 0 ? await import('./restart.ts') : undefined;
  // Told before anything is written: a right that is missing, a bundle on which Sentry would not come back.
  await restart?.rehearseServices(cluster, namespace, affected);
  const { isChanged } = wanted;
  const present = isChanged ? await patchSettings(cluster, ref, object, settings) : object;
  streams.note(`${isChanged ? `Written: ${name}.` : describeUnchanged(name)}\n`);
  const display = { env, streams, isQuiet: flags.quiet };
  // Also of what stood there already: a run before may have written it, and restarted nobody.
  await restart?.restartServices(cluster, namespace, affected, flags.timeout * 1000, display);
  const remarks = isChanged ? describeFollowers(settings, flags.restart) : [];
  for (const remark of remarks) streams.note(`${remark}\n`);
  return describeConfiguration(name, JSON.stringify(present), ' -k');
}

/** Only on the state that was judged. */
function patchSettings(
  cluster: Cluster,
  ref: ObjectRef,
  { metadata: { uid, resourceVersion } }: Configuration,
  settings: readonly Setting[],
): Promise<Configuration> {
  const mtls = Object.fromEntries(settings.map(({ name, value }) => [name, value]));
  return cluster.patch<Configuration>(ref, { metadata: { uid, resourceVersion }, spec: { mtls } });
}

async function assertIssuerLastsLonger(
  cluster: Cluster,
  namespace: string,
  settings: MtlsSettings,
  { streams, now }: SettingSurroundings,
): Promise<void> {
  const [{ fileNames }, secret] = await Promise.all([
    readControlPlane(cluster, namespace),
    look<SecretObject>(cluster, secretRef({ namespace })),
  ]);
  if (secret.refusal)
    streams.warn(`Not checked whether the issuer outlives the certificates: ${secret.refusal.message}\n`);
  assertLeavesEndBeforeIssuer(settings, filesOf(secret.object, fileNames).issuerChain, now(), ' -k');
}

interface FoundConfiguration {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly sentry: Presence;
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
    sentry: sentry ? 'present' : 'absent',
    ref,
    name: `Configuration ${namespace}/${ref.name}`,
    object: await cluster.get<Configuration>(ref),
  };
}
