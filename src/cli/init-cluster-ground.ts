import type { FoundRelease, Ground } from '../app/init-cluster/ground.ts';
import { DaprMtlsError } from '../errors.ts';
import { look } from '../kube/dapr/control-plane.ts';
import { defaultNamespace, sentryName } from '../kube/dapr/services.ts';
import type { Cluster, KubeObject } from '../kube/port.ts';
import { resources } from '../kube/resources.ts';
import { isLaidByInit } from '../store/cluster/lay-bundle.ts';
import {
  anchorsOf,
  type BundleObjects,
  type ClusterPlace,
  type ConfigMapObject,
  filesOf,
  readObjects,
  type SecretObject,
} from '../store/cluster/objects.ts';
import { releaseName } from './init-cluster-chart.ts';

/** What stands where Dapr is to be installed, as far as this user may look. */
export interface Survey {
  readonly ground: Ground;
  readonly objects: BundleObjects;
  readonly hasNamespace: boolean;
  /** One line for each thing that this user may not look for. */
  readonly notChecked: readonly string[];
}

/** @throws DaprMtlsError `cluster.*` where Secret and ConfigMap may not be read */
export async function surveyGround(place: ClusterPlace): Promise<Survey> {
  const { cluster, namespace } = place;
  const [objects, found, sentries, release] = await Promise.all([
    readObjects(place),
    look(cluster, { resource: resources.namespaces, name: namespace }),
    findSentries(cluster, namespace),
    findRelease(cluster, namespace),
  ]);
  const { secret, configMap } = objects;
  return {
    ground: {
      namespace,
      secret: hasData(secret) ? { files: filesOf(secret, place.names), isLaidByInit: isLaidByInit(secret) } : undefined,
      configMap: hasData(configMap) ? { anchors: anchorsOf(configMap, place.names) } : undefined,
      sentries: sentries.found,
      release: release.found,
      otherOwner: [secret, configMap].map((object) => otherOwnerOf(object, namespace)).find((owner) => owner),
    },
    objects,
    // Who may not read it, but may write into it, finds out by writing.
    hasNamespace: found.presence !== 'absent',
    notChecked: [...sentries.notChecked, ...release.notChecked],
  };
}

interface Found<T> {
  readonly found: T;
  readonly notChecked: readonly string[];
}

/** In any namespace, else in those where this user may look. */
async function findSentries(cluster: Cluster, namespace: string): Promise<Found<readonly string[]>> {
  const found = new Set<string>();
  try {
    const query = { labelSelector: `app=${sentryName}`, metadataOnly: true };
    for await (const { metadata } of cluster.list(resources.deployments, query)) found.add(metadata.namespace ?? '');
    return { found: [...found].sort(), notChecked: [] };
  } catch (error) {
    assertForbidden(error);
  }
  let unknown = 'other namespaces';
  for (const candidate of new Set([namespace, defaultNamespace])) {
    const ref = { resource: resources.deployments, namespace: candidate, name: sentryName };
    const { presence } = await look(cluster, ref);
    if (presence === 'present') found.add(candidate);
    if (presence === 'unknown') unknown = 'any namespace';
  }
  return {
    found: [...found],
    notChecked: [`whether there is a Sentry in ${unknown}: this user may not list Deployments`],
  };
}

/** By the labels of Helm's release Secrets: what is in them is not read. */
async function findRelease(cluster: Cluster, namespace: string): Promise<Found<FoundRelease | undefined>> {
  const labelSelector = `owner=helm,name=${releaseName}`;
  const revisions: KubeObject['metadata'][] = [];
  try {
    for await (const { metadata } of cluster.list(resources.secrets, { namespace, labelSelector, metadataOnly: true }))
      revisions.push(metadata);
  } catch (error) {
    assertForbidden(error);
    const what = `whether there is a Helm release ${releaseName} in ${namespace}: this user may not list Secrets`;
    return { found: undefined, notChecked: [what] };
  }
  const [newest] = revisions.sort((a, b) => Number(b.labels?.version ?? 0) - Number(a.labels?.version ?? 0));
  const found = newest && { name: releaseName, namespace, status: newest.labels?.status ?? 'of unknown status' };
  return { found, notChecked: [] };
}

function assertForbidden(error: unknown): void {
  if (!(error instanceof DaprMtlsError) || error.code !== 'cluster.forbidden') throw error;
}

function hasData(object: SecretObject | ConfigMapObject | undefined): boolean {
  return Object.values(object?.data ?? {}).some((value) => value !== '');
}

function otherOwnerOf(object: KubeObject | undefined, namespace: string): string | undefined {
  const name = object?.metadata.annotations?.['meta.helm.sh/release-name'];
  const where = object?.metadata.annotations?.['meta.helm.sh/release-namespace'] ?? namespace;
  return name !== undefined && (name !== releaseName || where !== namespace) ? `${where}/${name}` : undefined;
}
