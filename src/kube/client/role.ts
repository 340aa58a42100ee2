import type { ApiRequest } from './request.ts';

/**
 * The Role, or the ClusterRole where the request spans the cluster, with exactly the rule that was
 * missing, and its binding. A create is not limited to a name: RBAC does not know it yet.
 */
export function allowingRole({ verb, resource, namespace, name }: ApiRequest, user: string | undefined): string {
  const isClusterWide = !resource.namespaced || namespace === undefined;
  const [role, binding] = isClusterWide ? ['ClusterRole', 'ClusterRoleBinding'] : ['Role', 'RoleBinding'];
  const named = name === undefined || verb === 'create' ? [] : [name];
  // By all that it allows: applied after another one, it must not take that one's place.
  const title = ['dapr-mtls', verb, resource.plural, ...named].join('-');
  const metadata = ['metadata:', `  name: ${title}`, ...(isClusterWide ? [] : [`  namespace: ${namespace}`])];
  return [
    'apiVersion: rbac.authorization.k8s.io/v1',
    `kind: ${role}`,
    ...metadata,
    'rules:',
    `- apiGroups: ["${resource.group}"]`,
    `  resources: ["${resource.plural}"]`,
    ...named.map((one) => `  resourceNames: ["${one}"]`),
    `  verbs: ["${verb}"]`,
    '---',
    'apiVersion: rbac.authorization.k8s.io/v1',
    `kind: ${binding}`,
    ...metadata,
    'roleRef:',
    '  apiGroup: rbac.authorization.k8s.io',
    `  kind: ${role}`,
    `  name: ${title}`,
    'subjects:',
    ...subject(user),
  ].join('\n');
}

function subject(user = 'YOUR-USER'): string[] {
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user);
  if (account) return ['- kind: ServiceAccount', `  namespace: ${account[1]}`, `  name: ${account[2]}`];
  return ['- kind: User', '  apiGroup: rbac.authorization.k8s.io', `  name: ${JSON.stringify(user)}`];
}
