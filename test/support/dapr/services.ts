import { type Container, fromField, type Manifest } from './manifest.ts';
import type { Release } from './release.ts';

/** What the chart is told, in the words of its values. */
export interface ChartValues {
  readonly namespace: string;
  readonly release: Release;
  readonly registry: string;
  /** `sha256:...`, behind the tag. */
  readonly digest: string | undefined;
  readonly ha: boolean;
  readonly trustDomain: string;
  readonly issuerFilenames: IssuerFilenames | undefined;
  /** Stands before Dapr's own container in every pod, as service meshes put theirs. */
  readonly extraContainer: Container | undefined;
  /** Claims of placement and scheduler; a cluster without a provisioner leaves their pods pending. */
  readonly volumeClaims: boolean;
}

export interface IssuerFilenames {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export const services = ['sentry', 'sidecar-injector', 'operator', 'placement', 'scheduler', 'dashboard'] as const;
export type Service = (typeof services)[number];

/** A service's Deployment or StatefulSet, as `charts/dapr/charts/dapr_*` renders it. */
export function workloadOf(service: Service, values: ChartValues): Manifest {
  const { namespace } = values;
  const name = nameOf(service);
  const isStateful = service === 'placement' || service === 'scheduler';
  const labels = labelsOf(service, values);
  const template = { metadata: { labels, ...annotationsOf(service, values) }, spec: podSpec(service, values) };
  const common = { replicas: replicasOf(service, values), selector: { matchLabels: { app: name } }, template };
  return {
    apiVersion: 'apps/v1',
    kind: isStateful ? 'StatefulSet' : 'Deployment',
    metadata: {
      name,
      namespace,
      ...helmOwnership(values),
      labels: { ...labels, 'app.kubernetes.io/managed-by': 'Helm' },
    },
    spec: isStateful
      ? { ...common, serviceName: name, podManagementPolicy: 'Parallel', ...claimsOf(service, values) }
      : common,
  };
}

export function nameOf(service: Service): string {
  return service === 'placement' || service === 'scheduler' ? `dapr-${service}-server` : `dapr-${service}`;
}

export function helmOwnership({ namespace }: Pick<ChartValues, 'namespace'>) {
  return { annotations: { 'meta.helm.sh/release-name': 'dapr', 'meta.helm.sh/release-namespace': namespace } };
}

export function labelsOf(service: string, { release }: Pick<ChartValues, 'release'>): Record<string, string> {
  return {
    app: services.includes(service as Service) ? nameOf(service as Service) : `dapr-${service}`,
    'app.kubernetes.io/component': service,
    'app.kubernetes.io/managed-by': release.managedBy,
    'app.kubernetes.io/name': 'dapr',
    'app.kubernetes.io/part-of': 'dapr',
    'app.kubernetes.io/version': release.tag,
  };
}

const controlPlaneNames: Partial<Record<Service, string>> = { 'sidecar-injector': 'injector' };

function annotationsOf(service: Service, { release }: ChartValues): { annotations?: Record<string, string> } {
  if (service === 'dashboard') return {};
  const role = controlPlaneNames[service] ?? service;
  return {
    annotations: {
      ...(release.hasConfigMap ? { 'dapr.io/control-plane': role } : {}),
      'prometheus.io/path': '/',
      'prometheus.io/port': '9090',
      'prometheus.io/scrape': 'true',
    },
  };
}

function replicasOf(service: Service, { ha, release }: ChartValues): number {
  if (service === 'dashboard') return 1;
  // Since 1.15 the scheduler's etcd has three members whatever else is asked for.
  return ha || (service === 'scheduler' && release.minor >= 15) ? 3 : 1;
}

function podSpec(service: Service, values: ChartValues): object {
  const { extraContainer, ha, release } = values;
  const credentials = credentialsOf(service, values);
  return {
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/os', operator: 'In', values: ['linux'] }] }],
        },
      },
      ...(ha ? { podAntiAffinity: spread(nameOf(service)) } : {}),
    },
    containers: [...(extraContainer ? [extraContainer] : []), containerOf(service, values, credentials.mounts)],
    serviceAccountName: serviceAccountOf(service, release),
    volumes: credentials.volumes,
  };
}

function spread(app: string): object {
  const podAffinityTerm = {
    labelSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: [app] }] },
    topologyKey: 'topology.kubernetes.io/zone',
  };
  return { preferredDuringSchedulingIgnoredDuringExecution: [{ podAffinityTerm, weight: 100 }] };
}

export function serviceAccountOf(service: Service, release: Release): string {
  if (service === 'dashboard') return 'dashboard-reader';
  if (release.hasOneImage) return 'dapr-operator';
  return `dapr-${controlPlaneNames[service] ?? service}`;
}

function containerOf(service: Service, values: ChartValues, volumeMounts: readonly object[]): Container {
  const probe = (initialDelaySeconds: number) => ({
    failureThreshold: 5,
    httpGet: { path: '/healthz', port: 8080 },
    initialDelaySeconds,
    periodSeconds: 3,
  });
  const ports = portsOf(service);
  return {
    name: nameOf(service),
    image: imageOf(service, values),
    imagePullPolicy: 'IfNotPresent',
    command: [`/${controlPlaneNames[service] ?? service}`],
    args: argumentsOf(service, values),
    env: [fromField('NAMESPACE', 'metadata.namespace'), ...environmentOf(service)],
    ports: [...ports, { containerPort: 9090, name: 'metrics', protocol: 'TCP' }],
    livenessProbe: probe(service === 'scheduler' ? 10 : 3),
    readinessProbe: probe(3),
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
    },
    volumeMounts,
  };
}

