import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { keepJudgement } from '../../app/watch/keep-judgement.ts';
import type { Announcer, Leadership, Sight, WatchSource } from '../../app/watch/ports.ts';
import { DaprMtlsError } from '../../errors.ts';
import type { ControlPlane } from '../../kube/dapr/control-plane.ts';
import { findControlPlane } from '../../kube/dapr/find.ts';
import { sentryName } from '../../kube/dapr/services.ts';
import { openEventPoster } from '../../kube/events/post-event.ts';
import { injectedSelector } from '../../kube/pods/sidecar-pod.ts';
import type { Cluster, KubeObject, ListQuery, ObjectRef } from '../../kube/port.ts';
import { resources } from '../../kube/resources.ts';
import { isAtLeast } from '../../pki/rules/context.ts';
import { leadLeaseMs, openLead } from '../../store/cluster/lead.ts';
import { configMapRef, secretRef } from '../../store/cluster/objects.ts';
import { describeHolder } from '../holder.ts';
import { openCluster, sleep } from '../open-cluster.ts';
import type { StoreFlags } from '../open-store.ts';
import { followObject } from './cluster-follow.ts';
import { openPublicReadings, readWithSecret } from './cluster-reading.ts';
import { absenceMs, keepReadings } from './cluster-readings.ts';
import { watchSidecars } from './cluster-sidecars.ts';

export interface ClusterWatchFlags extends StoreFlags {
  /** In milliseconds. */
  readonly every: number;
  readonly 'sentry-address'?: string | undefined;
  readonly 'read-secret'?: boolean;
  readonly 'no-sidecars'?: boolean;
  readonly events?: boolean;
  readonly 'leader-elect'?: boolean;
}

export interface ClusterWatch {
  readonly source: WatchSource;
  /** With `--events`. */
  readonly announcer: Announcer | undefined;
  /** With `--leader-elect`. */
  readonly leadership: Leadership | undefined;
  /** Ends what is under way, a look included. */
  close(): void;
}

export const watchLeaseName = 'dapr-mtls-watch';

/** After a look that failed, and twice as long after each one more: an API server restarts in seconds. */
const firstRetryMs = 5_000;
/** A Sentry that has just become ready is not behind its Service yet. */
const sentrySettlesMs = 15_000;

/**
 * A control plane, as `mtls watch` looks at it. Without `--read-secret` no request names Secrets.
 * @throws DaprMtlsError `cluster.*`, `dapr.missing`, `dapr.ambiguous`, `usage.invalid`
 */
export async function openClusterWatch(flags: ClusterWatchFlags, env: NodeJS.ProcessEnv): Promise<ClusterWatch> {
  keepHeapSmall();
  const cluster = await openCluster(flags, env);
  const namespace = await findControlPlane(cluster, flags.namespace);
  const closing = new AbortController();
  const source = await openSource(cluster, namespace, flags, closing.signal);
  return {
    source,
    announcer: flags.events ? openAnnouncer(cluster, namespace) : undefined,
    leadership: flags['leader-elect'] ? openLeadership(cluster, namespace) : undefined,
    close: () => {
      closing.abort();
      cluster.close();
    },
  };
}

/**
 * A list of 10,000 pods has V8 widen the space for young objects to 16 MB twice over, and it never gives
 * that back: 85 MB where 69 do, and in the same time (docs/watching-kubernetes.md).
 */
function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

