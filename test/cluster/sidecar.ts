import type { Release } from '../support/dapr/release.ts';
import type { KubeJson } from './admin.ts';

export interface SidecarOptions {
  readonly release: Release;
  readonly registry: string;
  /** Where the control plane runs. */
  readonly namespace: string;
  readonly trustDomain: string;
  /** As an init container that always restarts, which newer injectors can be told to make of it. */
  readonly isNative: boolean;
}

/** PEM, as the control plane holds it. */
export interface SidecarTrust {
  readonly anchors: string;
  readonly issuerChain: string;
  readonly issuerKey: string;
}

/** One operation of RFC 6902. */
interface JsonPatch {
  readonly op: 'add';
  readonly path: string;
  readonly value: unknown;
}

const truths = new Set(['1', 't', 'true', 'y', 'yes', 'on']);

/** Does the pod ask for a sidecar that it does not have yet? */
export function wantsSidecar(pod: KubeJson): boolean {
  const enabled = String(pod.metadata?.annotations?.['dapr.io/enabled'] ?? '').toLowerCase();
  const containers: KubeJson[] = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  return truths.has(enabled) && !containers.some(({ name }) => name === 'daprd');
}

/**
 * What Dapr's injector does to a pod, as far as a pod's object shows it: the container with the
 * anchors in its environment, the token's volume, the ports for the application, the labels.
 */
export function injectSidecar(pod: KubeJson, trust: SidecarTrust, options: SidecarOptions): readonly JsonPatch[] {
  const appId = pod.metadata?.annotations?.['dapr.io/app-id'] ?? pod.metadata?.name ?? pod.metadata?.generateName;
  const apps = ((pod.spec?.containers ?? []) as KubeJson[]).map(addPorts);
  const inits = (pod.spec?.initContainers ?? []) as KubeJson[];
  const sidecar = makeSidecar(pod, String(appId), trust, options);
  const labels = {
    ...pod.metadata?.labels,
    'dapr.io/app-id': appId,
    'dapr.io/metrics-enabled': 'true',
    ...(options.release.labelsSidecars ? { 'dapr.io/sidecar-injected': 'true' } : {}),
  };
  return [
    { op: 'add', path: '/metadata/labels', value: labels },
    { op: 'add', path: '/spec/volumes', value: [...(pod.spec?.volumes ?? []), tokenVolume(options)] },
    { op: 'add', path: '/spec/containers', value: options.isNative ? apps : [...apps, sidecar] },
    ...(options.isNative
      ? [
          {
            op: 'add' as const,
            path: '/spec/initContainers',
            value: [{ ...sidecar, restartPolicy: 'Always' }, ...inits],
          },
        ]
      : []),
  ];
}

function addPorts(container: KubeJson): KubeJson {
  const ports = [
    { name: 'DAPR_HTTP_PORT', value: '3500' },
    { name: 'DAPR_GRPC_PORT', value: '50001' },
  ];
  return { ...container, env: [...(container.env ?? []), ...ports] };
}

function makeSidecar(pod: KubeJson, appId: string, trust: SidecarTrust, options: SidecarOptions): KubeJson {
  const { namespace, trustDomain } = options;
  const address = (service: string, port: number) => `${service}.${namespace}.svc.cluster.local:${port}`;
  return {
    name: 'daprd',
    image: `${options.registry}/daprd:${options.release.tag}`,
    imagePullPolicy: 'IfNotPresent',
    args: [
      '/daprd',
      ...['--dapr-http-port', '3500', '--dapr-grpc-port', '50001', '--dapr-internal-grpc-port', '50002'],
      ...['--dapr-listen-addresses', '[::1],127.0.0.1', '--dapr-public-port', '3501'],
      ...['--app-id', appId, '--app-protocol', 'http', '--log-level', 'info', '--mode', 'kubernetes'],
      ...['--control-plane-address', address('dapr-api', 443), '--sentry-address', address('dapr-sentry', 443)],
      ...['--enable-metrics', '--metrics-port', '9090'],
      ...['--placement-host-address', address('dapr-placement-server', 50005), '--enable-mtls'],
    ],
    env: [
      { name: 'NAMESPACE', value: pod.metadata?.namespace ?? 'default' },
      { name: 'DAPR_TRUST_ANCHORS', value: trust.anchors },
      ...(options.release.givesCertificates
        ? [
            { name: 'DAPR_CERT_CHAIN', value: trust.issuerChain },
            { name: 'DAPR_CERT_KEY', value: trust.issuerKey },
          ]
        : []),
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'DAPR_CONTROLPLANE_NAMESPACE', value: namespace },
      { name: 'DAPR_CONTROLPLANE_TRUST_DOMAIN', value: trustDomain },
    ],
    ports: [
      { name: 'dapr-http', containerPort: 3500 },
      { name: 'dapr-grpc', containerPort: 50001 },
      { name: 'dapr-internal', containerPort: 50002 },
      { name: 'dapr-metrics', containerPort: 9090 },
    ],
    livenessProbe: { tcpSocket: { port: 3501 }, initialDelaySeconds: 3, periodSeconds: 6, timeoutSeconds: 3 },
    readinessProbe: {
      httpGet: { path: '/v1.0/healthz', port: 3501 },
      initialDelaySeconds: 3,
      periodSeconds: 6,
      timeoutSeconds: 3,
    },
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: false, runAsNonRoot: true },
    volumeMounts: [{ name: tokenVolumeName, mountPath: '/var/run/secrets/dapr.io/sentrytoken', readOnly: true }],
  };
}

const tokenVolumeName = 'dapr-identity-token';

function tokenVolume({ namespace, trustDomain }: SidecarOptions): object {
  const audience = `spiffe://${trustDomain}/ns/${namespace}/dapr-sentry`;
  return {
    name: tokenVolumeName,
    projected: {
      defaultMode: 420,
      sources: [{ serviceAccountToken: { audience, expirationSeconds: 7200, path: 'token' } }],
    },
  };
}