function imageOf(service: Service, { release, registry, digest }: ImageValues): string {
  // The dashboard has releases of its own.
  if (service === 'dashboard') return `${registry}/dashboard:0.15.0`;
  const names: Partial<Record<Service, string>> = { 'sidecar-injector': 'injector' };
  const name = release.hasOneImage ? 'dapr' : (names[service] ?? service);
  return `${registry}/${name}:${release.tag}${digest ? `@${digest}` : ''}`;
}

type ImageValues = Pick<ChartValues, 'release' | 'registry' | 'digest'>;

function portsOf(service: Service): object[] {
  const numbers: Record<Service, readonly number[]> = {
    sentry: [50001],
    'sidecar-injector': [4000],
    operator: [6500],
    placement: [50005, 8201],
    scheduler: [50006, 2379, 2380],
    dashboard: [8080],
  };
  return numbers[service].map((containerPort) => ({ containerPort, protocol: 'TCP' }));
}

function environmentOf(service: Service): object[] {
  if (service === 'placement') return [fromField('PLACEMENT_ID', 'metadata.name')];
  if (service === 'scheduler') return [fromField('SCHEDULER_ID', 'metadata.name')];
  return [];
}

const anchorsFolder = '/var/run/secrets/dapr.io/tls';

function argumentsOf(service: Service, values: ChartValues): string[] {
  const { namespace, release, trustDomain, issuerFilenames } = values;
  const common = ['--log-level', 'info', '--enable-metrics', '--metrics-port', '9090'];
  const files = issuerFilenames
    ? [
        ...['--issuer-ca-filename', issuerFilenames.ca],
        ...['--issuer-certificate-filename', issuerFilenames.cert],
        ...['--issuer-key-filename', issuerFilenames.key],
      ]
    : [];
  if (service === 'dashboard') return [];
  if (service === 'sentry') {
    return [
      ...(release.hasConfigMap ? ['--mode', 'kubernetes'] : []),
      ...common,
      '--trust-domain',
      trustDomain,
      ...files,
    ];
  }
  if (!release.hasConfigMap) return [...common, ...(service === 'placement' ? ['--tls-enabled'] : []), ...files];
  if (service === 'sidecar-injector') return [...common, '--healthz-port', '8080'];
  if (service === 'operator') return [...common, '--trust-anchors-file', `${anchorsFolder}/ca.crt`];
  return [
    ...common,
    '--tls-enabled',
    `--trust-domain=${trustDomain}`,
    `--trust-anchors-file=${anchorsFolder}/ca.crt`,
    `--sentry-address=dapr-sentry.${namespace}.svc.cluster.local:443`,
    '--mode=kubernetes',
  ];
}

interface Mounted {
  readonly mounts: readonly object[];
  readonly volumes: readonly object[];
}

/** The Secret is mounted in Sentry, and up to 1.11 everywhere; the ConfigMap in the others. */
function credentialsOf(service: Service, values: ChartValues): Mounted {
  const { release, namespace, trustDomain } = values;
  if (service === 'dashboard') return { mounts: [], volumes: [] };
  if (service === 'sentry' || !release.hasConfigMap) {
    const folder = release.hasConfigMap ? '/var/run/secrets/dapr.io/credentials' : '/var/run/dapr/credentials';
    return {
      mounts: [{ mountPath: folder, name: 'credentials', readOnly: true }, ...dataMounts(service, values)],
      volumes: [{ name: 'credentials', secret: { secretName: 'dapr-trust-bundle' } }],
    };
  }
  const audience = `spiffe://${trustDomain}/ns/${namespace}/dapr-sentry`;
  const token = { serviceAccountToken: { audience, expirationSeconds: 600, path: 'token' } };
  return {
    mounts: [
      { mountPath: anchorsFolder, name: 'dapr-trust-bundle', readOnly: true },
      { mountPath: '/var/run/secrets/dapr.io/sentrytoken', name: 'dapr-identity-token' },
      ...dataMounts(service, values),
    ],
    volumes: [
      { name: 'dapr-trust-bundle', configMap: { name: 'dapr-trust-bundle' } },
      { name: 'dapr-identity-token', projected: { sources: [token] } },
    ],
  };
}

const claims: Partial<Record<Service, { name: string; mountPath: string; storage: string }>> = {
  placement: { name: 'raft-log', mountPath: '/var/run/dapr/raft-log', storage: '1Gi' },
  scheduler: { name: 'dapr-scheduler-data-dir', mountPath: '/var/run/data/dapr-scheduler/', storage: '16Gi' },
};

/** Placement keeps its log on disk only where it has several replicas. */
function claimOf(service: Service, { volumeClaims, ha }: ChartValues) {
  return volumeClaims && (ha || service === 'scheduler') ? claims[service] : undefined;
}

function dataMounts(service: Service, values: ChartValues): object[] {
  const claim = claimOf(service, values);
  return claim ? [{ mountPath: claim.mountPath, name: claim.name }] : [];
}

function claimsOf(service: Service, values: ChartValues): object {
  const claim = claimOf(service, values);
  if (!claim) return {};
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: claim.storage } } };
  return { volumeClaimTemplates: [{ metadata: { name: claim.name }, spec }] };
}
