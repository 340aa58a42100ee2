import type { Cluster, KubeObject, ObjectRef, Preconditions } from '../../kube/port.ts';
import { resources } from '../../kube/resources.ts';
import type { FoundFiles } from '../../pki/reading.ts';
import type { FileNames } from '../file-names.ts';

/** Secret and ConfigMap bear one name (charts/dapr/charts/dapr_config/templates). */
export const bundleName = 'dapr-trust-bundle';

export interface SecretObject extends KubeObject {
  readonly type?: string;
  readonly immutable?: boolean;
  /** In base64. */
  readonly data?: Readonly<Record<string, string>>;
}

export interface ConfigMapObject extends KubeObject {
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
  /** In base64. */
  readonly binaryData?: Readonly<Record<string, string>>;
}

/** Where the bundle of a control plane lies. */
export interface ClusterPlace {
  readonly cluster: Cluster;
  readonly namespace: string;
  /** The keys of the Secret's data, as Sentry's flags call the files. */
  readonly names: FileNames;
  /** False for Dapr up to 1.11, whose Sentry knows the Secret alone. */
  readonly hasConfigMap: boolean;
}

/** Both objects as they were read, one after the other. */
export interface BundleObjects {
  readonly secret: SecretObject | undefined;
  readonly configMap: ConfigMapObject | undefined;
}

export function secretRef({ namespace }: Pick<ClusterPlace, 'namespace'>): ObjectRef {
  return { resource: resources.secrets, namespace, name: bundleName };
}

export function configMapRef({ namespace }: Pick<ClusterPlace, 'namespace'>): ObjectRef {
  return { resource: resources.configMaps, namespace, name: bundleName };
}

export async function readObjects(place: ClusterPlace): Promise<BundleObjects> {
  const [secret, configMap] = await Promise.all([
    place.cluster.get<SecretObject>(secretRef(place)),
    place.cluster.get<ConfigMapObject>(configMapRef(place)),
  ]);
  return { secret, configMap };
}

/** An empty value is none: Sentry takes it so, and a chart without values renders none. */
export function filesOf(secret: SecretObject | undefined, names: FileNames): FoundFiles {
  const read = (name: string) => {
    const value = secret?.data?.[name];
    return value ? Buffer.from(value, 'base64') : undefined;
  };
  return { anchors: read(names.anchors), issuerChain: read(names.issuerChain), issuerKey: read(names.issuerKey) };
}

/** The anchors that everybody but Sentry reads. */
export function anchorsOf(configMap: ConfigMapObject | undefined, names: FileNames): Buffer | undefined {
  const text = configMap?.data?.[names.anchors];
  return text ? Buffer.from(text) : undefined;
}

/** An API server always gives both; an object without them can be no precondition. */
export function preconditionsOf({ metadata: { name, uid, resourceVersion } }: KubeObject): Preconditions {
  if (uid === undefined || resourceVersion === undefined)
    throw new Error(`${name} came without uid or resourceVersion`);
  return { uid, resourceVersion };
}
