import type { Cluster } from '../../src/kube/port.ts';

/** A client that is heard no more from a certain write on, as of a process that was killed there. */
export interface DyingCluster {
  readonly cluster: Cluster;
  /** Resolves when it has died. */
  readonly died: Promise<void>;
  /** How many writes it has begun. */
  readonly writes: number;
}

/**
 * @param fatal which write it dies at, counted from 1
 * @param isDone whether that write is still carried out
 */
export function makeDying(cluster: Cluster, fatal: number, isDone: boolean): DyingCluster {
  let writes = 0;
  let die: () => void = () => undefined;
  const died = new Promise<void>((resolve) => {
    die = resolve;
  });
  const silence = () => new Promise<never>(() => undefined);
  const guard = async <T>(isDryRun: boolean | undefined, write: () => Promise<T>): Promise<T> => {
    if (writes >= fatal) return silence();
    if (!isDryRun) writes += 1;
    if (writes < fatal) return write();
    if (isDone) await write().catch(() => undefined);
    die();
    return silence();
  };
  return {
    cluster: {
      ...delegate(cluster, () => writes >= fatal),
      create: (ref, object, options) => guard(options?.dryRun, () => cluster.create(ref, object, options)),
      patch: (ref, patch, options) => guard(options?.dryRun, () => cluster.patch(ref, patch, options)),
      remove: (ref, preconditions, options) =>
        guard(options?.dryRun, () => cluster.remove(ref, preconditions, options)),
    } as Cluster,
    died,
    get writes() {
      return writes;
    },
  };
}

/** Reads go on until it is dead. */
function delegate(cluster: Cluster, isDead: () => boolean): Partial<Cluster> {
  const silence = () => new Promise<never>(() => undefined);
  return {
    location: cluster.location,
    get: (ref) => (isDead() ? silence() : cluster.get(ref)),
    reviewRules: (namespace) => (isDead() ? silence() : cluster.reviewRules(namespace)),
  };
}
