import type { Labels, ManifestObject, Place } from './object.ts';

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

const rbac = 'rbac.authorization.k8s.io';

/** The role and its binding to the account. */
export function grant(
  kind: 'Role' | 'ClusterRole',
  place: { readonly name: string; readonly namespace?: string },
  rules: readonly Rule[],
  { account, labels }: { readonly account: Place; readonly labels: Labels },
): ManifestObject[] {
  const metadata = { ...place, labels };
  return [
    { apiVersion: `${rbac}/v1`, kind, metadata, rules },
    {
      apiVersion: `${rbac}/v1`,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: rbac, kind, name: place.name },
      subjects: [{ kind: 'ServiceAccount', name: account.name, namespace: account.namespace }],
    },
  ];
}

/** What lives in no namespace shares its names with every other control plane of the cluster. */
export function nameInCluster({ namespace, name }: Place): string {
  return `${namespace}:${name}`;
}

/** Its token is mounted only where a pod asks for it: whoever else takes the account gets none. */
export function makeAccount(account: Place, labels: Labels): ManifestObject {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { ...account, labels },
    automountServiceAccountToken: false,
  };
}
