import { apiVersionOf, type Kind } from './kinds.ts';
import { mergePatch, strategicMergePatch } from './merge.ts';
import { isObject, type JsonObject } from './object.ts';
import type { ApiRequest } from './request.ts';
import { badRequest, invalid, refuse } from './status.ts';
import { findUnreadable } from './validate.ts';

/** @throws Refusal 422 for anything but `All` */
export function readDryRun({ query, method }: Pick<ApiRequest, 'query' | 'method'>): boolean {
  const asked = query.getAll('dryRun');
  if (asked.every((value) => value === 'All')) return asked.length > 0;
  const error = { field: 'dryRun', type: 'unsupported', value: asked, detail: 'supported values: "All"' } as const;
  throw invalid({ kind: optionKinds[method] ?? 'CreateOptions', group: 'meta.k8s.io' }, '', [error]);
}

const optionKinds: Readonly<Record<string, string>> = {
  PATCH: 'PatchOptions',
  PUT: 'UpdateOptions',
  DELETE: 'DeleteOptions',
};

export interface GivenObject extends JsonObject {
  readonly metadata: { readonly [field: string]: string | undefined };
}

/** @throws Refusal 400 for what is no object of this kind */
export function readObject(kind: Kind, body: string): GivenObject {
  const object = parseJson(body);
  if (!isObject(object)) throw badRequest('the object provided is unrecognized (must be of type JSON)');
  const { kind: name = kind.kind, apiVersion = apiVersionOf(kind) } = object;
  if (name !== kind.kind || apiVersion !== apiVersionOf(kind)) {
    throw badRequest(
      `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: no kind "${name}" is registered for version "${apiVersion}"`,
    );
  }
  return { ...object, metadata: isObject(object.metadata) ? object.metadata : {} } as GivenObject;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest("the object provided is unrecognized (must be of type JSON): couldn't get version/kind");
  }
}

/** @throws Refusal 400 */
export function assertReadable(kind: Kind, object: JsonObject): void {
  const why = findUnreadable(kind, object);
  if (!why) return;
  throw badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${why}`);
}

/** As the real server, which says in the 422 all that the object would be: its private key, too. */
export function assertReadableInPatch(kind: Kind, patched: JsonObject): void {
  const why = findUnreadable(kind, patched);
  if (!why) return;
  throw invalid({}, '', [{ field: 'patch', type: 'invalid', value: JSON.stringify(patched), detail: why }]);
}

/** @throws Refusal 415 */
export function readPatchType(kind: Kind, contentType = ''): (target: unknown, patch: unknown) => unknown {
  if (contentType === 'application/merge-patch+json') return mergePatch;
  if (contentType === 'application/strategic-merge-patch+json' && !kind.isCustom) return strategicMergePatch;
  throw refuse(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
}
