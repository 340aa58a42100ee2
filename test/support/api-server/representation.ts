import { apiVersionOf, type Kind } from './kinds.ts';
import type { StoredObject } from './object.ts';
import { refuse } from './status.ts';

/** What of an object goes into an answer, and in which encoding. */
export interface Representation {
  readonly encoding: 'json' | 'protobuf';
  readonly metadataOnly: boolean;
}

const mediaTypes = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';

/**
 * The first clause of an Accept header that can be served. Protobuf: whole lists of pods, which is
 * what a client gains by; any other kind is answered in JSON where the header allows it.
 * @throws Refusal 406
 */
export function negotiate(accept: string | undefined, kind: Kind, isList: boolean): Representation {
  const clauses = (accept ?? '*/*').split(',').map((clause) => clause.split(';').map((part) => part.trim()));
  for (const [type = '', ...parameters] of clauses) {
    const as = parameters.find((parameter) => parameter.startsWith('as='))?.slice(3);
    const metadataOnly = as === (isList ? 'PartialObjectMetadataList' : 'PartialObjectMetadata');
    if (as !== undefined && !metadataOnly) continue;
    if (['application/json', 'application/*', '*/*', ''].includes(type)) return { encoding: 'json', metadataOnly };
    const isPodList = kind.kind === 'Pod' && isList && !metadataOnly;
    if (type === 'application/vnd.kubernetes.protobuf' && isPodList) return { encoding: 'protobuf', metadataOnly };
  }
  throw refuse(406, 'NotAcceptable', `406: Not Acceptable\n\nAvailable representations: ${mediaTypes}`, {});
}

export function represent(object: StoredObject, { metadataOnly }: Representation): object {
  if (!metadataOnly) return object;
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

/** The items of a list of a built-in kind do not say what they are: the list does. */
export function representItem(object: StoredObject, kind: Kind, representation: Representation): object {
  if (representation.metadataOnly || kind.isCustom) return represent(object, representation);
  const { apiVersion: _apiVersion, kind: _kind, ...item } = object;
  return item;
}

export function listHead(kind: Kind, { metadataOnly }: Representation): { kind: string; apiVersion: string } {
  return metadataOnly
    ? { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' }
    : { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind) };
}
