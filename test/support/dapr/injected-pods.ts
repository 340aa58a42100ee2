import type { ManagedFields } from '../../../src/kube/port.ts';
import { injectSidecar, wantsSidecar } from '../../cluster/sidecar.ts';
import type { Admit } from '../api-server/write.ts';
import { type Manifest, uidOf } from './manifest.ts';
import { releaseOf } from './release.ts';
import { makePod, replicaSetOf, rollOut } from './rollout.ts';

/** What stands above a pod. `Rollout`: Argo's, whose pods are a ReplicaSet's as a Deployment's are. */
export type OwnerKind = 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Job' | 'Rollout' | 'none';

export interface InjectedOptions {
  /** What the pods were born with, PEM. */
  readonly anchors: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly replicas?: number;
  readonly ownerKind?: OwnerKind;
  /** Of Dapr: up to 1.10 no label tells that a pod was injected. */
  readonly version?: string;
  readonly phase?: 'Running' | 'Succeeded' | 'Failed';
  readonly isTerminating?: boolean;
  /** The sidecar as an init container that always restarts. */
  readonly isNative?: boolean;
  /** Who wrote which field: two fifths of a real pod. */
  readonly managedFields?: boolean;
}

const start = '2026-11-22T01:05:23Z';

/** A workload whose pods have sidecars: its owners, from the top, and the pods. */
export function injectedWorkload(options: InjectedOptions): Manifest[] {
  const { ownerKind = 'Deployment', namespace = 'shop', name = 'checkout', replicas = 1 } = options;
  const application = applicationOf(name, namespace, replicas, ownerKind);
  const born = inject(application.spec.template, options, namespace);
  if (ownerKind === 'Deployment' || ownerKind === 'StatefulSet') {
    return rollOut([application]).map((object) => (object.kind === 'Pod' ? dress(object, born, options) : object));
  }
  const owner = ownerKind === 'Rollout' ? replicaSetOf(application, replicas) : application;
  const pods = Array.from({ length: replicas }, (_, index) => {
    const pod = makePod({
      name:
        ownerKind === 'none'
          ? `${name}-${index}`
          : `${owner.metadata.name}-${uidOf('Pod', name, `${index}`).slice(0, 5)}`,
      owner,
      template: application.spec.template,
      isReady: true,
      at: start,
      waitingReason: '',
    });
    return dress(pod, born, options);
  });
  return [...new Set([application, owner])].filter(() => ownerKind !== 'none').concat(pods);
}

export interface ManyOptions
  extends Omit<InjectedOptions, 'anchors' | 'name' | 'namespace' | 'replicas' | 'ownerKind'> {
  readonly count: number;
  /** Of one workload. */
  readonly replicas?: number;
  /** One text, or several in turn, by workload. */
  readonly anchors: string | readonly string[];
  /** Several in turn, by workload. */
  readonly namespaces?: readonly string[];
  readonly ownerKinds?: readonly OwnerKind[];
}

/** Pods with sidecars, as many as asked for. What they have in common is held once. */
export function injectedPods({
  count,
  anchors,
  namespaces = ['shop'],
  ownerKinds = ['Deployment'],
  replicas = 20,
  ...rest
}: ManyOptions): Manifest[] {
  const texts = [anchors].flat();
  const inTurn = <T>(list: readonly T[], index: number) => list[index % list.length] as T;
  return Array.from({ length: Math.ceil(count / replicas) }, (_, index) =>
    injectedWorkload({
      ...rest,
      name: `app-${index}`,
      namespace: inTurn(namespaces, index),
      anchors: inTurn(texts, index),
      ownerKind: inTurn(ownerKinds, index),
      replicas,
    }),
  )
    .flatMap((objects) => objects.filter(({ kind }) => kind === 'Pod'))
    .slice(0, count);
}

/** Dapr's injector, for the tests' API server: gives a new pod the anchors of the moment. */
export function injectorOf(anchors: () => string, version = '1.17.13'): Admit {
  return (object, { kind, namespace }) => {
    const pod = object as unknown as Manifest;
    if (kind.kind !== 'Pod' || !wantsSidecar(pod as never)) return object;
    return inject(pod, { anchors: anchors(), version }, namespace) as never;
  };
}

// biome-ignore lint/suspicious/noExplicitAny: a PodTemplateSpec, or a pod
type Template = any;