async function openSource(
  cluster: Cluster,
  namespace: string,
  flags: ClusterWatchFlags,
  closed: AbortSignal,
): Promise<WatchSource> {
  const { every: everyMs } = flags;
  const readAll = flags['read-secret']
    ? () => readWithSecret(cluster, namespace)
    : openPublicReadings(cluster, namespace, flags['sentry-address']);
  const { location } = await readAll();
  const judgeKept = keepJudgement();
  const readings = keepReadings(cluster, namespace, { everyMs, readAll });
  const sidecars = flags['no-sidecars'] ? undefined : watchSidecars(cluster, { everyMs, signal: closed });
  /** While Sentry does not answer: sidecars do not fall behind for that. */
  let shownIssuer: Buffer | undefined;
  let failures = 0;
  let lookAgain: (afterMs: number) => void = () => undefined;

  async function see(at: Date): Promise<Sight> {
    const { stored, controlPlane, unread, judged, judge } = await readings.refresh();
    const sight = { bundle: stored, unread, findings: judgeKept(judge, judged, at), sidecars: undefined };
    if (!sidecars) return sight;
    const { anchors, issuerChain } = stored.files;
    shownIssuer = issuerChain ?? shownIssuer;
    sidecars.start(podsOf(controlPlane));
    const bundle = { kind: 'live' as const, name: location.name, anchors, issuerChain: shownIssuer };
    const seen = await sidecars.see(bundle, at);
    return { ...sight, sidecars: seen.sidecars, unread: [...unread, ...seen.unread] };
  }

  async function look(at: Date): Promise<Sight> {
    try {
      const sight = await see(at);
      failures = 0;
      return sight;
    } catch (error) {
      lookAgain(Math.min(everyMs, firstRetryMs * 2 ** failures));
      failures += 1;
      throw error;
    }
  }

  async function follow(changed: () => void, signal: AbortSignal): Promise<void> {
    const timers = new Map<string, NodeJS.Timeout>();
    const after = (ms: number, name: string, then: () => void) => {
      clearTimeout(timers.get(name));
      timers.set(name, setTimeout(then, ms));
    };
    const tell = () => {
      readings.outdate();
      changed();
    };
    lookAgain = (ms) => after(ms, 'failed', changed);
    sidecars?.onNews(changed);
    const ended = new AbortController();
    const end = () => ended.abort();
    for (const stop of [signal, closed]) {
      stop.addEventListener('abort', end);
      if (stop.aborted) end();
    }
    const followed = (ref: ObjectRef, onVersion: (version: string | undefined) => void) =>
      followObject(cluster, ref, { everyMs, onVersion: onlyNew(onVersion) }, ended.signal);
    await Promise.all([
      followed(configMapRef({ namespace }), (version) => {
        clearTimeout(timers.get('away'));
        if (version === undefined) after(absenceMs, 'away', tell);
        else if (version !== readings.configMapVersion) tell();
      }),
      followed(sentryRef(namespace), () => {
        tell();
        after(sentrySettlesMs, 'settled', tell);
      }),
      ...(flags['read-secret'] ? [followed(secretRef({ namespace }), tell)] : []),
      untilAborted(ended.signal),
    ]);
    lookAgain = () => undefined;
    for (const timer of timers.values()) clearTimeout(timer);
  }

  return { location, look, follow };
}

/** The injector marks its pods since 1.11; of an unknown version it is not known, as in `audit`. */
function podsOf({ release }: ControlPlane): ListQuery {
  const isMarked = release !== undefined && isAtLeast(release, 1, 11);
  return { labelSelector: isMarked ? injectedSelector : undefined };
}

/** A list that had to be repeated tells what is known. */
function onlyNew(tell: (version: string | undefined) => void): (version: string | undefined) => void {
  let last: { readonly version: string | undefined } | undefined;
  return (version) => {
    if (last && last.version === version) return;
    last = { version };
    tell(version);
  };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve());
    if (signal.aborted) resolve();
  });
}

function sentryRef(namespace: string): ObjectRef {
  return { resource: resources.deployments, namespace, name: sentryName };
}

/** Events of the Deployment, which `kubectl describe deployment dapr-sentry` shows. */
function openAnnouncer(cluster: Cluster, namespace: string): Announcer {
  const poster = openEventPoster(cluster, { component: 'dapr-mtls', host: hostname() }, () => new Date());
  return {
    announce: async (announcement) => {
      const sentry = await cluster.get<KubeObject>(sentryRef(namespace));
      if (!sentry) throw noSentry(namespace);
      await poster.post(announcement, { apiVersion: 'apps/v1', kind: 'Deployment', ...sentry });
    },
  };
}

function noSentry(namespace: string): DaprMtlsError {
  return new DaprMtlsError('dapr.missing', {
    message: `there is no Deployment ${sentryName} in namespace ${namespace} to post an Event on`,
    hint: 'Name the control plane with -n, or leave --events out.',
  });
}

function openLeadership(cluster: Cluster, namespace: string): Leadership {
  const run = { id: randomUUID(), holder: describeHolder(), purpose: 'watch', leaseMs: leadLeaseMs };
  return openLead({ cluster, namespace, leaseName: watchLeaseName }, run, {
    now: () => new Date(),
    elapsedMs: () => performance.now(),
    sleep,
    random: Math.random,
  });
}
