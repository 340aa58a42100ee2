import type { KubeObject } from '../port.ts';

/** What the program reads of a Deployment or a StatefulSet. */
export interface Workload extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: { readonly metadata?: PodTemplateMeta; readonly spec?: PodSpec };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    /** Of a StatefulSet: the value of `controller-revision-hash` that its newest pods bear. */
    readonly updateRevision?: string;
  };
}

interface PodTemplateMeta {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface PodSpec {
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
}

export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
}

/** What the program reads of a pod of the control plane. */
export interface ControlPlanePod extends KubeObject {
  readonly spec?: PodSpec;
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export interface ContainerStatus {
  readonly name: string;
  readonly state?: {
    readonly waiting?: { readonly reason?: string };
    readonly running?: object;
    readonly terminated?: object;
  };
}

/** dapr.io/v1alpha1. An old one, written by hand, may lack `spec.mtls` and anything in it. */
export interface Configuration extends KubeObject {
  readonly spec?: { readonly mtls?: Readonly<Record<string, unknown>> };
}
