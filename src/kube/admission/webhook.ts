import { type Looked, look } from '../dapr/control-plane.ts';
import type { Workload } from '../dapr/objects.ts';
import type { Cluster, KubeObject } from '../port.ts';
import { resources } from '../resources.ts';

/** Webhook configuration and Deployment bear one name (charts/dapr/charts/dapr_sidecar_injector). */
export const injectorName = 'dapr-sidecar-injector';

/** What stands between a new pod and its sidecar. */
export interface InjectorFacts {
  readonly webhook: Looked<Webhook>;
  /** Ready replicas of the injector; undefined where its Deployment may not be read. */
  readonly readyReplicas: number | undefined;
}

export interface Webhook {
  /** PEM; empty where the configuration holds none. */
  readonly caBundle: Buffer;
  /** Ignore: where the webhook does not answer, pods are made without a sidecar and nobody is told. */
  readonly failurePolicy: 'Ignore' | 'Fail';
  /** Whether it is asked about the pods of some namespaces, or about some pods, only. */
  readonly isSelective: boolean;
}

interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly {
    readonly clientConfig?: { readonly caBundle?: string };
    readonly failurePolicy?: 'Ignore' | 'Fail';
    readonly namespaceSelector?: object;
    readonly objectSelector?: object;
    readonly matchConditions?: readonly object[];
  }[];
}

interface InjectorDeployment extends Workload {
  readonly status?: Workload['status'] & { readonly readyReplicas?: number };
}

/** @throws DaprMtlsError as `Cluster.get` does, but for `cluster.forbidden` */
export async function readInjector(cluster: Cluster, namespace: string): Promise<InjectorFacts> {
  const [configuration, deployment] = await Promise.all([
    look<WebhookConfiguration>(cluster, { resource: resources.mutatingWebhooks, name: injectorName }),
    look<InjectorDeployment>(cluster, { resource: resources.deployments, namespace, name: injectorName }),
  ]);
  const webhook = configuration.object && toWebhook(configuration.object);
  return {
    webhook: {
      ...configuration,
      presence: configuration.object && !webhook ? 'absent' : configuration.presence,
      object: webhook,
    },
    readyReplicas: deployment.presence === 'unknown' ? undefined : (deployment.object?.status?.readyReplicas ?? 0),
  };
}

/** The injector writes the caBundle of the first webhook, and the chart makes one only. */
function toWebhook({ webhooks = [] }: WebhookConfiguration): Webhook | undefined {
  const [first] = webhooks;
  if (!first) return undefined;
  const isSet = (selector: object | undefined) => Object.keys(selector ?? {}).length > 0;
  return {
    caBundle: Buffer.from(first.clientConfig?.caBundle ?? '', 'base64'),
    failurePolicy: first.failurePolicy ?? 'Fail',
    isSelective: isSet(first.namespaceSelector) || isSet(first.objectSelector) || isSet(first.matchConditions),
  };
}
