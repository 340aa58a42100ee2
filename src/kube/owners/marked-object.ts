import type { KubeObject, ManagedFields } from '../port.ts';
import { digestData } from './digest.ts';
import type { BundleKind, DataDigests, Declaration } from './facts.ts';
import { fieldsOf } from './helm-record.ts';

/** Secret or ConfigMap as read. */
export interface BundleObject extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** One of the two objects, as those who look for marks see it. */
export interface MarkedObject {
  readonly kind: BundleKind;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly owners: readonly { readonly kind: string; readonly name: string; readonly apiVersion: string }[];
  readonly writers: readonly Writer[];
  /** What `kubectl apply` (also Argo CD's) was last given; undefined where it was not used. */
  readonly lastApplied: DataDigests | undefined;
}

/** A field manager, and the keys of the data that are its own now: who writes a key takes it over. */
export interface Writer {
  readonly manager: string;
  readonly isApply: boolean;
  readonly keys: readonly string[];
}

/** The manager that our own requests name. */
const ourManager = 'dapr-mtls';

export function describeMarks(kind: BundleKind, { metadata }: BundleObject): MarkedObject {
  return {
    kind,
    name: metadata.name,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    owners: (metadata.ownerReferences ?? []).filter(({ controller }) => controller === true),
    writers: (metadata.managedFields ?? []).map(describeWriter),
    lastApplied: readLastApplied(kind, metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration']),
  };
}

function describeWriter({ manager = '', operation, fieldsV1 }: ManagedFields): Writer {
  const { 'f:data': data, 'f:stringData': texts } = fieldsOf(fieldsV1);
  const keys = [...Object.keys(fieldsOf(data)), ...Object.keys(fieldsOf(texts))];
  return {
    manager,
    isApply: operation === 'Apply',
    keys: keys.flatMap((key) => (key.startsWith('f:') ? key.slice(2) : [])),
  };
}

/** It holds the data in clear, the issuer key too: only digests leave here. */
function readLastApplied(kind: BundleKind, text: string | undefined): DataDigests | undefined {
  if (text === undefined) return undefined;
  try {
    return digestData(kind, fieldsOf(JSON.parse(text)).data as Record<string, unknown> | undefined);
  } catch {
    return undefined;
  }
}

/**
 * What the managers of an owner say of the data. Whoever writes a key takes it from its former
 * owner without a trace, so that where we have written none of theirs is left to be seen.
 */
export function declarationOf({ writers }: MarkedObject, isOwners: (writer: Writer) => boolean): Declaration {
  const keys = [...new Set(writers.filter(isOwners).flatMap((writer) => writer.keys))];
  if (keys.length > 0) return { kind: 'keys', keys };
  const isCovered = writers.length === 0 || writers.some(({ manager, keys }) => isOurs(manager) && keys.length > 0);
  return { kind: isCovered ? 'unknown' : 'nothing' };
}

export function declarationOfValues(data: DataDigests): Declaration {
  return Object.keys(data).length > 0 ? { kind: 'values', data } : { kind: 'nothing' };
}

export function isOurs(manager: string): boolean {
  return manager === ourManager;
}
