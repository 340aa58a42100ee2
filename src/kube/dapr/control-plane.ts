import { DaprMtlsError } from '../../errors.ts';
import type { Cluster, KubeObject, ObjectRef } from '../port.ts';
import { resources } from '../resources.ts';
import { findFlag, findServiceContainer, findServiceVersion } from './container.ts';
import type { Release } from './image.ts';
import type { Configuration, Workload } from './objects.ts';
import { sentryName, systemConfigurationName } from './services.ts';

/** present, absent (404), or unknown: this user may not read it (403). */
export type Presence = 'present' | 'absent' | 'unknown';

export interface ControlPlane {
  readonly namespace: string;
  /** The Deployment of Sentry. */
  readonly sentry: Presence;
  /** As asked for; undefined where Sentry is not known. */
  readonly sentryReplicas: number | undefined;
  /** The tag of Sentry's image as it stands: `1.17.13-mariner`. */
  readonly version: string | undefined;
  readonly release: Release | undefined;
  readonly imageVariant: string | undefined;
  /** The keys of Secret and ConfigMap. */
  readonly fileNames: { readonly anchors: string; readonly issuerChain: string; readonly issuerKey: string };
  readonly trustDomain: string;
  readonly configurationName: string;
  /** The Configuration of that name in this namespace; one of another namespace does not count. */
  readonly configuration: Presence;
  /** Its `spec.mtls` as it stands, not judged. */
  readonly mtls: Readonly<Record<string, unknown>> | undefined;
  /** Why something above is unknown, in the words of the refusals. */
  readonly unread: readonly string[];
}

/**
 * How the control plane of a namespace is set up, from Sentry's Deployment and its Configuration.
 * What this user may not read, or what is not there, leaves the defaults of Dapr.
 * @throws DaprMtlsError as `Cluster.get` does, but for `cluster.forbidden`
 */
export async function readControlPlane(cluster: Cluster, namespace: string): Promise<ControlPlane> {
  const configurationRef = (name: string) => ({ resource: resources.configurations, namespace, name });
  const [sentry, usual] = await Promise.all([
    look<Workload>(cluster, { resource: resources.deployments, namespace, name: sentryName }),
    look<Configuration>(cluster, configurationRef(systemConfigurationName)),
  ]);
  const configurationName = readConfigurationName(sentry.object);
  const configuration =
    configurationName === systemConfigurationName
      ? usual
      : await look<Configuration>(cluster, configurationRef(configurationName));
  return describeControlPlane(namespace, sentry, configuration);
}

/** The outcome of a named GET that may be refused. */
export interface Looked<T> {
  readonly presence: Presence;
  readonly object: T | undefined;
  /** The refusal, where the presence is unknown. */
  readonly refusal: DaprMtlsError | undefined;
}

/** A named GET; a refusal (403) is an answer. */
export async function look<T extends KubeObject>(cluster: Cluster, ref: ObjectRef): Promise<Looked<T>> {
  try {
    const object = await cluster.get<T>(ref);
    return { presence: object ? 'present' : 'absent', object, refusal: undefined };
  } catch (error) {
    if (!(error instanceof DaprMtlsError) || error.code !== 'cluster.forbidden') throw error;
    return { presence: 'unknown', object: undefined, refusal: error };
  }
}

/** Pure: what the two objects say, and Dapr's defaults (cmd/sentry/options) where they are silent. */
export function describeControlPlane(
  namespace: string,
  sentry: Looked<Workload>,
  configuration: Looked<Configuration>,
): ControlPlane {
  const template = sentry.object?.spec?.template;
  const container = findServiceContainer(template?.spec, sentryName);
  const image = findServiceVersion(template?.spec, template?.metadata?.labels, sentryName);
  const mtls = configuration.object?.spec?.mtls;
  const ofConfiguration = mtls?.controlPlaneTrustDomain;
  return {
    namespace,
    sentry: sentry.presence,
    sentryReplicas: sentry.object ? (sentry.object.spec?.replicas ?? 1) : undefined,
    version: image?.text,
    release: image?.release,
    imageVariant: image?.variant,
    fileNames: readFileNames(sentry.object),
    trustDomain:
      findFlag(container, 'trust-domain') ||
      (typeof ofConfiguration === 'string' && ofConfiguration) ||
      'cluster.local',
    configurationName: readConfigurationName(sentry.object),
    configuration: configuration.presence,
    mtls,
    unread: [sentry, configuration].flatMap(({ refusal }) => refusal?.message ?? []),
  };
}

/** Under which keys Sentry keeps the bundle (`global.issuerFilenames` of the chart). */
export function readFileNames(sentry: Workload | undefined): ControlPlane['fileNames'] {
  const container = findServiceContainer(sentry?.spec?.template?.spec, sentryName);
  return {
    anchors: findFlag(container, 'issuer-ca-filename') || 'ca.crt',
    issuerChain: findFlag(container, 'issuer-certificate-filename') || 'issuer.crt',
    issuerKey: findFlag(container, 'issuer-key-filename') || 'issuer.key',
  };
}

/** Which Configuration Sentry is told to read (`--config`). */
export function readConfigurationName(sentry: Workload | undefined): string {
  const container = findServiceContainer(sentry?.spec?.template?.spec, sentryName);
  return findFlag(container, 'config') || systemConfigurationName;
}
