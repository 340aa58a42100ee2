/**
 * What the program asks of a Kubernetes API server, in plain objects. One client speaks it over
 * TLS; nothing above it knows of HTTP.
 */
export interface Cluster {
  readonly location: ClusterAddress;
  /** Undefined where there is no such object (404). */
  get<T extends KubeObject>(ref: ObjectRef): Promise<T | undefined>;
  /** Every object, page by page; `resourceVersion` is left unset, so that nothing stale is read. */
  list<T extends KubeObject>(resource: Resource, query?: ListQuery): AsyncIterable<T>;
  /** The body of one list, or of one page of it, as the server encodes it, not yet read. */
  stream(resource: Resource, query: ListQuery, accept: string, page?: PageQuery): Promise<BodyStream>;
  /** @throws DaprMtlsError `cluster.conflict` where an object of that name exists */
  create<T extends KubeObject>(ref: Omit<ObjectRef, 'name'>, object: object, options?: WriteOptions): Promise<T>;
  /**
   * A patch that names `metadata.resourceVersion` is carried out on exactly that state, or not at all.
   * @throws DaprMtlsError `cluster.conflict` for another state, also where the object is gone
   */
  patch<T extends KubeObject>(ref: ObjectRef, patch: object, options?: PatchOptions): Promise<T>;
  /** False where the object is gone already. @throws DaprMtlsError `cluster.conflict` */
  remove(ref: ObjectRef, preconditions: Preconditions, options?: WriteOptions): Promise<boolean>;
  /**
   * The objects as they are, then every change, until the signal. Cuts, time limits of the server
   * and 410 (Gone) are survived by listing anew: the same object may then be told again.
   */
  watch<T extends KubeObject>(
    resource: Resource,
    query: ListQuery,
    signal: AbortSignal,
    health?: WatchHealth,
  ): AsyncIterable<WatchEvent<T>>;
  /**
   * As `watch`, with a list of the caller's own, who keeps of the objects what he needs: nothing is
   * kept here. He is asked for it at first, and again after 410.
   */
  watchSince<T extends KubeObject>(
    resource: Resource,
    query: ListQuery,
    list: () => Promise<Listed<T>>,
    signal: AbortSignal,
    health?: WatchHealth,
  ): AsyncIterable<WatchEvent<T>>;
  /**
   * The lines of a container, in the order in which it has written them, until the signal. With
   * `follow` cuts and restarts of the container are survived: no line is told twice, none is lost that
   * the node still has. A pod that goes away ends it.
   * @throws DaprMtlsError `cluster.*`; `cluster.rejected` where the container has no log (yet)
   */
  logs(query: LogQuery, signal: AbortSignal): AsyncIterable<LogLine>;
  /** What this user may do in a namespace, in one call (SelfSubjectRulesReview). */
  reviewRules(namespace: string): Promise<RulesReview>;
  /** Lets go of the connections; no request may follow. */
  close(): void;
}

export interface ClusterAddress {
  /** Undefined inside a cluster, where no context is named. */
  readonly context: string | undefined;
  readonly server: string;
  /** The namespace of the context; undefined where it names none. */
  readonly namespace: string | undefined;
}

export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly managedFields?: readonly ManagedFields[];
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: 'Apply' | 'Update';
  readonly time?: string;
  readonly fieldsV1?: object;
}

/** A kind of objects, as the API server's paths call it. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export interface ObjectRef {
  readonly resource: Resource;
  /** Undefined for what lives in no namespace. */
  readonly namespace?: string | undefined;
  readonly name: string;
}

export interface ListQuery {
  /** Undefined: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Only apiVersion, kind and metadata of each object (PartialObjectMetadata). */
  readonly metadataOnly?: boolean;
}

/** A part of a list. */
export interface PageQuery {
  /** So many objects at most. */
  readonly limit: number;
  /** What the page before has named; undefined for the first one. */
  readonly continue: string | undefined;
}

export interface LogQuery {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Goes on with what is written from now on. */
  readonly follow?: LogFollowing | undefined;
  /** Of the container that ran before this one. */
  readonly previous?: boolean | undefined;
  readonly sinceSeconds?: number | undefined;
  /** The last so many of those that are there. */
  readonly tailLines?: number | undefined;
}

export interface LogFollowing {
  /** The pod is no more, and nothing will be written. */
  readonly gone: AbortSignal;
  /** Told once whenever the log cannot be read for now; it is tried again until it can. */
  readonly onTrouble: (error: Error) => void;
}

export interface LogLine {
  /**
   * When the node took it, in UTC with nine places: `2026-11-22T01:02:03.000000004Z`, so that instants
   * compare as text. Of a line that has none it is that of the line before.
   */
  readonly at: string;
  /** A very long one is cut off, and ends in `…`. */
  readonly text: string;
}

export interface BodyStream {
  readonly contentType: string;
  readonly chunks: AsyncIterable<Buffer>;
  /** Takes a chunk back that nobody looks at any more, to be written over: who gives none back needs more memory. */
  readonly giveBack?: ((chunk: Buffer) => void) | undefined;
}

export interface WriteOptions {
  /** The server does everything but write: authorization, admission, validation. */
  readonly dryRun?: boolean;
}

export interface PatchOptions extends WriteOptions {
  /** RFC 7386 unless told; Kubernetes' own strategic merge where lists are merged by name. */
  readonly type?: 'merge' | 'strategic';
}

export interface Preconditions {
  readonly uid: string;
  readonly resourceVersion: string;
}

export interface WatchEvent<T extends KubeObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: T;
}

/** How a watch fares, for who would otherwise take what it told last for what is. */
export interface WatchHealth {
  /** What does not last for so long is no trouble. */
  readonly patienceMs: number;
  /** Changes are told: at first, and again after a trouble. */
  readonly onWell?: () => void;
  /** Told once whenever changes are not told for now; it is tried again until they are. */
  readonly onTrouble: (error: Error) => void;
}

/** What a list has found. */
export interface Listed<T extends KubeObject> {
  /** Of the whole list: changes are told from there on. */
  readonly version: string;
  /** Told before them. */
  readonly events: readonly WatchEvent<T>[];
}

export interface RulesReview {
  /** True where an authorizer cannot list its rules: what is missing below may be allowed all the same. */
  readonly incomplete: boolean;
  readonly rules: readonly ResourceRule[];
}

export interface ResourceRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
}
