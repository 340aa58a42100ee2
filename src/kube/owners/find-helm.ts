import { DaprMtlsError } from '../../errors.ts';
import type { Cluster, KubeObject, ObjectMeta } from '../port.ts';
import { resources } from '../resources.ts';
import type { HelmFacts, HelmRelease } from './facts.ts';
import { decodeRecord, type HelmRecord } from './helm-record.ts';
import { type BundleName, describeRelease } from './helm-release.ts';

/** What Helm writes on each object that it installs or adopts. */
const releaseNameAnnotation = 'meta.helm.sh/release-name';
const releaseNamespaceAnnotation = 'meta.helm.sh/release-namespace';

/** Releases of a namespace that are looked into where the objects name none. */
const releaseLimit = 5;

/**
 * The Helm release that renders our objects, from its release Secrets: their labels in one list of
 * metadata, then the newest whole, and the deployed one where the newest is not deployed. Where
 * this user may not look, that is the answer.
 * @throws DaprMtlsError as `Cluster.list` does, but for `cluster.forbidden`
 */
export async function findHelmRelease(
  cluster: Cluster,
  bundle: BundleName,
  objects: readonly (KubeObject | undefined)[],
): Promise<HelmFacts> {
  const annotation = (key: string) =>
    objects.map((object) => object?.metadata.annotations?.[key]).find((value) => value);
  const releaseName = annotation(releaseNameAnnotation);
  const namespace = annotation(releaseNamespaceAnnotation) ?? bundle.namespace;
  try {
    const releases = await listReleases(cluster, namespace, releaseName);
    for (const revisions of releases.slice(0, releaseLimit)) {
      const records = await readRecords(cluster, namespace, revisions);
      if (!records)
        return { state: 'not-checked', reason: `the record of Helm release ${nameOf(revisions)} cannot be read` };
      const release = await describeRelease(records, bundle);
      if (release) return { state: 'found', release };
    }
    if (!releaseName || releases.length > 0) return { state: 'none' };
    return {
      state: 'not-checked',
      reason: `Helm release ${releaseName} keeps its record elsewhere than in a Secret of ${namespace}`,
    };
  } catch (error) {
    if (!(error instanceof DaprMtlsError) || error.code !== 'cluster.forbidden') throw error;
    return { state: 'not-checked', reason: `this user may not read Helm's release Secrets in ${namespace}` };
  }
}

/** The revisions of one release by their metadata, newest first. */
type Revisions = readonly ObjectMeta[];

async function listReleases(cluster: Cluster, namespace: string, name: string | undefined): Promise<Revisions[]> {
  const labelSelector = name ? `owner=helm,name=${name}` : 'owner=helm';
  const byName = new Map<string, ObjectMeta[]>();
  for await (const { metadata } of cluster.list(resources.secrets, { namespace, labelSelector, metadataOnly: true })) {
    const release = metadata.labels?.name ?? '';
    byName.set(release, [...(byName.get(release) ?? []), metadata]);
  }
  // Dapr's chart is called so by its documentation and its CLI: most often one look is enough.
  const isDapr = (revisions: Revisions) => nameOf(revisions) === 'dapr';
  return [...byName.values()]
    .map((revisions) => revisions.sort((a, b) => numberOf(b) - numberOf(a)))
    .sort((a, b) => Number(isDapr(b)) - Number(isDapr(a)));
}

function nameOf([newest]: Revisions): string {
  return newest?.labels?.name ?? '';
}

function numberOf({ labels }: ObjectMeta): number {
  return Number(labels?.version ?? 0);
}

/** Undefined where one cannot be made out. */
async function readRecords(
  cluster: Cluster,
  namespace: string,
  revisions: Revisions,
): Promise<HelmRecord[] | undefined> {
  const [newest] = revisions;
  const deployed = revisions.find(({ labels }) => labels?.status === 'deployed');
  const records: HelmRecord[] = [];
  for (const metadata of new Set([newest, deployed])) {
    if (!metadata) continue;
    const secret = await cluster.get<ReleaseSecret>({ resource: resources.secrets, namespace, name: metadata.name });
    const record = decodeRecord(secret?.data?.release ?? '');
    if (!record) return undefined;
    records.push(record);
  }
  return records;
}

/**
 * The manifest that the next upgrade is compared with. It HOLDS THE ISSUER KEY where values do.
 * @throws DaprMtlsError as `Cluster.get` does; `cluster.rejected` where the record is gone
 */
export async function readDeployedManifest(
  cluster: Cluster,
  { name, namespace, revisions }: HelmRelease,
): Promise<string> {
  const { revision } = revisions.find(({ status }) => status === 'deployed') ?? revisions[0];
  const secretName = `sh.helm.release.v1.${name}.v${revision}`;
  const secret = await cluster.get<ReleaseSecret>({ resource: resources.secrets, namespace, name: secretName });
  const record = decodeRecord(secret?.data?.release ?? '');
  if (record) return record.manifest;
  throw new DaprMtlsError('cluster.rejected', {
    message: `the record of Helm release ${name}, revision ${revision}, cannot be read any more`,
    hint: 'Somebody else is upgrading the release: run the command again.',
  });
}

interface ReleaseSecret extends KubeObject {
  readonly data?: { readonly release?: string };
}
