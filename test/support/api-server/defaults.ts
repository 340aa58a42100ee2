import { randomInt } from 'node:crypto';
import { apiVersionOf, type Kind } from './kinds.ts';
import { mergePatch } from './merge.ts';
import { isObject, type JsonObject } from './object.ts';
import { namespaceOf } from './store.ts';

/** A new object, or a new state of one, with what the server fills in where a client could notice. */
export function defaultFields(kind: Kind, given: JsonObject, namespace: string): JsonObject {
  const { metadata, stringData, status, ...fields } = given;
  const object = {
    kind: kind.kind,
    apiVersion: apiVersionOf(kind),
    metadata: defaultMetadata(kind, isObject(metadata) ? metadata : {}, namespace),
    ...fields,
    ...(kind.hasStatus || status === undefined ? {} : { status }),
  };
  switch (kind.kind) {
    case 'Secret':
      return { ...object, ...encodeStringData(fields.data, stringData), type: fields.type ?? 'Opaque' };
    case 'Namespace':
      return mergePatch(namespaceOf(String(object.metadata.name)), object) as JsonObject;
    case 'Deployment':
    case 'StatefulSet':
      return { ...object, spec: { replicas: 1, ...(isObject(fields.spec) ? fields.spec : {}) }, status: {} };
    case 'Pod':
      return { ...object, status: { phase: 'Pending' } };
    default:
      return object;
  }
}

function defaultMetadata(kind: Kind, metadata: JsonObject, namespace: string): JsonObject {
  const name = metadata.name ?? generateName(metadata.generateName);
  return { ...metadata, name, ...(kind.namespaced ? { namespace } : {}) };
}

const suffixLetters = 'bcdfghjklmnpqrstvwxz2456789';

function generateName(base: unknown): string | undefined {
  if (typeof base !== 'string' || base === '') return undefined;
  return base + Array.from({ length: 5 }, () => suffixLetters[randomInt(suffixLetters.length)]).join('');
}

function encodeStringData(data: unknown, stringData: unknown): { data?: JsonObject } {
  if (!isObject(stringData)) return {};
  const encoded = Object.entries(stringData).map(([key, value]) => [
    key,
    Buffer.from(String(value)).toString('base64'),
  ]);
  return { data: { ...(isObject(data) ? data : {}), ...Object.fromEntries(encoded) } };
}
