import type { Container, Manifest } from './dapr/manifest.ts';
import { releaseOf } from './dapr/release.ts';
import { type RolloutWishes, rollOut } from './dapr/rollout.ts';
import {
  type ChartValues,
  helmOwnership,
  type IssuerFilenames,
  labelsOf,
  nameOf,
  type Service,
  serviceAccountOf,
  services,
  workloadOf,
} from './dapr/services.ts';
import { readForeignBundle } from './fixtures.ts';

export interface ControlPlaneOptions {
  /** `dapr-system` */
  readonly namespace?: string;
  /** Of Dapr, `1.17.13`. What the charts of the releases differ in is kept: see release.ts. */
  readonly version?: string;
  readonly variant?: 'mariner';
  readonly ha?: boolean;
  readonly mtlsEnabled?: boolean;
  /** PEM; none: the objects have no data, as before Sentry's first start. */
  readonly bundle?: BundlePem;
  /** Instead of the release's own: `registry.example:5000/dapr` has a port. */
  readonly registry?: string;
  readonly digest?: string;
  readonly trustDomain?: string;
  readonly workloadCertTTL?: string;
  readonly allowedClockSkew?: string;
  readonly issuerFilenames?: IssuerFilenames;
  readonly scheduler?: boolean;
  readonly placement?: boolean;
  readonly dashboard?: boolean;
  readonly extraContainer?: Container;
  readonly volumeClaims?: boolean;
}

export interface BundlePem {
  readonly anchors: string | Buffer;
  readonly issuerChain: string | Buffer;
  readonly issuerKey: string | Buffer;
}

/**
 * The objects of a control plane as Dapr's chart makes them, in the order in which they may be
 * applied. They carry no status and no identity, so that a real API server takes them, too.
 */
export function controlPlaneObjects(wishes: ControlPlaneOptions = {}): Manifest[] {
  const values = valuesOf(wishes);
  const installed = servicesOf(wishes, values);
  const accounts = new Set(installed.map((service) => serviceAccountOf(service, values.release)));
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: values.namespace } },
    ...[...accounts].map((name) => serviceAccount(name, values)),
    ...bundleObjects(wishes.bundle, values),
    configurationOf(wishes, values),
    webhookOf(wishes.bundle, values),
    ...installed.map((service) => workloadOf(service, values)),
  ];
}

/** The same as it stands in a cluster: with status, ReplicaSets and pods. */
export function runningControlPlane(wishes: ControlPlaneOptions = {}, rollout: RolloutWishes = {}): Manifest[] {
  return rollOut(controlPlaneObjects(wishes), rollout);
}

function valuesOf(wishes: ControlPlaneOptions): ChartValues {
  const release = releaseOf(wishes.version ?? '1.17.13', wishes.variant);
  return {
    namespace: wishes.namespace ?? 'dapr-system',
    release,
    registry: wishes.registry ?? release.registry,
    digest: wishes.digest,
    ha: wishes.ha ?? false,
    trustDomain: wishes.trustDomain ?? 'cluster.local',
    issuerFilenames: wishes.issuerFilenames,
    extraContainer: wishes.extraContainer,
    volumeClaims: wishes.volumeClaims ?? true,
  };
}

function servicesOf(
  { scheduler, placement = true, dashboard }: ControlPlaneOptions,
  { release }: ChartValues,
): Service[] {
  const optional: Partial<Record<Service, boolean>> = {
    placement,
    scheduler: scheduler ?? release.hasScheduler,
    dashboard: dashboard ?? release.hasDashboard,
  };
  return services.filter((service) => optional[service] ?? true);
}

function serviceAccount(name: string, values: ChartValues): Manifest {
  const labels = { 'app.kubernetes.io/managed-by': 'Helm' };
  const metadata = { name, namespace: values.namespace, labels, ...helmOwnership(values) };
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata };
}

function metadataOf(name: string, component: string, values: ChartValues) {
  const labels = { ...labelsOf(component, values), 'app.kubernetes.io/managed-by': 'Helm' };
  return { name, namespace: values.namespace, labels, ...helmOwnership(values) };
}

/** The Secret, and since 1.12 the ConfigMap. */
function bundleObjects(bundle: BundlePem | undefined, values: ChartValues): Manifest[] {
  const { ca = 'ca.crt', cert = 'issuer.crt', key = 'issuer.key' } = values.issuerFilenames ?? {};
  const metadata = metadataOf('dapr-trust-bundle', 'sentry', values);
  const data = bundle && {
    [ca]: base64(bundle.anchors),
    [cert]: base64(bundle.issuerChain),
    [key]: base64(bundle.issuerKey),
  };
  const secret: Manifest = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', ...(data ? { data } : {}) };
  if (!values.release.hasConfigMap) return [secret];
  const anchors = bundle && { data: { [ca]: bundle.anchors.toString() } };
  return [secret, { apiVersion: 'v1', kind: 'ConfigMap', metadata, ...anchors }];
}

function configurationOf(wishes: ControlPlaneOptions, values: ChartValues): Manifest {
  const { mtlsEnabled = true, workloadCertTTL = '24h', allowedClockSkew = '15m' } = wishes;
  const { release, namespace, trustDomain } = values;
  const { app: _app, ...labels } = labelsOf('config', values);
  return {
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'Configuration',
    metadata: {
      ...metadataOf('daprsystem', 'config', values),
      labels: { ...labels, 'app.kubernetes.io/managed-by': 'Helm' },
    },
    spec: {
      mtls: {
        enabled: mtlsEnabled,
        workloadCertTTL,
        allowedClockSkew,
        ...(release.hasConfigMap
          ? {
              controlPlaneTrustDomain: trustDomain,
              sentryAddress: `dapr-sentry.${namespace}.svc.cluster.local:443`,
            }
          : {}),
      },
    },
  };
}

/** Since 1.12 the injector writes the anchors into its webhook; before, the chart made it a CA of its own. */
function webhookOf(bundle: BundlePem | undefined, values: ChartValues): Manifest {
  const { namespace: _none, ...metadata } = metadataOf('dapr-sidecar-injector', 'sidecar-injector', values);
  const authority = values.release.hasConfigMap ? bundle?.anchors : readForeignBundle('step').anchors;
  const caBundle = authority && { caBundle: base64(authority) };
  const service = { name: nameOf('sidecar-injector'), namespace: values.namespace, path: '/mutate' };
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata,
    webhooks: [
      {
        name: 'sidecar-injector.dapr.io',
        admissionReviewVersions: ['v1', 'v1beta1'],
        clientConfig: { service, ...caBundle },
        failurePolicy: 'Ignore',
        reinvocationPolicy: 'IfNeeded',
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        sideEffects: 'None',
      },
    ],
  };
}

function base64(pem: string | Buffer): string {
  return Buffer.from(pem).toString('base64');
}
