import { isAllowed, listRules, type UserRules } from './access.ts';
import { isObject, type JsonObject } from './object.ts';
import type { Verb } from './request.ts';

const group = '/apis/authorization.k8s.io/v1';

/** Answers a user's question about its own rights; undefined for a path that is none. */
export function review(path: string, body: JsonObject, rules: UserRules): object | undefined {
  const spec = isObject(body.spec) ? body.spec : {};
  const head = (kind: string) => ({ kind, apiVersion: 'authorization.k8s.io/v1', metadata: {} });
  if (path === `${group}/selfsubjectrulesreviews`) {
    const { resourceRules, incomplete } = listRules(rules, String(spec.namespace ?? ''));
    return { ...head('SelfSubjectRulesReview'), spec: {}, status: { resourceRules, nonResourceRules: [], incomplete } };
  }
  if (path === `${group}/selfsubjectaccessreviews`) {
    const asked = (isObject(spec.resourceAttributes) ? spec.resourceAttributes : {}) as Record<
      string,
      string | undefined
    >;
    const allowed = isAllowed(rules, {
      verb: asked.verb as Verb,
      kind: { group: asked.group ?? '', plural: asked.resource ?? '' },
      subresource: asked.subresource ?? '',
      namespace: asked.namespace ?? '',
      name: asked.name ?? '',
    });
    return { ...head('SelfSubjectAccessReview'), spec, status: { allowed } };
  }
  return undefined;
}
