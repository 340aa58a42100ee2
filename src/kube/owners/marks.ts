import type { Declaration, OwnerClaim } from './facts.ts';
import { declarationOf, declarationOfValues, isOurs, type MarkedObject, type Writer } from './marked-object.ts';

/** Everybody who has left a mark on an object, each at most once. */
export function findClaims(object: MarkedObject): OwnerClaim[] {
  const claims = [
    findFluxKustomization(object),
    findFluxRelease(object),
    findArgoApplication(object),
    findCertificate(object),
    findTrustBundle(object),
    findExternalSecret(object),
    findKubectl(object),
  ].filter((claim) => claim !== undefined);
  return [...claims, ...findControllers(object), ...findAppliers(object)];
}

/**
 * kustomize-controller applies with force at each interval; two annotations, which it also takes as
 * labels, make it pass over an object (fluxcd/kustomize-controller, internal/controller).
 */
function findFluxKustomization(object: MarkedObject): OwnerClaim | undefined {
  const group = 'kustomize.toolkit.fluxcd.io';
  const name = object.labels[`${group}/name`];
  if (name === undefined) return undefined;
  const says = (key: string, ...values: string[]) =>
    [object.annotations, object.labels].some((marks) => values.includes(marks[`${group}/${key}`]?.toLowerCase() ?? ''));
  const isPassedOver = says('reconcile', 'disabled') || says('ssa', 'ignore', 'ifnotpresent');
  return {
    owner: 'flux',
    kind: 'Kustomization',
    name: qualified(object.labels[`${group}/namespace`], name),
    object: object.kind,
    declares: isPassedOver ? { kind: 'nothing' } : declarationOf(object, isManager('kustomize-controller')),
  };
}

/** helm-controller installs by Helm and labels what it renders (internal/postrender): the release tells the rest. */
function findFluxRelease({ kind, labels }: MarkedObject): OwnerClaim | undefined {
  const group = 'helm.toolkit.fluxcd.io';
  const name = labels[`${group}/name`];
  if (name === undefined) return undefined;
  return {
    owner: 'flux',
    kind: 'HelmRelease',
    name: qualified(labels[`${group}/namespace`], name),
    object: kind,
    declares: { kind: 'release' },
  };
}

/**
 * Argo CD tracks by annotation, `<application>:<group>/<kind>:<namespace>/<name>`, which counts only
 * on the object that it names; or by a label, of which `app.kubernetes.io/instance` is many others'
 * too (argoproj/argo-cd, util/argo/resource_tracking.go).
 */
function findArgoApplication(object: MarkedObject): OwnerClaim | undefined {
  const tracked = /^([^:]+):[^:]*\/([^:/]+):[^:]*\/([^:/]+)$/.exec(
    object.annotations['argocd.argoproj.io/tracking-id'] ?? '',
  );
  const isItself = tracked?.[2] === object.kind && tracked[3] === object.name;
  const hasWritten = object.writers.some(isArgo);
  const name =
    (isItself ? tracked[1] : undefined) ??
    object.labels['argocd.argoproj.io/instance'] ??
    (hasWritten ? object.labels['app.kubernetes.io/instance'] : undefined);
  if (name === undefined && !hasWritten) return undefined;
  return { owner: 'argocd', kind: 'Application', name, object: object.kind, declares: declarationOfArgo(object) };
}

/** Server-side where its managers say so; else it applies as kubectl does, and leaves what it applied. */
function declarationOfArgo(object: MarkedObject): Declaration {
  const isServerSide = object.writers.some((writer) => isArgo(writer) && writer.isApply);
  if (object.lastApplied && !isServerSide) return declarationOfValues(object.lastApplied);
  return declarationOf(object, isArgo);
}

function isArgo({ manager }: Writer): boolean {
  return manager.startsWith('argocd');
}

/** The Secret of a Certificate: cert-manager issues anew whatever differs from what it asked for. */
function findCertificate({ kind, annotations, writers }: MarkedObject): OwnerClaim | undefined {
  const name = annotations['cert-manager.io/certificate-name'];
  const hasWritten = writers.some(({ manager, keys }) => manager.startsWith('cert-manager') && keys.length > 0);
  if (name === undefined && !hasWritten) return undefined;
  return { owner: 'cert-manager', kind: 'Certificate', name, object: kind, declares: { kind: 'everything' } };
}

