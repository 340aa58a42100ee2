import type { Resource } from '../../../src/kube/port.ts';
import { resources } from '../../../src/kube/resources.ts';

/** A resource, and what sets it apart in the server's own rules. */
export interface Kind extends Resource {
  /** Written through `/status` alone; the object's own path leaves it as it is. */
  readonly hasStatus: boolean;
  /** `metadata.generation` counts the changes of everything but metadata and status. */
  readonly hasGeneration: boolean;
  /** Of a CustomResourceDefinition: JSON only, no strategic merge, no unconditional PUT. */
  readonly isCustom: boolean;
}

const statusKinds = new Set([
  'Namespace',
  'Pod',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'Job',
  'Node',
]);
const plainKinds = new Set([
  'Secret',
  'ConfigMap',
  'Event',
  'Lease',
  'ServiceAccount',
  'Namespace',
  'Node',
  'Service',
  'Role',
]);
const customGroups = new Set(['dapr.io', 'argoproj.io']);

const kind = (resource: Resource): Kind => ({
  ...resource,
  hasStatus: statusKinds.has(resource.kind),
  hasGeneration: !plainKinds.has(resource.kind),
  isCustom: customGroups.has(resource.group),
});

const more = (group: string, version: string, plural: string, name: string, namespaced = true): Resource => ({
  group,
  version,
  plural,
  kind: name,
  namespaced,
});

/** Everything that the server serves. */
export const kinds: readonly Kind[] = [
  ...Object.values(resources),
  more('', 'v1', 'nodes', 'Node', false),
  more('', 'v1', 'services', 'Service'),
  more('', 'v1', 'serviceaccounts', 'ServiceAccount'),
  more('batch', 'v1', 'jobs', 'Job'),
  more('rbac.authorization.k8s.io', 'v1', 'roles', 'Role'),
  more('dapr.io', 'v1alpha1', 'components', 'Component'),
  more('argoproj.io', 'v1alpha1', 'rollouts', 'Rollout'),
]
  .filter(
    (one, index, all) => all.findIndex(({ group, plural }) => group === one.group && plural === one.plural) === index,
  )
  .map(kind);

export function findKind(group: string, version: string, plural: string): Kind | undefined {
  return kinds.find((one) => one.group === group && one.version === version && one.plural === plural);
}

/** The kind that an object says it is of. @throws Error for one that is not served */
export function kindOf(object: { readonly apiVersion?: string; readonly kind?: string }): Kind {
  const found = kinds.find((one) => apiVersionOf(one) === object.apiVersion && one.kind === object.kind);
  if (!found) throw new Error(`no kind ${object.apiVersion} ${object.kind} is served here`);
  return found;
}

export function apiVersionOf({ group, version }: Resource): string {
  return group === '' ? version : `${group}/${version}`;
}

/** `secrets`, `deployments.apps`: how messages name a resource. */
export function qualifiedName({ group, plural }: Pick<Resource, 'group' | 'plural'>): string {
  return group === '' ? plural : `${plural}.${group}`;
}
