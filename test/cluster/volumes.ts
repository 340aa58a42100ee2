import type { Admin, KubeJson } from './admin.ts';
import { waitUntil } from './wait.ts';

/**
 * A volume for each claim of the StatefulSets, which nothing here makes on demand; and the claims, bound before there
 * is a pod. A pod whose claim is being bound in the moment in which the scheduler looks at it may lie for five minutes:
 * the scheduler (1.34) tries it again before it has seen the claim itself, and then forgets it.
 */
export async function bindVolumes(admin: Admin, workloads: readonly KubeJson[]): Promise<void> {
  const claims = workloads.flatMap(claimsOf);
  await admin.apply([...claims.map(volumeFor), ...claims]);
  await waitUntil('the volumes are bound', async () => {
    const seen = await Promise.all(
      claims.map(({ metadata: { namespace, name } }) =>
        admin.request('GET', `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}`),
      ),
    );
    return seen.every(({ body }) => body.status?.phase === 'Bound');
  });
}

/** As the StatefulSet would make them. */
function claimsOf({ metadata: { namespace, name }, spec }: KubeJson): KubeJson[] {
  const templates = (spec.volumeClaimTemplates ?? []) as readonly KubeJson[];
  return templates.flatMap((template) =>
    Array.from({ length: spec.replicas as number }, (_, index) => ({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { namespace, name: `${template.metadata.name}-${name}-${index}` },
      spec: template.spec,
    })),
  );
}

function volumeFor({ metadata: { namespace, name }, spec }: KubeJson): KubeJson {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `${namespace}-${name}` },
    spec: {
      accessModes: spec.accessModes,
      capacity: spec.resources.requests,
      hostPath: { path: '/nowhere' },
      claimRef: { namespace, name },
    },
  };
}
