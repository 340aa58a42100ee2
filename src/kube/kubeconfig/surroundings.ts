/** The outside world in which a way into a cluster is looked for. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDir: string;
  /** Where the kubelet puts a pod's service account. */
  readonly serviceAccountDir: string;
  readonly now: () => Date;
  /** Whether somebody sits at standard input, whom a login program may ask. */
  readonly isInteractive: () => boolean;
}
