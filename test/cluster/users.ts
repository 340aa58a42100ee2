import { join } from 'node:path';
import type { Admin } from './admin.ts';
import type { Authority } from './authority.ts';
import { type Credentials, writeKubeconfig } from './kubeconfig.ts';
import { waitUntil } from './wait.ts';

/** What a user may do: in one namespace, or everywhere. Nothing else is allowed. */
export interface Grant {
  readonly namespace?: string;
  /** Of the core group unless told. */
  readonly apiGroups?: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

export interface UserOptions {
  /** `token` is a service account's, in the namespace `default`. */
  readonly credentials?: 'certificate' | 'token';
}

interface Realm {
  readonly admin: Admin;
  readonly authority: Authority;
  readonly server: string;
  readonly folder: string;
}

/** Makes a user with exactly these rights, waits until they hold, and returns the path of a kubeconfig. */
export async function addUser(
  { admin, authority, server, folder }: Realm,
  name: string,
  grants: readonly Grant[],
  { credentials = 'certificate' }: UserOptions = {},
): Promise<string> {
  const isToken = credentials === 'token';
  const account = { name, namespace: 'default' };
  const user = isToken ? `system:serviceaccount:default:${name}` : name;
  const subject = isToken ? { kind: 'ServiceAccount', ...account } : { kind: 'User', name, apiGroup: rbac };
  if (isToken) await admin.apply([{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: account }]);
  await admin.apply(grants.flatMap((grant, index) => bind(`${name}-${index}`, subject, grant)));
  for (const grant of grants) await waitForGrant(admin, user, grant);

  const file = join(folder, `${name}.kubeconfig`);
  const shown: Credentials = isToken
    ? { token: (await admin.kubectl(['create', 'token', name, '-n', 'default'])).trim() }
    : authority.issueClient(name);
  writeKubeconfig(file, { server, caCertificate: authority.certificate, user: name, credentials: shown });
  return file;
}

const rbac = 'rbac.authorization.k8s.io';

function bind(name: string, subject: object, { namespace, apiGroups = [''], ...rule }: Grant): object[] {
  const apiVersion = `${rbac}/v1`;
  const metadata = namespace === undefined ? { name } : { name, namespace };
  const kind = namespace === undefined ? 'ClusterRole' : 'Role';
  return [
    { apiVersion, kind, metadata, rules: [{ apiGroups, ...rule }] },
    {
      apiVersion,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: rbac, kind, name },
      subjects: [subject],
    },
  ];
}

/** The API server reads roles from a cache that follows its own writes. */
async function waitForGrant(admin: Admin, user: string, grant: Grant): Promise<void> {
  const [resource = '', subresource] = grant.resources.at(-1)?.split('/') ?? [];
  const [group = ''] = grant.apiGroups ?? [''];
  const resourceAttributes = {
    verb: grant.verbs.at(-1),
    group,
    resource,
    subresource,
    namespace: grant.namespace,
    name: grant.resourceNames?.at(-1),
  };
  await waitUntil(`rights of ${user}`, async () => {
    const { body } = await admin.request('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user, resourceAttributes },
    });
    return body.status?.allowed === true;
  });
}
