import type { IncomingMessage } from 'node:http';
import { findKind, type Kind } from './kinds.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** One request, as the server understood it. Tests find it in the log, and faults are chosen by it. */
export interface ApiRequest {
  readonly method: string;
  /** With the query, as it was sent. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly userAgent: string;
  readonly body: string;
  /** Undefined for a path that leads to no resource. */
  readonly target: Target | undefined;
  /** Who asked: a name, `system:anonymous`, or undefined for credentials that are not known. */
  readonly user: string | undefined;
}

export interface Target {
  readonly verb: Verb;
  readonly kind: Kind;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
}

const writingVerbs: readonly Verb[] = ['create', 'update', 'patch', 'delete', 'deletecollection'];

export function isWriting({ target }: ApiRequest): boolean {
  return target !== undefined && writingVerbs.includes(target.verb);
}

/** Whether a request is one of these, in a word: `patch secrets dapr-trust-bundle`, or `list pods`. */
export function matches(words: string): (request: ApiRequest) => boolean {
  const [verb, resource, name] = words.split(' ');
  return ({ target }) =>
    target !== undefined &&
    target.verb === verb &&
    (resource === undefined || resource === resourceName(target)) &&
    (name === undefined || name === target.name);
}

/** `pods`, `pods/log`: as rules name it. */
export function resourceName({ kind, subresource }: Pick<Target, 'kind' | 'subresource'>): string {
  return subresource === '' ? kind.plural : `${kind.plural}/${subresource}`;
}

/** k8s.io/apiserver/pkg/endpoints/request: the meaning of method and path. */
export function readTarget(method: string, url: URL): Target | undefined {
  const parts = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
  const isCore = parts[0] === 'api';
  if (!isCore && parts[0] !== 'apis') return undefined;
  const [group, version, ...rest] = isCore ? ['', ...parts.slice(1)] : parts.slice(1);
  const isInNamespace = rest[0] === 'namespaces' && rest.length > 2 && rest[2] !== 'status' && rest[2] !== 'finalize';
  const namespace = isInNamespace ? (rest[1] ?? '') : '';
  const [plural = '', name = '', subresource = '', ...beyond] = isInNamespace ? rest.slice(2) : rest;
  const kind = findKind(group ?? '', version ?? '', plural);
  if (!kind || beyond.length > 0 || (isInNamespace && !kind.namespaced)) return undefined;
  const selected = /(?:^|,)metadata\.name==?([^,]+)/.exec(url.searchParams.get('fieldSelector') ?? '')?.[1];
  const verb = verbOf(method, name, url.searchParams);
  if (!verb) return undefined;
  const named = name === '' && (verb === 'list' || verb === 'watch') ? (selected ?? '') : name;
  return { verb, kind, subresource, namespace: kind.kind === 'Namespace' ? '' : namespace, name: named };
}

function verbOf(method: string, name: string, query: URLSearchParams): Verb | undefined {
  const isWatch = ['true', '1'].includes(query.get('watch') ?? '');
  switch (method) {
    case 'GET':
      return isWatch ? 'watch' : name ? 'get' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return name ? 'delete' : 'deletecollection';
    default:
      return undefined;
  }
}
