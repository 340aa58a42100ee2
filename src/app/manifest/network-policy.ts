import { sentryName } from '../../kube/dapr/services.ts';
import { cronJobComponent } from './cron-job.ts';
import { type Labels, labelsOf, labelsOfInstance, type ManifestObject, programSelector } from './object.ts';
import { metricsPort, watchLabels } from './watch.ts';

/** Whose pods the policy is about. */
export const policySubjects = ['watch', 'cronjob', 'sentry'] as const;
export type PolicySubject = (typeof policySubjects)[number];

/** What the policy is to be. */
export interface NetworkPolicyWish {
  readonly subject: PolicySubject;
  /** Of the control plane. */
  readonly namespace: string;
  /** Of the watcher; for the others only of the policy. */
  readonly name: string;
  /** Where those live who read the figures; undefined: nobody outside may. */
  readonly metricsFrom: string | undefined;
  /** Where the API server is, as CIDR; none: anywhere. */
  readonly apiServers: readonly string[];
}

/** Where Sentry's pods listen; its Service has 443 for it. */
const sentryPort = 50_001;

/** Pure: what may be reached, and by whom. */
export function makeNetworkPolicy(wish: NetworkPolicyWish): ManifestObject[] {
  const { subject, namespace, name } = wish;
  const policyName = subject === 'watch' ? name : `${name}-${subject}`;
  return [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: policyName, namespace, labels: labelsOfInstance(subject, name) },
      spec: specs[subject](wish),
    },
  ];
}

const specs: Record<PolicySubject, (wish: NetworkPolicyWish) => object> = {
  watch: ({ name, metricsFrom, ...wish }) => ({
    podSelector: { matchLabels: watchLabels(name) },
    policyTypes: ['Ingress', 'Egress'],
    ingress: metricsFrom === undefined ? [] : [allowMetrics(metricsFrom)],
    egress: allowEgress(wish),
  }),
  cronjob: (wish) => ({
    podSelector: { matchLabels: labelsOf(cronJobComponent) },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [],
    egress: allowEgress(wish),
  }),
  sentry: () => ({
    podSelector: { matchLabels: sentryLabels },
    policyTypes: ['Ingress'],
    ingress: [{ from: [{ podSelector: programSelector }], ports: [tcp(sentryPort)] }],
  }),
};

const sentryLabels: Labels = { app: sentryName };
const tcp = (port: number) => ({ protocol: 'TCP', port });

function allowMetrics(namespace: string): object {
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
  return { from: [{ namespaceSelector }], ports: [tcp(metricsPort.number)] };
}

function allowEgress({ apiServers }: Pick<NetworkPolicyWish, 'apiServers'>): object[] {
  return [
    // Anywhere: a DNS cache on the node has the address of the node.
    { ports: [{ protocol: 'UDP', port: 53 }, tcp(53)] },
    {
      // It is no pod, so that no selector names it: the Service's port, and the one that is behind it.
      ...(apiServers.length === 0 ? {} : { to: apiServers.map((cidr) => ({ ipBlock: { cidr } })) }),
      ports: [tcp(443), tcp(6443)],
    },
    { to: [{ podSelector: { matchLabels: sentryLabels } }], ports: [tcp(sentryPort)] },
  ];
}
