import { byGravity, judgePod, type PodTrouble } from './judge-pod.ts';
import { isOfTemplate, type RolloutPod } from './pod.ts';
import { type RollingWorkload, whyByHand } from './workload.ts';

export interface RolloutVerdict {
  readonly done: boolean;
  /** What has been reached or is waited for, in a few words: `1 of 3 new pods are available`. */
  readonly message: string;
  /** The worst of its pods, where pods were given and one of them is not ready. */
  readonly trouble: PodTrouble | undefined;
  /** Why waiting longer does not help. */
  readonly stuck: string | undefined;
}

/**
 * Whether a workload has rolled out, as `kubectl rollout status` decides it (polymorphichelpers),
 * and what keeps it from it. A pod of an earlier template may be in trouble for a reason that the
 * new one mends: it explains, but does not make the rollout a stuck one.
 * @param pods those that its selector finds
 */
export function judgeRollout(workload: RollingWorkload, pods: readonly RolloutPod[] = []): RolloutVerdict {
  const { done, message, stuck } = judgeStatus(workload);
  if (done || stuck) return { done, message, trouble: undefined, stuck };
  const fresh = worstOf(pods.filter((pod) => isOfTemplate(pod, workload)));
  const old = fresh ? undefined : worstOf(pods);
  return {
    done,
    message,
    trouble: fresh ?? (old && { ...old, gravity: 'waiting' }),
    stuck: fresh?.gravity === 'hopeless' ? describeTrouble(fresh) : undefined,
  };
}

export function describeTrouble({ pod, reason }: PodTrouble): string {
  return `pod ${pod}: ${reason}`;
}

function worstOf(pods: readonly RolloutPod[]): PodTrouble | undefined {
  return pods.flatMap((pod) => judgePod(pod) ?? []).sort(byGravity)[0];
}

type StatusVerdict = Pick<RolloutVerdict, 'done' | 'message'> & { readonly stuck?: string };

function judgeStatus(workload: RollingWorkload): StatusVerdict {
  const byHand = whyByHand(workload);
  if (byHand) return { done: false, message: byHand, stuck: byHand };
  const observed = workload.status?.observedGeneration ?? 0;
  // A controller that has never seen a StatefulSet leaves zeros that look like "all done".
  if (observed === 0 || (workload.metadata.generation ?? 0) > observed) {
    return { done: false, message: 'its controller has not seen the change yet' };
  }
  if (workload.kind === 'Deployment') return judgeDeployment(workload);
  return workload.kind === 'StatefulSet' ? judgeStatefulSet(workload) : judgeDaemonSet(workload);
}

function judgeDeployment({ spec, status = {} }: RollingWorkload): StatusVerdict {
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0, conditions = [] } = status;
  const wanted = spec?.replicas ?? 1;
  const progressing = conditions.find(({ type }) => type === 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded') {
    const deadline = spec?.progressDeadlineSeconds;
    const reason = `it exceeded its progress deadline${deadline === undefined ? '' : ` of ${deadline} s`}`;
    return { done: false, message: reason, stuck: reason };
  }
  const refused = conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
  const because = refused?.message ? ` (${refused.message})` : '';
  if (updatedReplicas < wanted) {
    return { done: false, message: `${updatedReplicas} of ${wanted} new pods are made${because}` };
  }
  if (replicas > updatedReplicas) {
    return {
      done: false,
      message: `${replicas - updatedReplicas} old ${pods(replicas - updatedReplicas)} still there`,
    };
  }
  return availability(availableReplicas, updatedReplicas);
}

function judgeStatefulSet({ spec, status = {} }: RollingWorkload): StatusVerdict {
  const { readyReplicas = 0, updatedReplicas = 0, updateRevision, currentRevision } = status;
  const wanted = spec?.replicas ?? 1;
  const { rollingUpdate } = spec?.updateStrategy ?? {};
  if (readyReplicas < wanted) {
    return { done: false, message: `${readyReplicas} of ${wanted} pods are ready, ${updatedReplicas} of them new` };
  }
  // Pods below the partition keep their revision, so that the revisions of the status stay apart.
  if (rollingUpdate) {
    const due = Math.max(0, wanted - (rollingUpdate.partition ?? 0));
    const message = `${updatedReplicas} of ${due} pods are new`;
    return { done: updatedReplicas >= due, message };
  }
  const done = updateRevision === currentRevision;
  return { done, message: `${done ? wanted : updatedReplicas} of ${wanted} pods are new` };
}

function judgeDaemonSet({ status = {} }: RollingWorkload): StatusVerdict {
  const { desiredNumberScheduled: wanted = 0, updatedNumberScheduled = 0, numberAvailable = 0 } = status;
  if (updatedNumberScheduled < wanted) {
    return { done: false, message: `${updatedNumberScheduled} of ${wanted} new pods are made` };
  }
  return availability(numberAvailable, wanted);
}

function availability(available: number, wanted: number): StatusVerdict {
  return { done: available >= wanted, message: `${available} of ${wanted} new pods are available` };
}

function pods(count: number): string {
  return count === 1 ? 'pod is' : 'pods are';
}
