/** Who keeps Secret and ConfigMap beside us, as read off the cluster. No value of a Secret is in here, only its digest. */
export interface OwnerFacts {
  /** What the two objects hold; undefined where there is none. */
  readonly live: Readonly<Record<BundleKind, DataDigests | undefined>>;
  readonly helm: HelmFacts;
  readonly claims: readonly OwnerClaim[];
}

export const bundleKinds = ['Secret', 'ConfigMap'] as const;
export type BundleKind = (typeof bundleKinds)[number];

/** SHA-256 in hex of each value, by its key: enough to compare, and nothing to steal. */
export type DataDigests = Readonly<Record<string, string>>;

export type HelmFacts =
  | { readonly state: 'none' }
  /** Not an error: the right to list Secrets is one that few have. */
  | { readonly state: 'not-checked'; readonly reason: string }
  | { readonly state: 'found'; readonly release: HelmRelease };

export interface HelmRelease {
  readonly name: string;
  readonly namespace: string;
  readonly chart: { readonly name: string; readonly version: string };
  /** Client-side (Helm 3) puts its own back without a word; server-side (Helm 4) conflicts first. */
  readonly applyMethod: 'client-side' | 'server-side';
  /** Where the values of the bundle stand: `dapr_sentry.tls`, in a parent chart below the name of Dapr's. */
  readonly valuesPath: readonly string[];
  /** The newest first; behind a newest one that failed or is pending, the deployed one, whose values the next upgrade reuses. */
  readonly revisions: readonly [HelmRevision, ...HelmRevision[]];
}

export interface HelmRevision {
  readonly revision: number;
  /** deployed, failed, pending-upgrade, ... */
  readonly status: string;
  /** Which parts of a bundle the user's values hold, or those of the chart itself. */
  readonly values: Readonly<Record<HelmValue, boolean>>;
  /** What the chart rendered; undefined where it does not render the object. */
  readonly rendered: Readonly<Record<BundleKind, DataDigests | undefined>>;
}

export type HelmValue = 'root' | 'issuerCertificate' | 'issuerKey';

/** A mark on one of the two objects by which somebody says that it is theirs. */
export interface OwnerClaim {
  /** The word for `--ignore-owner`: helm, flux, argocd, cert-manager, external-secrets, else a kind or a field manager. */
  readonly owner: string;
  /** What it is to its owner: a HelmRelease, an Application. */
  readonly kind: string;
  /** Undefined where the mark names none. */
  readonly name: string | undefined;
  readonly object: BundleKind;
  readonly declares: Declaration;
}

/**
 * What an owner says of the data of an object.
 * nothing: it keeps the object and leaves its data alone, or was told to. values: these. keys: these
 * keys, with values that are not told. everything: writing the data is what it is there for.
 * release: whatever its Helm release says. unknown: our own writes have covered its traces.
 */
export type Declaration =
  | { readonly kind: 'nothing' | 'everything' | 'release' | 'unknown' }
  | { readonly kind: 'values'; readonly data: DataDigests }
  | { readonly kind: 'keys'; readonly keys: readonly string[] };
