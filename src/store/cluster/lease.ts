import type { KubeObject, ObjectRef } from '../../kube/port.ts';
import { resources } from '../../kube/resources.ts';
import type { RotationHolder } from '../rotation-port.ts';
import { isConflict } from './conflict.ts';
import { type ClusterPlace, preconditionsOf } from './objects.ts';
import { mayHaveHappened } from './unknown-outcome.ts';

/** coordination.k8s.io/v1; times are MicroTimes of whoever wrote them. */
export interface LeaseObject extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    /** How often the holder has changed. */
    readonly leaseTransitions?: number;
  };
}

/** A run that wants the lease, or has it. */
export interface LeaseRun {
  readonly id: string;
  readonly holder: string;
  readonly purpose: string;
  /** How long it may stand still without counting as dead. */
  readonly leaseMs: number;
}

export interface LeasePlace extends Pick<ClusterPlace, 'cluster' | 'namespace'> {
  /** That of the lock on the rotation where it is left out. */
  readonly leaseName?: string;
}

export const leaseName = 'dapr-mtls';

const purposeAnnotation = 'dapr-mtls/purpose';
/** Two containers may have the same host name and the same process number. */
const runAnnotation = 'dapr-mtls/run';

export function leaseRef({ namespace, leaseName: name = leaseName }: Omit<LeasePlace, 'cluster'>): ObjectRef {
  return { resource: resources.leases, namespace, name };
}

export function readLease(place: LeasePlace): Promise<LeaseObject | undefined> {
  return place.cluster.get<LeaseObject>(leaseRef(place));
}

/** Undefined where it is free. */
export function holderOf({ metadata, spec = {} }: LeaseObject): RotationHolder | undefined {
  const { holderIdentity, acquireTime, renewTime } = spec;
  if (!holderIdentity) return undefined;
  return {
    name: holderIdentity,
    purpose: metadata.annotations?.[purposeAnnotation] ?? 'another program',
    since: new Date(acquireTime ?? metadata.creationTimestamp ?? Number.NaN),
    seenAt: renewTime === undefined ? undefined : new Date(renewTime),
  };
}

export function isHeldBy({ metadata, spec }: LeaseObject, { id }: LeaseRun): boolean {
  return Boolean(spec?.holderIdentity) && metadata.annotations?.[runAnnotation] === id;
}

/** Its holder's word counts, which may be of another version of this program. */
export function durationMs({ spec }: LeaseObject, { leaseMs }: LeaseRun): number {
  return spec?.leaseDurationSeconds ? spec.leaseDurationSeconds * 1000 : leaseMs;
}

/**
 * Makes the lease this run's, on exactly the state that was read.
 * @param lease undefined where there is none yet
 * @returns undefined where somebody else was faster
 */
export async function takeLease(
  place: LeasePlace,
  lease: LeaseObject | undefined,
  run: LeaseRun,
  now: Date,
): Promise<LeaseObject | undefined> {
  const annotations = { [purposeAnnotation]: run.purpose, [runAnnotation]: run.id };
  const spec = {
    holderIdentity: run.holder,
    leaseDurationSeconds: Math.ceil(run.leaseMs / 1000),
    acquireTime: microTime(now),
    renewTime: microTime(now),
    leaseTransitions: lease ? (lease.spec?.leaseTransitions ?? 0) + 1 : 0,
  };
  try {
    if (lease) return await patchLease(place, lease, { annotations, spec });
    return await place.cluster.create<LeaseObject>(leaseRef(place), {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name: leaseRef(place).name,
        namespace: place.namespace,
        labels: { 'app.kubernetes.io/managed-by': 'dapr-mtls' },
        annotations,
      },
      spec,
    });
  } catch (error) {
    if (!isConflict(error) && !mayHaveHappened(error)) throw error;
    const found = await readLease(place);
    if (found && isHeldBy(found, run)) return found;
    if (isConflict(error)) return undefined;
    throw error;
  }
}

/**
 * A sign of life of its holder, who is named again: of two writes in the same millisecond, one of
 * which went unanswered, the own one must be known.
 * @throws DaprMtlsError `cluster.conflict` where it is not as it was read
 */
export function renewLease(
  place: LeasePlace,
  lease: LeaseObject,
  { id, holder }: LeaseRun,
  now: Date,
): Promise<LeaseObject> {
  const spec = { holderIdentity: holder, renewTime: microTime(now) };
  return patchLease(place, lease, { annotations: { [runAnnotation]: id }, spec });
}

/** @throws DaprMtlsError `cluster.conflict` where it is not as it was read */
export function freeLease(place: LeasePlace, lease: LeaseObject, now: Date): Promise<LeaseObject> {
  return patchLease(place, lease, {
    annotations: { [purposeAnnotation]: null, [runAnnotation]: null },
    spec: { holderIdentity: null, renewTime: microTime(now) },
  });
}

interface LeaseChange {
  readonly annotations: Readonly<Record<string, string | null>>;
  readonly spec: Readonly<Record<string, string | number | null>>;
}

function patchLease(place: LeasePlace, lease: LeaseObject, { annotations, spec }: LeaseChange): Promise<LeaseObject> {
  const { uid, resourceVersion } = preconditionsOf(lease);
  return place.cluster.patch<LeaseObject>(leaseRef(place), { metadata: { uid, resourceVersion, annotations }, spec });
}

/** Kubernetes' MicroTime wants six digits behind the point. */
function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}
