import type { TrustAnchorsVariable } from '../../src/kube/pods/pod-facts.ts';
import type { SidecarPod } from '../../src/kube/pods/sidecar-pod.ts';

/** A running pod of the Deployment shop/checkout, born with these anchors; `undefined` is no variable. */
export function sidecarPod(
  anchors: Buffer | string | TrustAnchorsVariable | undefined,
  wishes: Partial<SidecarPod> = {},
): SidecarPod {
  const isText = typeof anchors === 'string' || Buffer.isBuffer(anchors);
  const trustAnchors = isText ? { source: 'value' as const, pem: anchors.toString() } : anchors;
  return {
    namespace: 'shop',
    name: 'checkout-6d8c4db785-2v46w',
    uid: '6fa0bef3-3fcd-444b-9cb2-1b5ad28309e8',
    createdAt: new Date('2026-11-22T01:05:23Z'),
    deletionTimestamp: undefined,
    phase: 'Running',
    node: 'node-2',
    owner: { kind: 'ReplicaSet', name: 'checkout-6d8c4db785', uid: 'u', controller: true },
    workload: { kind: 'Deployment', name: 'checkout' },
    appId: 'checkout',
    injected: true,
    daprd: {
      container: 'daprd',
      native: false,
      image: 'ghcr.io/dapr/daprd:1.17.13',
      version: '1.17.13',
      trustAnchors,
    },
    ...wishes,
  };
}
