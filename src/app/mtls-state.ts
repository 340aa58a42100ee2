import { DaprMtlsError } from '../errors.ts';
import { type Looked, look, readFileNames } from '../kube/dapr/control-plane.ts';
import { findControlPlane } from '../kube/dapr/find.ts';
import type { Configuration, Workload } from '../kube/dapr/objects.ts';
import { defaultNamespace, sentryName, systemConfigurationName, trustBundleName } from '../kube/dapr/services.ts';
import type { Cluster, ClusterAddress } from '../kube/port.ts';
import { resources } from '../kube/resources.ts';
import { type ExpiryGlance, glanceAtSecret, type SecretData } from './banner.ts';
import { type ClusterReport, describeCluster } from './cluster-report.ts';
import { defaultSettings } from './configuration/settings.ts';
import { type Document, document, formatInstant } from './report.ts';

export interface MtlsReport extends Document<'Mtls'> {
  readonly cluster: ClusterReport;
  readonly at: string;
  readonly enabled: boolean;
  readonly expiry: ExpiryGlance;
}

/** What a namespace holds of the answer. */
export interface MtlsObjects {
  readonly namespace: string;
  readonly sentry: Looked<Workload>;
  readonly configuration: Looked<Configuration>;
  readonly secret: Looked<SecretData>;
}

/**
 * Reads the usual namespace before it is known whether the control plane is there, because mostly it is.
 * @throws DaprMtlsError `dapr.missing` in the official CLI's words, `dapr.ambiguous`
 */
export async function gatherMtlsState(cluster: Cluster, namespace?: string): Promise<MtlsObjects> {
  const objects = await gatherIn(cluster, namespace ?? defaultNamespace);
  if (namespace !== undefined || objects.sentry.presence === 'present') return objects;
  // Who may not read Deployments knows by the Configuration alone that Dapr is here.
  if (objects.sentry.presence === 'unknown' && objects.configuration.object) return objects;
  const found = await findControlPlane(cluster).catch((error) => throwInUpstreamWords(error));
  return found === objects.namespace ? objects : await gatherIn(cluster, found);
}

async function gatherIn(cluster: Cluster, namespace: string): Promise<MtlsObjects> {
  const [sentry, configuration, secret] = await Promise.all([
    look<Workload>(cluster, { resource: resources.deployments, namespace, name: sentryName }),
    look<Configuration>(cluster, { resource: resources.configurations, namespace, name: systemConfigurationName }),
    look<SecretData>(cluster, { resource: resources.secrets, namespace, name: trustBundleName }),
  ]);
  return { namespace, sentry, configuration, secret };
}

/**
 * Whether sidecars speak mutual TLS, as the control plane's own Configuration says. Where that is
 * silent they do: it is Dapr's default (pkg/injector).
 * @throws DaprMtlsError `dapr.missing` where there is no Configuration, `cluster.forbidden`
 */
export function reportMtlsState(objects: MtlsObjects, address: ClusterAddress, at: Date): MtlsReport {
  const { namespace, configuration, secret, sentry } = objects;
  if (configuration.refusal) throw configuration.refusal;
  if (!configuration.object) throw noConfiguration(namespace);
  const enabled = configuration.object.spec?.mtls?.enabled;
  return document('Mtls', {
    cluster: describeCluster(address, namespace),
    at: formatInstant(at),
    enabled: typeof enabled === 'boolean' ? enabled : defaultSettings.enabled,
    expiry: glanceAtSecret(secret, readFileNames(sentry.object), at),
  });
}

const upstreamPrefix = 'error checking mTLS: ';

function noConfiguration(namespace: string): DaprMtlsError {
  return new DaprMtlsError('dapr.missing', {
    message: `${upstreamPrefix}system configuration not found: there is no Configuration ${systemConfigurationName} in namespace ${namespace}`,
    hint: 'Name the namespace of the control plane with -n, another cluster with --context, or install Dapr: `dapr init -k`.',
  });
}

function throwInUpstreamWords(error: unknown): never {
  if (!(error instanceof DaprMtlsError) || error.code !== 'dapr.missing') throw error;
  const { code, message, hint } = error;
  throw new DaprMtlsError(code, { message: `${upstreamPrefix}${message}`, hint, cause: error });
}
