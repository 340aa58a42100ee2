import { judgeCluster } from '../app/check/cluster.ts';
import { collectSettings } from '../app/configuration/settings.ts';
import { findOwnerFindings } from '../app/owners/findings.ts';
import { findOwners } from '../kube/owners/find-owners.ts';
import { anchorsOf } from '../store/cluster/objects.ts';
import { ClusterReader } from '../store/cluster/read.ts';
import { assertControlPlane } from './assert-control-plane.ts';
import { type ClusterSite, openClusterSite } from './cluster-site.ts';
import type { StoreFlags } from './open-store.ts';
import type { Survey } from './survey.ts';

/**
 * Gathers what `dapr-mtls check -k` judges: the bundle, both objects, who else keeps them, the settings.
 * @throws DaprMtlsError `cluster.*`, `dapr.missing`, `dapr.ambiguous`
 */
export async function surveyCluster(flags: StoreFlags, env: NodeJS.ProcessEnv): Promise<Survey> {
  return surveySite(await openClusterSite(flags, env));
}

/** The same for a control plane that is open already. @throws DaprMtlsError `cluster.*`, `dapr.missing` */
export async function surveySite({ cluster, controlPlane, place }: ClusterSite): Promise<Survey> {
  await assertControlPlane(cluster, controlPlane);
  const reader = new ClusterReader(place);
  const { stored, objects } = await reader.readWithObjects();
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
