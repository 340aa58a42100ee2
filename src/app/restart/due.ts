import type { SidecarPod } from '../../kube/pods/sidecar-pod.ts';
import { isAlive, type RolloutPod, restartedAtAnnotation } from '../../kube/rollout/pod.ts';
import type { RollingWorkload, WorkloadRef } from '../../kube/rollout/workload.ts';
import { readCertificateFile, visibleCertificatesOf } from '../../pki/reading.ts';
import type { Applications, GroupedPod } from './applications.ts';

/**
 * Who is due, so that a restart which was killed goes on where it stopped. The instant is one of the API
 * server's clock, by which pods are dated in whole seconds, cut off: a pod of the same second looks older,
 * and is restarted once more rather than taken for a new one.
 */
export interface DueWish {
  /** Pods that were created before it are due. */
  readonly since: Date;
  /** So are those born without one of these anchors (SHA-256 of the DER, in hex). */
  readonly neededAnchors: readonly string[];
  /** NAMESPACE/NAME of workloads that are left alone. */
  readonly skipped: readonly string[];
  /**
   * Whether one whose restart has brought pods that lack an anchor is restarted once more. Where the
   * template itself holds the anchors that would go on for ever.
   */
  readonly mayRepeat: (workload: WorkloadRef) => boolean;
}

/** What of a pod with a sidecar tells whether it is due. */
export interface DatedPod extends GroupedPod {
  readonly createdAt: Date | undefined;
  /** Born without one of the needed anchors. */
  readonly lacksAnchor: boolean;
}

/** By `NAMESPACE/KIND/NAME`: when the newest of its pods was created that lacks an anchor. */
export type DueWorkloads = ReadonlyMap<string, { readonly lackingFrom: Date | undefined }>;

/** Pure: the workloads with a pod that has to be re-created. Those that have ended, or are going, need nothing. */
export function findDueWorkloads(pods: Iterable<DatedPod>, { since, skipped }: DueWish): DueWorkloads {
  const found = new Map<string, { lackingFrom: Date | undefined }>();
  for (const { namespace, phase, workload, deletionTimestamp, createdAt, lacksAnchor } of pods) {
    if (deletionTimestamp || phase === 'Succeeded' || phase === 'Failed') continue;
    if (skipped.includes(`${namespace}/${workload.name}`)) continue;
    if (!lacksAnchor && isFresh(createdAt, since)) continue;
    const key = `${namespace}/${workload.kind}/${workload.name}`;
    const { lackingFrom } = found.get(key) ?? { lackingFrom: undefined };
    const isNewest = lacksAnchor && createdAt && (!lackingFrom || createdAt > lackingFrom);
    found.set(key, { lackingFrom: isNewest ? createdAt : lackingFrom });
  }
  return found;
}

/** Pure. */
export function keepDue({ due, left }: Applications, workloads: DueWorkloads): Applications {
  const isDue = (namespace: string, kind: string, name: string) => workloads.has(`${namespace}/${kind}/${name}`);
  return {
    due: due.filter(({ ref }) => isDue(ref.namespace, ref.resource.kind, ref.name)),
    left: left.filter(({ namespace, kind, name }) => isDue(namespace, kind, name)),
  };
}

/**
 * Whether a restart since then is under way or done, so that it is only waited for: making the template
 * another one again would replace pods that are new. Not where a pod that came of it lacks an anchor.
 */
export function isRestartBegun(workload: RollingWorkload, since: Date, lackingFrom?: Date | undefined): boolean {
  const text = workload.spec?.template?.metadata?.annotations?.[restartedAtAnnotation];
  const restartedAt = new Date(text ?? Number.NaN);
  if (!(restartedAt >= since)) return false;
  return lackingFrom === undefined || lackingFrom < toSecond(restartedAt);
}

/** Whether nothing of a service is older. Its container may be younger than its pod, but not its mounted files. */
export function isServiceFresh(pods: readonly RolloutPod[], since: Date): boolean {
  const living = pods.filter(isAlive);
  return living.length > 0 && living.every(({ metadata }) => isFresh(instantOf(metadata.creationTimestamp), since));
}

/** A judge that reads each distinct text once. What a pod does not show it does not lack: it would come back the same. */
export function judgeLack(needed: readonly string[]): (pod: Pick<SidecarPod, 'daprd'>) => boolean {
  const verdicts = new Map<string, boolean>();
  return ({ daprd }) => {
    const variable = daprd?.trustAnchors;
    if (needed.length === 0 || variable?.source !== 'value' || variable.pem === '') return false;
    const { pem } = variable;
    const verdict = verdicts.get(pem) ?? lacksOne(pem, needed);
    verdicts.set(pem, verdict);
    return verdict;
  };
}

function lacksOne(pem: string, needed: readonly string[]): boolean {
  const held = visibleCertificatesOf(readCertificateFile('anchors', Buffer.from(pem)));
  return !needed.every((anchor) => held.some(({ fingerprint }) => fingerprint === anchor));
}

function isFresh(createdAt: Date | undefined, since: Date): boolean {
  return createdAt !== undefined && createdAt >= since;
}

function toSecond(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}

function instantOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}
