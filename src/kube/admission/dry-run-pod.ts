import { DaprMtlsError } from '../../errors.ts';
import { factsOfPod, type PodObject } from '../pods/pod-facts.ts';
import { type Daprd, toSidecarPod } from '../pods/sidecar-pod.ts';
import type { Cluster } from '../port.ts';
import { resources } from '../resources.ts';

/**
 * What becomes of a pod that asks for a sidecar. made: it would be made, with the sidecar that it got,
 * if any. refused: the API server would not make it, or not for this user.
 */
export type Rehearsal =
  | { readonly kind: 'made'; readonly daprd: Daprd | undefined }
  | { readonly kind: 'refused'; readonly error: DaprMtlsError };

/**
 * Asks the API server to make a pod but not to keep it: admission is gone through as for a real one, and
 * Dapr's webhook has no side effects, so that it is asked, too.
 * @throws DaprMtlsError `cluster.*` where the API server gives no answer
 */
export async function rehearsePod(cluster: Cluster, namespace: string): Promise<Rehearsal> {
  try {
    const ref = { resource: resources.pods, namespace };
    const pod = await cluster.create<PodObject>(ref, podOf(namespace), { dryRun: true });
    return { kind: 'made', daprd: toSidecarPod(factsOfPod(pod))?.daprd };
  } catch (error) {
    if (!(error instanceof DaprMtlsError) || !isRefusal(error)) throw error;
    return { kind: 'refused', error };
  }
}

function isRefusal({ code }: DaprMtlsError): boolean {
  return code === 'cluster.forbidden' || code === 'cluster.rejected' || code === 'cluster.conflict';
}

const probeName = 'dapr-mtls-probe';

/** As modest as a pod can be, so that neither policies nor quotas have anything against it. */
function podOf(namespace: string) {
  const annotations = { 'dapr.io/enabled': 'true', 'dapr.io/app-id': probeName };
  const few = { cpu: '1m', memory: '1Mi' };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: probeName, namespace, annotations },
    spec: {
      containers: [
        {
          name: 'probe',
          image: 'registry.k8s.io/pause:3.10',
          resources: { requests: few, limits: few },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: 'RuntimeDefault' } },
    },
  };
}
