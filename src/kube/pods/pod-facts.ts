import { findFlag } from '../dapr/container.ts';
import type { KubeObject } from '../port.ts';

/** What is read of every pod, however the server encodes it. */
export interface PodFacts {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly createdAt: Date | undefined;
  /** When the pod has to be gone; set once somebody deleted it. */
  readonly deletionTimestamp: Date | undefined;
  /** Those of `labelNames` that it has. */
  readonly labels: PodLabels;
  readonly owners: readonly PodOwner[];
  readonly node: string | undefined;
  readonly phase: string;
  /** Those that may be daprd, as the init containers. */
  readonly containers: readonly ContainerFacts[];
  readonly initContainers: readonly ContainerFacts[];
}

/** What is asked of labels: the injector's mark, the app id, and of which template the pod was made. */
export const labelNames = [
  'dapr.io/sidecar-injected',
  'dapr.io/app-id',
  'pod-template-hash',
  'rollouts-pod-template-hash',
] as const;
export type LabelName = (typeof labelNames)[number];
export type PodLabels = { readonly [Name in LabelName]?: string };

export interface PodOwner {
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller: boolean;
}

export interface ContainerFacts {
  readonly name: string;
  readonly image: string;
  /** As its arguments tell it; undefined where they do not. */
  readonly appId: string | undefined;
  /** Of `DAPR_TRUST_ANCHORS`; undefined where the container has no such variable. */
  readonly trustAnchors: TrustAnchorsVariable | undefined;
}

/** A reference (`valueFrom`) is resolved by the kubelet, and the pod does not tell to what. */
export type TrustAnchorsVariable =
  | { readonly source: 'value'; readonly pem: string }
  | { readonly source: 'reference' };

export const daprdName = 'daprd';
export const trustAnchorsName = 'DAPR_TRUST_ANCHORS';
export const appIdFlag = 'app-id';

/** The parts of a pod in JSON that are read here; the server leaves out what is empty. */
export interface PodObject extends KubeObject {
  readonly spec?: {
    readonly nodeName?: string;
    readonly containers?: readonly ContainerObject[];
    readonly initContainers?: readonly ContainerObject[];
  };
  readonly status?: { readonly phase?: string };
}

interface ContainerObject {
  readonly name: string;
  readonly image?: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
}

/** The facts of a pod in JSON. */
export function factsOfPod({ metadata, spec, status }: PodObject): PodFacts {
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    uid: metadata.uid ?? '',
    createdAt: instantOf(metadata.creationTimestamp),
    deletionTimestamp: instantOf(metadata.deletionTimestamp),
    labels: pickLabels(metadata.labels ?? {}),
    owners: (metadata.ownerReferences ?? []).map(({ kind, name, uid, controller }) => ({
      kind,
      name,
      uid,
      controller: controller ?? false,
    })),
    node: spec?.nodeName || undefined,
    phase: status?.phase ?? '',
    containers: (spec?.containers ?? []).map(factsOfContainer).filter(mayBeDaprd),
    initContainers: (spec?.initContainers ?? []).map(factsOfContainer).filter(mayBeDaprd),
  };
}

function pickLabels(labels: Readonly<Record<string, string>>): PodLabels {
  const picked: { -readonly [Name in LabelName]?: string } = {};
  for (const name of labelNames) {
    const label = labels[name];
    if (label !== undefined) picked[name] = label;
  }
  return picked;
}

/** By its name, or by the variable that daprd takes its anchors from. */
export function mayBeDaprd({ name, trustAnchors }: Pick<ContainerFacts, 'name' | 'trustAnchors'>): boolean {
  return name === daprdName || trustAnchors !== undefined;
}

function factsOfContainer({ name, image, args, env }: ContainerObject): ContainerFacts {
  // Where a name stands there twice, the process sees the last one.
  const variable = env?.findLast((entry) => entry.name === trustAnchorsName);
  return {
    name,
    image: image ?? '',
    appId: args && findFlag({ name, args }, appIdFlag),
    trustAnchors: variable && describeVariable(variable.value, variable.valueFrom !== undefined),
  };
}

export function describeVariable(value: string | undefined, isReference: boolean): TrustAnchorsVariable {
  return isReference ? { source: 'reference' } : { source: 'value', pem: value ?? '' };
}

function instantOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}