/** trust-manager, of the same project, writes bundles of anchors into ConfigMaps and Secrets. */
function findTrustBundle(object: MarkedObject): OwnerClaim | undefined {
  const name = object.labels['trust.cert-manager.io/bundle'];
  const isTrustManager = isManager('trust-manager');
  const hasWritten = object.writers.some(isTrustManager);
  if (name === undefined && !hasWritten) return undefined;
  return { owner: 'cert-manager', kind: 'Bundle', name, object: object.kind, declares: { kind: 'everything' } };
}

/** External Secrets marks what it writes in each of its creation policies (externalsecret_types.go). */
function findExternalSecret({ kind, labels, owners, writers }: MarkedObject): OwnerClaim | undefined {
  const group = 'external-secrets.io';
  const owner = owners.find(({ apiVersion }) => apiVersion.startsWith(`${group}/`));
  const isMarked = labels[`reconcile.${group}/managed`] === 'true' || `reconcile.${group}/created-by` in labels;
  const writer = writers.find(({ manager }) => manager.startsWith(`externalsecrets.${group}/`));
  if (!owner && !isMarked && !writer) return undefined;
  return {
    owner: 'external-secrets',
    kind: 'ExternalSecret',
    name: owner?.name ?? writer?.manager.split('/').at(-1),
    object: kind,
    declares: { kind: 'everything' },
  };
}

/** Somebody has a file of this object, and may apply it again. */
function findKubectl({ kind, lastApplied, writers }: MarkedObject): OwnerClaim | undefined {
  if (writers.some(isArgo) || !lastApplied || Object.keys(lastApplied).length === 0) return undefined;
  return {
    owner: 'kubectl',
    kind: 'kubectl apply',
    name: undefined,
    object: kind,
    declares: declarationOfValues(lastApplied),
  };
}

/** A controller of another kind that the object belongs to: a SealedSecret, an operator's own resource. */
function findControllers({ kind, owners }: MarkedObject): OwnerClaim[] {
  return owners
    .filter(({ apiVersion }) => !apiVersion.startsWith('external-secrets.io/'))
    .map((owner) => ({
      owner: owner.kind.toLowerCase(),
      kind: owner.kind,
      name: owner.name,
      object: kind,
      declares: { kind: 'everything' },
    }));
}

/** Their appliers are found by their own marks above, or by Helm's record. */
const knownAppliers =
  /^(helm$|helm-controller$|kustomize-controller$|trust-manager$|argocd|cert-manager|externalsecrets\.)/;

/** Server-side apply means: somebody declares this, and will again. */
function findAppliers({ kind, writers }: MarkedObject): OwnerClaim[] {
  return writers
    .filter(
      ({ manager, isApply, keys }) => isApply && keys.length > 0 && !isOurs(manager) && !knownAppliers.test(manager),
    )
    .map(({ manager, keys }) => ({
      owner: manager.toLowerCase(),
      kind: 'server-side apply',
      name: undefined,
      object: kind,
      declares: { kind: 'keys', keys },
    }));
}

/**
 * What can be told of Helm where its record may not be read: the keys that it was the last to
 * write, which it does only when values are set.
 */
export function findHelmTrace({ kind, annotations, labels, writers }: MarkedObject): OwnerClaim | undefined {
  const keys = writers.filter(({ manager }) => /^helm(-controller)?$/i.test(manager)).flatMap((writer) => writer.keys);
  if (keys.length === 0) return undefined;
  return {
    owner: 'helm.toolkit.fluxcd.io/name' in labels ? 'flux' : 'helm',
    kind: 'Helm release',
    name: annotations['meta.helm.sh/release-name'],
    object: kind,
    declares: { kind: 'keys', keys },
  };
}

function isManager(name: string): (writer: Writer) => boolean {
  return ({ manager }) => manager === name;
}

function qualified(namespace: string | undefined, name: string): string {
  return namespace ? `${namespace}/${name}` : name;
}
