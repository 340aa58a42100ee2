import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, KubeJson } from '../cluster/admin.ts';
import { playedElsewhere, podAnnotations } from '../cluster/stages.ts';

/** What runs in a pod. */
export interface PodProcess {
  /** Resolves when it has ended in order. */
  stop(): Promise<void>;
}

export interface Kubelet {
  /** Rejects when a pod could not be started or stopped: then nothing that was measured counts. */
  readonly failed: Promise<never>;
  /** Looks after nothing more, and waits for pods that are ending. The others go on running. */
  stop(): Promise<void>;
}

/** Annotations of pods that it looks after. */
export const playedHere = { [podAnnotations.behaviour]: playedElsewhere };

const everyMs = 100;

/**
 * Plays the kubelet for the pods with these annotations: one local process for each. A pod is ready
 * when its process is, and is gone when its process is, so that the API server never tells what is
 * not so.
 */
export function playKubelet(admin: Admin, start: (pod: KubeJson) => Promise<PodProcess>): Kubelet {
  const living = new Map<string, Promise<PodProcess>>();
  const ending = new Map<string, Promise<void>>();
  let isStopping = false;
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // Who waits for it gets the error; nobody else has to.
  failed.catch(() => undefined);

  const begin = async (pod: KubeJson): Promise<PodProcess> => {
    const process = await start(pod);
    await answer(admin, 'PATCH', `${pathOf(pod)}/status`, readyStatusOf(pod), 'application/strategic-merge-patch+json');
    return process;
  };
  const end = async (pod: KubeJson): Promise<void> => {
    const process = await living.get(pod.metadata.uid);
    await process?.stop();
    await answer(admin, 'DELETE', `${pathOf(pod)}?gracePeriodSeconds=0`);
    living.delete(pod.metadata.uid);
  };
  const lookAfter = (pod: KubeJson): void => {
    const { uid, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined) {
      if (ending.has(uid)) return;
      const ended = end(pod);
      ending.set(uid, ended);
      ended.catch(fail);
    } else if (pod.spec.nodeName !== undefined && !living.has(uid)) {
      const begun = begin(pod);
      living.set(uid, begun);
      begun.catch(fail);
    }
  };
  const watching = (async () => {
    while (!isStopping) {
      const { items } = await answer(admin, 'GET', '/api/v1/pods');
      for (const pod of items as readonly KubeJson[]) {
        if (pod.metadata.annotations?.[podAnnotations.behaviour] === playedElsewhere) lookAfter(pod);
      }
      await sleep(everyMs);
    }
  })();
  watching.catch(fail);
  return {
    failed,
    stop: async () => {
      isStopping = true;
      await watching;
      await Promise.all(ending.values());
    },
  };
}

async function answer(admin: Admin, method: string, path: string, body?: object, type?: string): Promise<KubeJson> {
  const { status, body: answered } = await admin.request(method, path, body, type);
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${answered.message}`);
  return answered;
}

function pathOf({ metadata }: KubeJson): string {
  return `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
}

function readyStatusOf({ spec }: KubeJson): object {
  const now = new Date().toISOString();
  const condition = (type: string) => ({ type, status: 'True', lastTransitionTime: now });
  return {
    status: {
      phase: 'Running',
      startTime: now,
      conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map(condition),
      containerStatuses: (spec.containers as readonly KubeJson[]).map(({ name, image }) => ({
        name,
        image,
        imageID: '',
        ready: true,
        started: true,
        restartCount: 0,
        state: { running: { startedAt: now } },
      })),
    },
  };
}
