import { DaprMtlsError } from '../../errors.ts';
import type { ResourceRule } from '../../kube/port.ts';
import { resources } from '../../kube/resources.ts';
import { type LeasePlace, leaseName, readLease } from './lease.ts';
import { isAllowed, type Right } from './preflight.ts';
import { readRecord, recordName } from './rotation-record.ts';

const { secrets, leases } = resources;

/** What a Role has to hold for the record and the lock of a rotation, and nothing beside. */
export const rotationRules: readonly ResourceRule[] = [
  { apiGroups: [secrets.group], resources: [secrets.plural], verbs: ['get', 'patch'], resourceNames: [recordName] },
  { apiGroups: [leases.group], resources: [leases.plural], verbs: ['get', 'patch'], resourceNames: [leaseName] },
  // RBAC knows no name at a create.
  { apiGroups: [secrets.group], resources: [secrets.plural], verbs: ['create'] },
  { apiGroups: [leases.group], resources: [leases.plural], verbs: ['create'] },
];

/**
 * That every write of the record and the lock is allowed, asked before the first one: half-way
 * through a rotation is no place to find out.
 * @throws DaprMtlsError `cluster.forbidden`
 */
export async function assertRotationAllowed(place: LeasePlace): Promise<void> {
  const review = await place.cluster.reviewRules(place.namespace);
  // An authorizer that cannot list its rules decides at each request.
  if (review.incomplete) return;
  const missing = (rights: readonly Right[]) => rights.filter((right) => !isAllowed(right, review));
  const always = missing(
    ['get', 'patch'].flatMap((verb) => [
      { verb, resource: secrets, name: recordName },
      { verb, resource: leases, name: leaseName },
    ]),
  );
  if (always.length > 0) throw forbidden(place, always);
  const [secret, lease] = await Promise.all([readRecord(place), readLease(place)]);
  const once = missing([
    ...(secret ? [] : [{ verb: 'create', resource: secrets }]),
    ...(lease ? [] : [{ verb: 'create', resource: leases }]),
  ]);
  if (once.length > 0) throw forbidden(place, once);
}

function forbidden({ namespace }: LeasePlace, missing: readonly Right[]): DaprMtlsError {
  const list = missing.map(({ verb, resource: { plural }, name }) => `${verb} ${plural}${name ? `/${name}` : ''}`);
  return new DaprMtlsError('cluster.forbidden', {
    message: `in namespace ${namespace} this user may not ${list.join(', ')}; nothing was written`,
    hint: `A Role that allows all that the record and the lock of a rotation need:\n${renderRole(namespace)}`,
  });
}

function renderRole(namespace: string): string {
  const rule = ({ apiGroups, resources: kinds, verbs, resourceNames = [] }: ResourceRule) =>
    `  - { apiGroups: ["${apiGroups.join()}"], resources: [${kinds.join(', ')}], verbs: [${verbs.join(', ')}]${
      resourceNames.length > 0 ? `, resourceNames: [${resourceNames.join(', ')}]` : ''
    } }`;
  return [
    'apiVersion: rbac.authorization.k8s.io/v1',
    'kind: Role',
    `metadata: { name: dapr-mtls-rotation, namespace: ${namespace} }`,
    'rules:',
    ...rotationRules.map(rule),
  ].join('\n');
}
