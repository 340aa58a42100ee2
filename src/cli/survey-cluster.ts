import { judgeCluster } from '../app/check/cluster.ts';
import { collectSettings } from '../app/configuration/settings.ts';
import { findOwnerFindings } from '../app/owners/findings.ts';
import { DaprMtlsError } from '../errors.ts';
import type { ControlPlane } from '../kube/dapr/control-plane.ts';
import { sentryName } from '../kube/dapr/services.ts';
import { findOwners } from '../kube/owners/find-owners.ts';
import { anchorsOf, type BundleObjects } from '../store/cluster/objects.ts';
import { ClusterReader } from '../store/cluster/read.ts';
import { openClusterSite } from './cluster-site.ts';
import type { StoreFlags } from './open-store.ts';
import type { Survey } from './survey.ts';

/**
 * Gathers what `dapr-mtls check -k` judges: the bundle, both objects, who else keeps them, the settings.
 * @throws DaprMtlsError `cluster.*`, `dapr.missing`, `dapr.ambiguous`
 */
export async function surveyCluster(flags: StoreFlags, env: NodeJS.ProcessEnv): Promise<Survey> {
  const { cluster, controlPlane, place } = await openClusterSite(flags, env);
  const reader = new ClusterReader(place);
  const { stored, objects } = await reader.readWithObjects();
  assertControlPlane(controlPlane, objects);
  const { secret, configMap } = objects;
  const owners = await findOwners(cluster, place.namespace, objects);
  const pair = judgeCluster({
    name: `${place.namespace}/${secret?.metadata.name ?? configMap?.metadata.name ?? ''}`,
    anchorsName: place.names.anchors,
    hasConfigMap: place.hasConfigMap,
    isSettled: stored.state === 'settled',
    secret: secret && { anchors: stored.files.anchors, isImmutable: secret.immutable === true },
    configMap: configMap && { anchors: anchorsOf(configMap, place.names), isImmutable: configMap.immutable === true },
    unread: controlPlane.unread,
  });
  const findings = [...pair, ...findOwnerFindings(owners)];
  const settings = collectSettings((name) => controlPlane.mtls?.[name]);
  return { stored, location: reader.location, surroundings: { settings, findings }, daprVersion: controlPlane.release };
}

/** A bundle may lie there before Sentry does, and without its bundle a control plane is one all the more. */
function assertControlPlane({ namespace, sentry }: ControlPlane, { secret, configMap }: BundleObjects): void {
  if (secret || configMap || sentry !== 'absent') return;
  throw new DaprMtlsError('dapr.missing', {
    message: `there is no control plane in namespace ${namespace}: no Deployment ${sentryName}, and no bundle`,
    hint: 'Name its namespace with -n, another cluster with --context, or install it: `dapr init -k`.',
  });
}
