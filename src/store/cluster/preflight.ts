import { DaprMtlsError } from '../../errors.ts';
import type { Resource, ResourceRule, RulesReview } from '../../kube/port.ts';
import { resources } from '../../kube/resources.ts';
import { keeperName } from './keeper.ts';
import { anchorsOf, type BundleObjects, bundleName, type ClusterPlace, filesOf, type SecretObject } from './objects.ts';

/** One right; without a name it cannot be had for one object alone (RBAC knows no name at a create). */
export interface Right {
  readonly verb: string;
  readonly resource: Resource;
  readonly name?: string;
}

const { secrets, configMaps } = resources;

function rightsFor({ hasConfigMap }: ClusterPlace, keeper: SecretObject | undefined): Right[] {
  const onConfigMap: Right[] = [
    { verb: 'get', resource: configMaps, name: bundleName },
    { verb: 'delete', resource: configMaps, name: bundleName },
    { verb: 'patch', resource: configMaps, name: bundleName },
    { verb: 'create', resource: configMaps },
  ];
  return [
    { verb: 'get', resource: secrets, name: bundleName },
    { verb: 'patch', resource: secrets, name: bundleName },
    { verb: 'get', resource: secrets, name: keeperName },
    { verb: 'patch', resource: secrets, name: keeperName },
    ...(keeper ? [] : [{ verb: 'create', resource: secrets }]),
    ...(hasConfigMap ? onConfigMap : []),
  ];
}

/**
 * That every write of a change is allowed, asked before the first one.
 * @throws DaprMtlsError `cluster.forbidden`
 */
export async function assertAllowed(place: ClusterPlace, keeper: SecretObject | undefined): Promise<void> {
  const review = await place.cluster.reviewRules(place.namespace);
  const missing = rightsFor(place, keeper).filter((right) => !isAllowed(right, review));
  // An authorizer that cannot list its rules decides at the rehearsal of the writes.
  if (missing.length === 0 || review.incomplete) return;
  const list = missing.map(({ verb, resource: { plural }, name }) => `${verb} ${plural}${name ? `/${name}` : ''}`);
  throw new DaprMtlsError('cluster.forbidden', {
    message: `in namespace ${place.namespace} this user may not ${list.join(', ')}; nothing was written`,
    hint: `A Role that allows all that a change needs:\n${renderRole(place)}`,
  });
}

export function isAllowed({ verb, resource, name }: Right, { rules }: RulesReview): boolean {
  const covers = (allowed: readonly string[], wanted: string) => allowed.includes('*') || allowed.includes(wanted);
  const names = ({ resourceNames = [] }: ResourceRule) =>
    resourceNames.length === 0 || (name !== undefined && resourceNames.includes(name));
  return rules.some(
    (rule) =>
      covers(rule.verbs, verb) &&
      covers(rule.apiGroups, resource.group) &&
      covers(rule.resources, resource.plural) &&
      names(rule),
  );
}

function renderRole({ namespace, hasConfigMap }: ClusterPlace): string {
  const rule = (kind: string, verbs: string, names: readonly string[]) =>
    `  - { apiGroups: [""], resources: [${kind}], verbs: [${verbs}]${names.length > 0 ? `, resourceNames: [${names.join(', ')}]` : ''} }`;
  return [
    'apiVersion: rbac.authorization.k8s.io/v1',
    'kind: Role',
    `metadata: { name: dapr-mtls, namespace: ${namespace} }`,
    'rules:',
    rule('secrets', 'get, patch', [bundleName, keeperName]),
    ...(hasConfigMap ? [rule('configmaps', 'get, patch, delete', [bundleName])] : []),
    rule(hasConfigMap ? 'secrets, configmaps' : 'secrets', 'create', []),
  ].join('\n');
}

/** What a Secret may hold (ValidateSecret in Kubernetes' pkg/apis/core/validation). */
const secretLimit = 1024 * 1024;
/** A bundle with two bridges stays below this. */
const bundleRoom = 64 * 1024;

/**
 * That the objects can be changed at all, told before anything is generated.
 * @throws DaprMtlsError `store.layout`
 */
export function assertChangeable({ secret, configMap }: BundleObjects, { namespace }: ClusterPlace): void {
  const immutable = secret?.immutable ? 'Secret' : configMap?.immutable ? 'ConfigMap' : undefined;
  if (immutable) {
    throw new DaprMtlsError('store.layout', {
      message: `the ${immutable} ${namespace}/${bundleName} is immutable, so neither this program nor Sentry can change it`,
      hint: 'It has to be deleted and made anew without `immutable`, by whoever made it so.',
    });
  }
  const size = Object.values(secret?.data ?? {}).reduce((sum, value) => sum + (value.length * 3) / 4, 0);
  if (size <= secretLimit - bundleRoom) return;
  throw new DaprMtlsError('store.layout', {
    message: `the Secret ${namespace}/${bundleName} holds ${Math.round(size / 1024)} KiB and has no room for another bundle (limit 1024)`,
    hint: 'Take out of it what Dapr did not put there.',
  });
}

/**
 * A change builds on a bundle that everybody sees alike.
 * @throws DaprMtlsError `store.mismatch`
 */
export function assertUnited(
  { secret, configMap }: BundleObjects,
  { namespace, names, hasConfigMap }: ClusterPlace,
): void {
  const { anchors } = filesOf(secret, names);
  if (!hasConfigMap || !anchors) return;
  const others = anchorsOf(configMap, names);
  if (others && anchors.equals(others)) return;
  const state = configMap ? `holds ${others ? 'another' : 'no'} ${names.anchors}` : 'is missing';
  throw new DaprMtlsError('store.mismatch', {
    message: `the ConfigMap ${namespace}/${bundleName} ${state}, so the bundle is not whole; nothing was written`,
    hint: 'Restart nothing. Make both one bundle first: `dapr-mtls repair -k --from secret` (or --from configmap, --from backup).',
  });
}
