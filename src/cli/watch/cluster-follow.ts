import { DaprMtlsError } from '../../errors.ts';
import type { Cluster, KubeObject, ObjectRef } from '../../kube/port.ts';
import { sleep } from '../open-cluster.ts';

export interface FollowOptions {
  /** What is forbidden is not asked for more often. */
  readonly everyMs: number;
  /** Told of the version that is there now; undefined where the object is gone. */
  readonly onVersion: (version: string | undefined) => void;
}

const [shortestPauseMs, longestPauseMs] = [1_000, 10_000];

/**
 * Follows one object by its name, so that a Role may name it, and reads its metadata alone: of a Secret
 * nothing else crosses the wire. Refusals are outlasted, since a token may be renewed and a right be
 * given; what cannot be followed is seen at the next look.
 */
export async function followObject(
  cluster: Cluster,
  { resource, namespace, name }: ObjectRef,
  { everyMs, onVersion }: FollowOptions,
  signal: AbortSignal,
): Promise<void> {
  const query = { namespace, fieldSelector: `metadata.name=${name}`, metadataOnly: true };
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      for await (const { type, object } of cluster.watch<KubeObject>(resource, query, signal)) {
        failures = 0;
        onVersion(type === 'DELETED' ? undefined : object.metadata.resourceVersion);
      }
    } catch (error) {
      if (!(error instanceof DaprMtlsError)) throw error;
      const isForbidden = error.code === 'cluster.forbidden';
      await sleep(isForbidden ? everyMs : Math.min(longestPauseMs, shortestPauseMs * 2 ** failures), signal);
    }
  }
}
