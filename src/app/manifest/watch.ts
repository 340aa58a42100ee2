import { grant, makeAccount, nameInCluster } from './grant.ts';
import { type Labels, labelsOfInstance, type ManifestObject, type Place } from './object.ts';
import { makeContainer, makePodSpec, withoutSidecar } from './pod.ts';
import { makeServiceMonitor } from './service-monitor.ts';
import { sidecarRules, watchRules } from './watch-rights.ts';

/** What the watcher is to be. */
export interface WatchManifestWish {
  /** An image with `dapr-mtls` on its PATH. */
  readonly image: string;
  /** Of the control plane. */
  readonly namespace: string;
  /** Of every object. */
  readonly name: string;
  readonly replicas: number;
  /** Further words for `watch`. */
  readonly words: readonly string[];
  readonly readsSecret: boolean;
  /** Whether it counts the sidecars of the cluster, which takes the right to read all pods. */
  readonly readsSidecars: boolean;
  /** For the operator of Prometheus; undefined: none. */
  readonly serviceMonitor: { readonly labels: Labels } | undefined;
  /** For a Prometheus that looks for pods by their annotations. */
  readonly hasScrapeAnnotations: boolean;
}

export const metricsPort = { name: 'metrics', number: 8080 };
const metricsPath = '/metrics';

/** The labels by which Deployment, Service and NetworkPolicy know the watcher's pods. */
export function watchLabels(name: string): Labels {
  return labelsOfInstance('watch', name);
}

/** Pure: a watcher inside the cluster, and the least that it has to be allowed. */
export function makeWatchManifest(wish: WatchManifestWish): ManifestObject[] {
  const { namespace, name } = wish;
  const own = { name, namespace };
  const labels = watchLabels(name);
  const to = { account: own, labels };
  return [
    makeAccount(own, labels),
    ...grant('Role', own, watchRules(wish), to),
    ...(wish.readsSidecars
      ? grant('ClusterRole', { name: nameInCluster(own) }, sidecarRules(['list', 'watch']), to)
      : []),
    makeDeployment(wish, labels),
    makeService(own, labels),
    ...(wish.serviceMonitor === undefined
      ? []
      : [makeServiceMonitor(own, { selected: labels, more: wish.serviceMonitor.labels, path: metricsPath })]),
  ];
}

function makeDeployment(wish: WatchManifestWish, labels: Labels): ManifestObject {
  const { namespace, name, replicas, hasScrapeAnnotations } = wish;
  const scraped = {
    'prometheus.io/scrape': 'true',
    'prometheus.io/port': String(metricsPort.number),
    'prometheus.io/path': metricsPath,
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      // There is always one that looks, and on a small cluster never more than one too many.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: {
        metadata: { labels, annotations: { ...withoutSidecar, ...(hasScrapeAnnotations ? scraped : {}) } },
        spec: {
          ...makePodSpec({ account: name, restartPolicy: 'Always', containers: [makeWatcher(wish)] }),
          automountServiceAccountToken: true,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 10,
          // Apart where that can be, so that a node or a zone may go; a cluster of one node has to do, too.
          topologySpreadConstraints: ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
            maxSkew: 1,
            topologyKey,
            whenUnsatisfiable: 'ScheduleAnyway',
            labelSelector: { matchLabels: labels },
          })),
        },
      },
    },
  };
}

function makeWatcher({ image, namespace, words, readsSecret, readsSidecars }: WatchManifestWish): object {
  const args = [
    'mtls',
    'watch',
    '-k',
    '--namespace',
    namespace,
    // Also of a single replica: while it is replaced there are two.
    '--leader-elect',
    '--events',
    '--listen',
    `:${metricsPort.number}`,
    '--log-as-json',
    ...(readsSecret ? ['--read-secret'] : []),
    ...(readsSidecars ? [] : ['--no-sidecars']),
    ...words,
  ];
  const ask = (path: string) => ({ httpGet: { path, port: metricsPort.name }, timeoutSeconds: 5 });
  return {
    ...makeContainer({
      name: 'watch',
      image,
      args,
      // Idle it takes less than 70 MB with 10,000 pods; the limit leaves room for reading them all at once.
      resources: { requests: { cpu: '20m', memory: '96Mi' }, limits: { memory: '256Mi' } },
    }),
    ports: [{ name: metricsPort.name, containerPort: metricsPort.number, protocol: 'TCP' }],
    livenessProbe: { ...ask('/healthz'), initialDelaySeconds: 10, periodSeconds: 20, failureThreshold: 3 },
    readinessProbe: { ...ask('/readyz'), periodSeconds: 10, failureThreshold: 3 },
  };
}

function makeService(own: Place, labels: Labels): ManifestObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...own, labels },
    spec: {
      selector: labels,
      ports: [{ name: metricsPort.name, port: metricsPort.number, targetPort: metricsPort.name, protocol: 'TCP' }],
    },
  };
}
