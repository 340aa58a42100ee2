import { DaprMtlsError } from '../../errors.ts';
import type { Cluster, KubeObject } from '../../kube/port.ts';
import { resources } from '../../kube/resources.ts';
import type { BundleFiles } from '../../pki/bundle.ts';
import type { SideFile } from '../port.ts';
import {
  type BundleObjects,
  bundleName,
  type ClusterPlace,
  configMapRef,
  preconditionsOf,
  type SecretObject,
  secretRef,
} from './objects.ts';
import { readBack } from './read-back.ts';
import { writeSideFiles } from './side-files.ts';

/** What was done to an object that a bundle needs. */
export interface LaidObject {
  readonly kind: 'Namespace' | 'Secret' | 'ConfigMap';
  readonly name: string;
  /** filled: it was there and held no data. */
  readonly action: 'created' | 'filled' | 'kept';
}

/** The Helm release that is to take both objects over. */
export interface Adopter {
  readonly release: string;
  readonly namespace: string;
}

/** A Secret that bears this was laid before there was a Sentry; an interrupted run goes on from it. */
const laidAnnotation = 'dapr-mtls/laid-by-init';

export function isLaidByInit(secret: KubeObject | undefined): boolean {
  return secret?.metadata.annotations?.[laidAnnotation] !== undefined;
}

/** @throws DaprMtlsError `cluster.*` */
export async function layNamespace(cluster: Cluster, name: string, isThere: boolean): Promise<LaidObject> {
  if (isThere) return { kind: 'Namespace', name, action: 'kept' };
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  try {
    await cluster.create({ resource: resources.namespaces }, object);
    return { kind: 'Namespace', name, action: 'created' };
  } catch (error) {
    if (!isConflict(error)) throw error;
    return { kind: 'Namespace', name, action: 'kept' };
  }
}

/**
 * Lays a bundle where no Sentry runs yet, marked so that Helm takes it over at the installation of
 * the chart and leaves its data alone. Everything is rehearsed first; then the key file, the Secret,
 * the ConfigMap: a run that dies in between leaves a Secret that bears our mark, or nothing that counts.
 * @param ground both objects as they are, without data where they are there
 * @param sideFiles written before the Secret, and taken away again where the Secret was not written
 * @throws DaprMtlsError `cluster.*`, `file.exists`, `file.io`, `store.replaced`
 */
export async function layBundle(
  place: ClusterPlace,
  files: BundleFiles,
  ground: BundleObjects,
  adopter: Adopter,
  sideFiles: readonly SideFile[],
): Promise<LaidObject[]> {
  const secret = secretOf(place, files, adopter);
  const configMap = configMapOf(place, files.anchors, adopter);
  await put(place, secretRef(place), secret, ground.secret, true);
  await put(place, configMapRef(place), configMap, ground.configMap, true);

  const undoSideFiles = writeSideFiles(sideFiles);
  try {
    await put(place, secretRef(place), secret, ground.secret, false);
  } catch (error) {
    const found = await lookAgain(place);
    // The answer may have been lost on its way, and the write done.
    if (!holds(found.secret, secret.data)) {
      if (found.isKnown) undoSideFiles();
      throw error;
    }
  }
  const laidConfigMap = await layConfigMap(place, files.anchors, ground.configMap, adopter);
  await readBack(place, secret.data);
  return [describe('Secret', ground.secret), laidConfigMap];
}

/**
 * The ConfigMap beside a Secret that is there already: the second half of `layBundle`.
 * @throws DaprMtlsError `cluster.*`
 */
export async function layConfigMap(
  place: ClusterPlace,
  anchors: Buffer,
  present: KubeObject | undefined,
  adopter: Adopter,
): Promise<LaidObject> {
  await put(place, configMapRef(place), configMapOf(place, anchors, adopter), present, false);
  return describe('ConfigMap', present);
}

/** Whether the Secret still holds this bundle. @throws DaprMtlsError `store.replaced`, `store.mismatch` */
export function assertStillLaid(place: ClusterPlace, files: BundleFiles): Promise<void> {
  return readBack(place, dataOf(place, files));
}

async function put(
  { cluster }: ClusterPlace,
  ref: ReturnType<typeof secretRef>,
  object: LaidSecret | LaidConfigMap,
  present: KubeObject | undefined,
  dryRun: boolean,
): Promise<void> {
  if (!present) {
    await cluster.create(ref, object, { dryRun });
    return;
  }
  const { labels, annotations } = object.metadata;
  const metadata = { ...preconditionsOf(present), labels, annotations };
  await cluster.patch(ref, { metadata, data: object.data }, { dryRun });
}

type LaidSecret = ReturnType<typeof secretOf>;
type LaidConfigMap = ReturnType<typeof configMapOf>;

function secretOf(place: ClusterPlace, files: BundleFiles, adopter: Adopter) {
  const metadata = metadataOf(place, adopter);
  const annotations = { ...metadata.annotations, [laidAnnotation]: 'true' };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { ...metadata, annotations },
    type: 'Opaque',
    data: dataOf(place, files),
  };
}

function configMapOf(place: ClusterPlace, anchors: Buffer, adopter: Adopter) {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadataOf(place, adopter),
    data: { [place.names.anchors]: anchors.toString('utf8') },
  };
}

/** What Helm asks of an object that it did not make (checkOwnership in its pkg/action/validate.go). */
function metadataOf({ namespace }: ClusterPlace, adopter: Adopter) {
  return {
    name: bundleName,
    namespace,
    labels: { 'app.kubernetes.io/managed-by': 'Helm' },
    annotations: {
      'meta.helm.sh/release-name': adopter.release,
      'meta.helm.sh/release-namespace': adopter.namespace,
    },
  };
}

function dataOf({ names }: ClusterPlace, files: BundleFiles): Record<string, string> {
  return {
    [names.anchors]: files.anchors.toString('base64'),
    [names.issuerChain]: files.issuerChain.toString('base64'),
    [names.issuerKey]: files.issuerKey.toString('base64'),
  };
}

async function lookAgain(place: ClusterPlace): Promise<{ secret: SecretObject | undefined; isKnown: boolean }> {
  try {
    return { secret: await place.cluster.get<SecretObject>(secretRef(place)), isKnown: true };
  } catch {
    // Nobody knows what became of it: the key of what may be the root in use stays where it is.
    return { secret: undefined, isKnown: false };
  }
}

function holds(secret: SecretObject | undefined, data: Readonly<Record<string, string>>): boolean {
  return secret !== undefined && Object.entries(data).every(([name, value]) => secret.data?.[name] === value);
}

function describe(kind: 'Secret' | 'ConfigMap', present: KubeObject | undefined): LaidObject {
  return { kind, name: bundleName, action: present ? 'filled' : 'created' };
}

function isConflict(error: unknown): boolean {
  return error instanceof DaprMtlsError && error.code === 'cluster.conflict';
}
