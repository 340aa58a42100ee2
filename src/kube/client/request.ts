import type { ObjectRef, Resource } from '../port.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'patch' | 'delete';

/** One request, in the words of Kubernetes (for errors and rights) and in those of HTTP. */
export interface ApiRequest {
  readonly verb: Verb;
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly path: string;
  readonly accept?: string;
  /** Who asks for it unpacks the body himself. */
  readonly acceptEncoding?: 'gzip';
  /** The answer may be 100 MB; packed or not, as it comes sooner. */
  readonly isLong?: boolean;
  readonly contentType?: string;
  /** JSON. */
  readonly body?: string;
  readonly effect: Effect;
}

/**
 * What a request does when it is carried out: nothing (reads and dry runs); a change that its
 * preconditions let happen once at most; or a change that would happen again with each try.
 */
export type Effect = 'none' | 'once' | 'each-time';

export const methods: Readonly<Record<Verb, string>> = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  patch: 'PATCH',
  delete: 'DELETE',
};

/** `/apis/apps/v1/namespaces/dapr-system/deployments` */
export function collectionPath({ group, version, plural, namespaced }: Resource, namespace?: string): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const scope = namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${plural}`;
}

export function objectPath({ resource, namespace, name }: ObjectRef): string {
  return `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;
}

/** Parameters that are undefined are left out. */
export function withQuery(path: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const set = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return set.length > 0 ? `${path}?${set.join('&')}` : path;
}

/** `secrets "dapr-trust-bundle" in namespace "dapr-system"` */
export function describeTarget({ resource, namespace, name }: ApiRequest): string {
  const scope = !resource.namespaced
    ? ''
    : namespace === undefined
      ? ' in all namespaces'
      : ` in namespace "${namespace}"`;
  const group = resource.group ? `${resource.plural}.${resource.group}` : resource.plural;
  return `${group}${name === undefined ? '' : ` "${name}"`}${scope}`;
}
