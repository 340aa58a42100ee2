/** An API server to measure against, with a control plane of Dapr in it. */
export interface BenchServer {
  /** real: kube-apiserver with etcd. own: the tests' own, in which an answer costs something else. */
  readonly kind: 'real' | 'own';
  readonly access: Access;
  /** Makes pods with sidecars until there are so many. */
  fill(pods: number): Promise<void>;
  stop(): Promise<void>;
}

/** The ways to it: an address, and paths of files. */
export interface Access {
  readonly url: string;
  readonly kubeconfig: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Of the same version as the server; undefined beside the tests' own. */
  readonly kubectl?: string;
}