function inject(
  template: Template,
  { anchors, version = '1.17.13', isNative = false }: InjectedOptions,
  namespace: string,
): Template {
  const release = releaseOf(version);
  const trust = { anchors, issuerChain: '', issuerKey: '' };
  const options = {
    release,
    registry: release.registry,
    namespace: 'dapr-system',
    trustDomain: 'cluster.local',
    isNative,
  };
  const pod = { ...template, metadata: { ...template.metadata, namespace } };
  let { metadata, spec } = pod;
  for (const { path, value } of injectSidecar(pod, trust, options)) {
    const [, part, field = ''] = path.split('/');
    if (part === 'metadata') metadata = { ...metadata, [field]: value };
    else spec = { ...spec, [field]: value };
  }
  return { ...pod, metadata, spec };
}

/** A pod as the injector and the kubelet leave it. */
function dress(
  pod: Manifest,
  born: Template,
  { phase = 'Running', isTerminating, managedFields, ownerKind }: InjectedOptions,
): Manifest {
  const [first] = pod.status.containerStatuses;
  const spec = { ...pod.spec, ...born.spec };
  const { ownerReferences, ...metadata } = pod.metadata;
  const dressed: Manifest = {
    ...pod,
    metadata: {
      ...metadata,
      ...(ownerKind === 'none' || !ownerReferences ? {} : { ownerReferences }),
      labels: { ...pod.metadata.labels, ...born.metadata.labels },
      ...(isTerminating ? { deletionTimestamp: '2026-11-22T02:00:00Z' } : {}),
    },
    spec,
    status: {
      ...pod.status,
      phase,
      containerStatuses: spec.containers.map(({ name, image }: { name: string; image: string }) => ({
        ...first,
        name,
        image,
      })),
    },
  };
  return managedFields
    ? { ...dressed, metadata: { ...dressed.metadata, managedFields: managersOf(dressed) } }
    : dressed;
}

function applicationOf(name: string, namespace: string, replicas: number, ownerKind: OwnerKind): Manifest {
  const labels = { app: name };
  const annotations = { 'dapr.io/app-id': name, 'dapr.io/app-port': '8080', 'dapr.io/enabled': 'true' };
  const image =
    'registry.example:5000/shop/checkout@sha256:0123456789012345678901234567890123456789012345678901234567890123';
  const template = {
    metadata: { labels, annotations },
    spec: { containers: [{ name: 'app', image, imagePullPolicy: 'IfNotPresent' }], serviceAccountName: 'default' },
  };
  const selector = { matchLabels: labels };
  const specs: Partial<Record<OwnerKind, object>> = {
    DaemonSet: { selector, template },
    // A Job makes its selector itself, and its pods are not started again.
    Job: { parallelism: replicas, template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } },
  };
  const statuses: Partial<Record<OwnerKind, object>> = {
    DaemonSet: {
      status: {
        observedGeneration: 1,
        currentNumberScheduled: replicas,
        desiredNumberScheduled: replicas,
        updatedNumberScheduled: replicas,
        numberAvailable: replicas,
        numberReady: replicas,
        numberMisscheduled: 0,
      },
    },
  };
  return {
    apiVersion: apiVersions[ownerKind] ?? 'apps/v1',
    kind: ownerKind === 'none' ? 'Deployment' : ownerKind,
    metadata: { name, namespace, labels, uid: uidOf(ownerKind, namespace, name), generation: 1 },
    spec: specs[ownerKind] ?? { replicas, selector, template },
    ...statuses[ownerKind],
  };
}

const apiVersions: Partial<Record<OwnerKind, string>> = { Rollout: 'argoproj.io/v1alpha1', Job: 'batch/v1' };

const managers = new WeakMap<object, readonly ManagedFields[]>();

/** Pods of one template have one entry in common, as text that is held once. */
function managersOf(pod: Manifest): readonly ManagedFields[] {
  const entry = (manager: string, fieldsV1: object) =>
    ({ manager, operation: 'Update', apiVersion: 'v1', time: start, fieldsType: 'FieldsV1', fieldsV1 }) as const;
  const found = managers.get(pod.spec.containers) ?? [
    entry('kube-controller-manager', { 'f:metadata': fieldsOf(pod.metadata), 'f:spec': fieldsOf(pod.spec) }),
    entry('kubelet', { 'f:status': fieldsOf(pod.status) }),
  ];
  managers.set(pod.spec.containers, found);
  return found;
}

/** The set of fields of a value, in the form of managedFields. */
function fieldsOf(value: unknown): object {
  if (typeof value !== 'object' || value === null) return {};
  const fields = Array.isArray(value)
    ? value.map((element) => [`k:${JSON.stringify({ name: element?.name ?? element?.type })}`, fieldsOf(element)])
    : Object.entries(value).map(([name, inner]) => [`f:${name}`, fieldsOf(inner)]);
  return { '.': {}, ...Object.fromEntries(fields) };
}
