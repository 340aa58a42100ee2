import type { Kind } from './kinds.ts';
import { isObject, isSame, type JsonObject, type StoredObject } from './object.ts';
import type { FieldError } from './status.ts';

const maxDataBytes = 1024 * 1024;
const dataKey = /^[-._a-zA-Z0-9]{1,253}$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** What keeps an object from being read at all: Go's decoder, before any validation. */
export function findUnreadable(kind: Kind, object: JsonObject): string | undefined {
  if (kind.kind === 'Lease') return findUnreadableTime(object);
  if (kind.kind !== 'Secret' && kind.kind !== 'ConfigMap') return undefined;
  for (const value of Object.values((object.data ?? {}) as JsonObject)) {
    if (value === null) continue;
    if (typeof value !== 'string')
      return `json: cannot unmarshal ${typeof value} into Go struct field ${kind.kind}.data`;
    const offset = kind.kind === 'Secret' ? findIllegalBase64(value) : undefined;
    if (offset !== undefined) return `illegal base64 data at input byte ${offset}`;
  }
  return undefined;
}

const microTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/;

/** A MicroTime has six digits behind the point, no more and no fewer. */
function findUnreadableTime({ spec }: JsonObject): string | undefined {
  const { acquireTime, renewTime } = isObject(spec) ? spec : {};
  const bad = [acquireTime, renewTime].find((time) => typeof time === 'string' && !microTime.test(time));
  if (bad === undefined) return undefined;
  return `parsing time ${JSON.stringify(bad)} as "2006-01-02T15:04:05.000000Z07:00": cannot parse`;
}

/** Where Go's StdEncoding stops: it wants padding, and skips line ends. */
function findIllegalBase64(text: string): number | undefined {
  const wellFormed = text.replace(/[\r\n]/g, '');
  if (/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(wellFormed)) return undefined;
  const offset = text.search(/[^A-Za-z0-9+/\r\n]/);
  return offset < 0 ? text.length - (wellFormed.length % 4) : offset;
}

export function validate(kind: Kind, object: JsonObject, previous: StoredObject | undefined): FieldError[] {
  return [
    ...validateName(object),
    ...(previous ? validateIdentity(object, previous) : []),
    ...(kind.kind === 'Secret' || kind.kind === 'ConfigMap' ? validateData(kind, object, previous) : []),
    ...(kind.kind === 'Lease' ? validateLease(object) : []),
  ];
}

function validateName(object: JsonObject): FieldError[] {
  const { name } = object.metadata as { name?: string };
  if (!name) return [{ field: 'metadata.name', type: 'required', detail: 'name or generateName is required' }];
  if (name.length <= 253 && subdomain.test(name)) return [];
  const detail =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
  return [{ field: 'metadata.name', type: 'invalid', value: name, detail }];
}

/** Said twice: the registry looks, and the kind's own validation looks again. */
function validateIdentity(object: JsonObject, previous: StoredObject): FieldError[] {
  const { uid } = object.metadata as { uid?: string };
  if (!uid || uid === previous.metadata.uid) return [];
  const error: FieldError = { field: 'metadata.uid', type: 'invalid', value: uid, detail: 'field is immutable' };
  return [error, error];
}

/** pkg/apis/coordination/validation of Kubernetes, as far as strategies are not in use. */
function validateLease({ spec }: JsonObject): FieldError[] {
  const { leaseDurationSeconds, leaseTransitions } = (isObject(spec) ? spec : {}) as Record<string, number | undefined>;
  const errors: FieldError[] = [];
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0) {
    const field = 'spec.leaseDurationSeconds';
    errors.push({ field, type: 'invalid', value: leaseDurationSeconds, detail: 'must be greater than 0' });
  }
  if (leaseTransitions !== undefined && leaseTransitions < 0) {
    const field = 'spec.leaseTransitions';
    errors.push({ field, type: 'invalid', value: leaseTransitions, detail: 'must be greater than or equal to 0' });
  }
  return errors;
}

function validateData(kind: Kind, object: JsonObject, previous: StoredObject | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const data = isObject(object.data) ? (object.data as Record<string, string>) : {};
  for (const key of Object.keys(data)) {
    const detail =
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
    if (!dataKey.test(key)) errors.push({ field: `data[${key}]`, type: 'invalid', value: key, detail });
  }
  if (dataBytes(kind, object) > maxDataBytes) {
    const field = kind.kind === 'Secret' ? 'data' : '[]';
    errors.push({ field, type: 'tooLong', detail: `may not be more than ${maxDataBytes} bytes` });
  }
  if (kind.kind === 'Secret' && previous && object.type !== previous.type) {
    errors.push({ field: 'type', type: 'invalid', value: String(object.type), detail: 'field is immutable' });
  }
  if (previous?.immutable === true) {
    const detail = 'field is immutable when `immutable` is set';
    if (object.immutable !== true) errors.push({ field: 'immutable', type: 'forbidden', detail });
    for (const field of kind.kind === 'Secret' ? ['data'] : ['data', 'binaryData']) {
      if (!isSame(object[field] ?? {}, previous[field] ?? {})) errors.push({ field, type: 'forbidden', detail });
    }
  }
  return errors;
}

function dataBytes(kind: Kind, object: JsonObject): number {
  const bytesOf = (field: unknown, encoding: BufferEncoding) =>
    Object.values(isObject(field) ? field : {}).reduce<number>(
      (sum, value) => sum + Buffer.byteLength(String(value), encoding),
      0,
    );
  return kind.kind === 'Secret'
    ? bytesOf(object.data, 'base64')
    : bytesOf(object.data, 'utf8') + bytesOf(object.binaryData, 'base64');
}
