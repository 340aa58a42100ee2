import { type ContainerStatus, isAlive, isReady, type RolloutPod } from './pod.ts';

/**
 * hopeless: waiting will not mend it. grave: it rarely mends itself, but a registry or a mount may
 * have been slow. waiting: a node, a probe or an image may only need more time.
 */
export type Gravity = 'hopeless' | 'grave' | 'waiting';

export interface PodTrouble {
  readonly pod: string;
  readonly gravity: Gravity;
  /** What is wrong, in the words that kubectl shows for it. */
  readonly reason: string;
  /** False where the pod only says that it is not ready, so that its events have to tell why. */
  readonly isExplained: boolean;
}

/**
 * Applications that wait for their sidecar by ending do so once or twice. After the third restart
 * kubelet has waited 10, 20 and 40 seconds between them.
 */
const crashLoopRestarts = 3;

const hopelessReasons = new Set(['InvalidImageName', 'ErrImageNeverPull']);
const graveReasons = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ImageInspectError',
  'RegistryUnavailable',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);
/** What every pod goes through. */
const usualReasons = new Set(['ContainerCreating', 'PodInitializing']);

/** Why a pod is not ready; undefined for one that is, or that is going. */
export function judgePod(pod: RolloutPod): PodTrouble | undefined {
  if (!isAlive(pod) || isReady(pod)) return undefined;
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const troubles = [...initContainerStatuses.filter(isUnfinished), ...containerStatuses].flatMap(
    (status) => judgeContainer(status) ?? [],
  );
  const [worst] = troubles.sort(byGravity);
  return { pod: pod.metadata.name, ...(worst ?? judgeScheduling(pod)) };
}

/** The worst first. */
export function byGravity(a: Pick<PodTrouble, 'gravity'>, b: Pick<PodTrouble, 'gravity'>): number {
  return gravities.indexOf(a.gravity) - gravities.indexOf(b.gravity);
}

const gravities: readonly Gravity[] = ['hopeless', 'grave', 'waiting'];

/** One that has done its work is no trouble, whatever its readiness says. */
function isUnfinished({ state }: ContainerStatus): boolean {
  return state?.terminated?.exitCode !== 0;
}

function judgeContainer(status: ContainerStatus): Omit<PodTrouble, 'pod'> | undefined {
  const { name, state, restartCount = 0 } = status;
  const waiting = state?.waiting?.reason;
  if (waiting === 'CrashLoopBackOff') {
    return {
      gravity: restartCount >= crashLoopRestarts ? 'hopeless' : 'waiting',
      reason: `container ${name} is in CrashLoopBackOff (${describeCrash(status)})`,
      isExplained: true,
    };
  }
  if (waiting !== undefined && !usualReasons.has(waiting)) {
    const said = state?.waiting?.message;
    return {
      gravity: hopelessReasons.has(waiting) ? 'hopeless' : graveReasons.has(waiting) ? 'grave' : 'waiting',
      reason: `container ${name}: ${waiting}${said ? `: ${shorten(said)}` : ''}`,
      isExplained: said !== undefined,
    };
  }
  if (state?.terminated) return plain(`container ${name} ended (${describeCrash(status)})`);
  return state?.running && status.ready === false ? plain(`container ${name} is not ready`) : undefined;
}

function describeCrash({ state, lastState, restartCount = 0 }: ContainerStatus): string {
  const ended = state?.terminated ?? lastState?.terminated;
  const parts = [
    ended?.reason && ended.reason !== 'Error' && ended.reason !== 'Completed' ? ended.reason : '',
    ended?.exitCode === undefined ? '' : `exit code ${ended.exitCode}`,
    `${restartCount} restart${restartCount === 1 ? '' : 's'}`,
  ];
  return parts.filter(Boolean).join(', ');
}

function judgeScheduling({ spec, status }: RolloutPod): Omit<PodTrouble, 'pod'> {
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False') {
    const said = scheduled.message ? `: ${shorten(scheduled.message)}` : '';
    const reason = `Pending, ${scheduled.reason ?? 'Unschedulable'}${said}`;
    return { gravity: 'waiting', reason, isExplained: true };
  }
  const place = spec?.nodeName ? ` on node ${spec.nodeName}` : ', not on a node yet';
  return plain(`${status?.phase ?? 'Pending'}${place}, not ready`);
}

function plain(reason: string): Omit<PodTrouble, 'pod'> {
  return { gravity: 'waiting', reason, isExplained: false };
}

/** Messages of the scheduler and the kubelet list every node, or a registry's whole answer. */
function shorten(message: string): string {
  const line = message.replace(/\s+/g, ' ').trim();
  return line.length <= 200 ? line : `${line.slice(0, 199)}…`;
}
