import type { ResourceRule, RulesReview } from '../port.ts';
import { call, type Line } from './call.ts';
import { collectionPath } from './request.ts';

const rulesReviews = {
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'selfsubjectrulesreviews',
  kind: 'SelfSubjectRulesReview',
  namespaced: false,
} as const;

/** @throws DaprMtlsError `cluster.*` */
export async function reviewRules(line: Line, namespace: string): Promise<RulesReview> {
  const { status } = await call<{ status: { incomplete?: boolean; resourceRules?: readonly ResourceRule[] | null } }>(
    line,
    {
      verb: 'create',
      resource: rulesReviews,
      namespace: undefined,
      name: undefined,
      path: collectionPath(rulesReviews),
      contentType: 'application/json',
      body: JSON.stringify({
        apiVersion: `${rulesReviews.group}/${rulesReviews.version}`,
        kind: rulesReviews.kind,
        spec: { namespace },
      }),
      effect: 'none',
    },
  );
  return { incomplete: status.incomplete ?? false, rules: status.resourceRules ?? [] };
}
