import { sentryName, systemConfigurationName, trustBundleName } from '../../kube/dapr/services.ts';
import type { Rule } from './grant.ts';

const readVerbs = ['get', 'list', 'watch'];

/** The Lease of the watchers (cli/watch): named here, because RBAC is about names. */
const watchLeaseName = 'dapr-mtls-watch';

/** Without the Secret: the anchors, and what tells where and how Sentry runs. */
export function publicRules(verbs: readonly string[]): Rule[] {
  return [
    { apiGroups: [''], resources: ['configmaps'], verbs, resourceNames: [trustBundleName] },
    { apiGroups: ['apps'], resources: ['deployments'], verbs, resourceNames: [sentryName] },
    { apiGroups: ['dapr.io'], resources: ['configurations'], verbs: ['get'], resourceNames: [systemConfigurationName] },
  ];
}

/** The Secret holds the key of the CA. A list by name gives no other. */
export function secretRule(verbs: readonly string[]): Rule {
  return { apiGroups: [''], resources: ['secrets'], verbs, resourceNames: [trustBundleName] };
}

/** In the control plane's namespace. RBAC knows no name at a create. */
export function watchRules({ readsSecret }: { readonly readsSecret: boolean }): Rule[] {
  return [
    ...publicRules(readVerbs),
    ...(readsSecret ? [secretRule(readVerbs)] : []),
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      verbs: ['get', 'patch'],
      resourceNames: [watchLeaseName],
    },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
    { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
  ];
}

/** In the whole cluster: what every sidecar was born with. */
export const sidecarRules = (verbs: readonly string[]): Rule[] => [{ apiGroups: [''], resources: ['pods'], verbs }];
