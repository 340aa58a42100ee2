import { DaprMtlsError } from '../../errors.ts';
import type { Cluster, KubeObject } from '../port.ts';
import { resources } from '../resources.ts';
import { defaultNamespace, sentryName } from './services.ts';

/**
 * The namespace of the control plane: as it is given, else dapr-system if Sentry is there, else the
 * only one in which Sentry is.
 * @throws DaprMtlsError `dapr.missing`, `dapr.ambiguous`; `cluster.forbidden` where this user may not look
 */
export async function findControlPlane(cluster: Cluster, namespace?: string): Promise<string> {
  if (namespace !== undefined) return namespace;
  const resource = resources.deployments;
  const usual = await cluster
    .get({ resource, namespace: defaultNamespace, name: sentryName })
    .catch((error) => throwWithNamespaceHint(error));
  return usual ? defaultNamespace : await searchControlPlane(cluster);
}

/**
 * The only namespace in which Sentry is.
 * @throws DaprMtlsError `dapr.missing`, `dapr.ambiguous`, `cluster.forbidden`
 */
export async function searchControlPlane(cluster: Cluster): Promise<string> {
  const namespaces = new Set<string>();
  try {
    const query = { labelSelector: `app=${sentryName}`, metadataOnly: true };
    for await (const { metadata } of cluster.list<KubeObject>(resources.deployments, query)) {
      if (metadata.namespace !== undefined) namespaces.add(metadata.namespace);
    }
  } catch (error) {
    throwWithNamespaceHint(error);
  }
  const [only, ...others] = [...namespaces].sort();
  if (only !== undefined && others.length === 0) return only;
  throw only === undefined ? noControlPlane() : severalControlPlanes([only, ...others]);
}

function noControlPlane(): DaprMtlsError {
  return new DaprMtlsError('dapr.missing', {
    message: `system configuration not found: no namespace has a Deployment ${sentryName}`,
    hint: 'Is Dapr initialized in your cluster? Name its namespace with -n, another cluster with --context, or install it: `dapr init -k`.',
  });
}

function severalControlPlanes(namespaces: readonly string[]): DaprMtlsError {
  return new DaprMtlsError('dapr.ambiguous', {
    message: `there are ${namespaces.length} control planes, in the namespaces ${namespaces.join(' and ')}`,
    hint: `Name the one that is meant: ${namespaces.map((namespace) => `-n ${namespace}`).join(' or ')}.`,
  });
}

/** Who may not look for Sentry can still name where it is. */
function throwWithNamespaceHint(error: unknown): never {
  if (!(error instanceof DaprMtlsError) || error.code !== 'cluster.forbidden') throw error;
  const { code, message, hint } = error;
  throw new DaprMtlsError(code, {
    message,
    hint: `Name the control plane's namespace with -n NAMESPACE. ${hint}`,
    cause: error,
  });
}
