import { DaprMtlsError } from '../../errors.ts';
import type { Cluster, KubeObject, Resource } from '../port.ts';

const selfSubjectReviews: Resource = {
  group: 'authentication.k8s.io',
  version: 'v1',
  plural: 'selfsubjectreviews',
  kind: 'SelfSubjectReview',
  namespaced: false,
};

interface SelfSubjectReview extends KubeObject {
  readonly status?: { readonly userInfo?: { readonly username?: string; readonly groups?: readonly string[] } };
}

/** Who the API server takes us for. */
export interface Caller {
  readonly name: string;
  readonly groups: readonly string[];
}

/** Undefined where the server does not tell (before Kubernetes 1.28, or forbidden). */
export async function readCaller(cluster: Cluster): Promise<Caller | undefined> {
  const { group, version, kind } = selfSubjectReviews;
  const review = { apiVersion: `${group}/${version}`, kind, metadata: {} };
  try {
    const { status } = await cluster.create<SelfSubjectReview>({ resource: selfSubjectReviews }, review);
    return { name: status?.userInfo?.username ?? '', groups: status?.userInfo?.groups ?? [] };
  } catch (error) {
    if (error instanceof DaprMtlsError) return undefined;
    throw error;
  }
}

/**
 * Whose pods Dapr's injector gives a sidecar without being told of them: the controllers' and this
 * group's (`isAuthorizedUser` in pkg/injector/service). Those of anybody else it lets pass as they are.
 */
export const injectedGroup = 'system:masters';

/** The headers by which one acts as the controller that makes the pods of Deployments. */
export const asController = {
  'Impersonate-User': 'system:serviceaccount:kube-system:replicaset-controller',
  'Impersonate-Group': ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
} as const;
