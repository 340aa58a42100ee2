import type { ResourceRule } from '../../../src/kube/port.ts';
import { type Kind, kinds, qualifiedName } from './kinds.ts';
import { resourceName, type Target, type Verb } from './request.ts';
import { detailsOf, type Refusal, refuse } from './status.ts';

/** A rule of a Role, where it names a namespace, or of a ClusterRole. */
export interface Grant extends ResourceRule {
  readonly namespace?: string;
}

/** What is refused although a grant allows it. */
export interface Denial {
  readonly verb: Verb;
  /** The plural, or `pods/log`. */
  readonly resource: string;
  readonly name?: string;
}

export interface UserRules {
  readonly allow: 'all' | readonly Grant[];
  readonly deny?: readonly Denial[];
}

export const anonymous = 'system:anonymous';

/** The part of a request that authorization looks at. */
export type Attempt = Pick<Target, 'verb' | 'subresource' | 'namespace' | 'name'> & {
  readonly kind: Pick<Kind, 'group' | 'plural'>;
};

export function isAllowed(rules: UserRules | undefined, attempt: Attempt): boolean {
  if (!rules) return false;
  const resource = attempt.subresource === '' ? attempt.kind.plural : `${attempt.kind.plural}/${attempt.subresource}`;
  const isDenied = rules.deny?.some(
    (denial) =>
      denial.verb === attempt.verb &&
      denial.resource === resource &&
      (denial.name === undefined || denial.name === attempt.name),
  );
  if (isDenied) return false;
  return rules.allow === 'all' || rules.allow.some((grant) => grants(grant, attempt, resource));
}

function grants(grant: Grant, { verb, kind, subresource, namespace, name }: Attempt, resource: string): boolean {
  const has = (list: readonly string[], ...wanted: readonly string[]) =>
    list.includes('*') || wanted.some((one) => list.includes(one));
  return (
    (grant.namespace === undefined || grant.namespace === namespace) &&
    has(grant.verbs, verb) &&
    has(grant.apiGroups, kind.group) &&
    has(grant.resources, resource, ...(subresource ? [`*/${subresource}`] : [])) &&
    (!grant.resourceNames?.length || grant.resourceNames.includes(name))
  );
}

/** 403 in the words of k8s.io/apiserver's `responsewriters.Forbidden`. */
export function forbidden(user: string, target: Target): Refusal {
  const { kind, namespace, name, verb } = target;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  const what = name === '' ? qualifiedName(kind) : `${qualifiedName(kind)} ${JSON.stringify(name)}`;
  const resource = JSON.stringify(resourceName(target));
  return refuse(
    403,
    'Forbidden',
    `${what} is forbidden: User ${JSON.stringify(user)} cannot ${verb} resource ${resource} in API group ${JSON.stringify(kind.group)} ${where}`,
    detailsOf(kind, name),
  );
}

const allVerbs: readonly Verb[] = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];

/**
 * The rules as a SelfSubjectRulesReview lists them. Roles know no denial: where there are some, the
 * rules are those that are left. One that names an object cannot be said, and makes the review incomplete.
 */
export function listRules(
  rules: UserRules,
  namespace: string,
): { resourceRules: readonly ResourceRule[]; incomplete: boolean } {
  const { allow, deny = [] } = rules;
  const incomplete = deny.some(({ name }) => name !== undefined);
  if (deny.length === 0) {
    const everything = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }];
    const inNamespace =
      allow === 'all' ? everything : allow.filter((grant) => (grant.namespace ?? namespace) === namespace);
    return { resourceRules: inNamespace.map(withoutNamespace), incomplete };
  }
  const grants: readonly Grant[] =
    allow === 'all'
      ? kinds.map(({ group, plural }) => ({ verbs: allVerbs, apiGroups: [group], resources: [plural] }))
      : allow;
  const left = grants
    .filter((grant) => (grant.namespace ?? namespace) === namespace)
    .flatMap((grant) => grant.resources.map((resource) => ({ ...withoutNamespace(grant), resources: [resource] })))
    .map((rule) => ({
      ...rule,
      verbs: spell(rule.verbs).filter((verb) => !isDeniedWholly(deny, verb, rule.resources)),
    }));
  return { resourceRules: left.filter(({ verbs }) => verbs.length > 0), incomplete };
}

function spell(verbs: readonly string[]): readonly string[] {
  return verbs.includes('*') ? allVerbs : verbs;
}

function isDeniedWholly(deny: readonly Denial[], verb: string, resources: readonly string[]): boolean {
  return deny.some((one) => one.verb === verb && one.name === undefined && resources.includes(one.resource));
}

function withoutNamespace({ namespace: _namespace, ...rule }: Grant): ResourceRule {
  return rule;
}
