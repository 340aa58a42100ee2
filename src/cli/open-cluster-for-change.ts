import { randomBytes } from 'node:crypto';
import { setTimeout as sleepThrough } from 'node:timers/promises';
import { collectSettings } from '../app/configuration/settings.ts';
import { DaprMtlsError } from '../errors.ts';
import type { ClusterProgress, ClusterStoreOptions } from '../store/cluster/change-session.ts';
import { ClusterStore } from '../store/cluster/cluster-store.ts';
import { isProvablyDead } from '../store/cluster/liveness.ts';
import { identifyThisProcess } from '../store/directory/process-identity.ts';
import { openClusterSite } from './cluster-site.ts';
import { type ClusterWaits, chooseWaits } from './cluster-waits.ts';
import { describeHolder } from './holder.ts';
import type { ChangeFlags, Site } from './site.ts';
import { installStopSwitch, type StopSignal, type StopSwitch } from './stop.ts';
import type { Streams } from './streams.ts';

/** A run stops only before its first write of the bundle, or behind its last. */
const stoppedInCluster = {
  message: 'nothing is half written: Secret and ConfigMap are as they were, or both hold the new bundle',
  hint: '`dapr-mtls inspect -k` shows which. Where they are as they were, run the same command again.',
};

/** @throws DaprMtlsError `cluster.*`, `dapr.*` */
export async function openClusterForChange(
  flags: ChangeFlags,
  env: NodeJS.ProcessEnv,
  streams: Streams,
): Promise<Site & { readonly store: ClusterStore }> {
  if (flags.config !== undefined) {
    throw new DaprMtlsError('usage.invalid', {
      message: '--config names a file, and the settings of a cluster stand in its Configuration',
      hint: 'Leave --config out; change the settings with `dapr-mtls config set NAME=VALUE -k`.',
    });
  }
  const site = await openClusterSite(flags, env);
  const { controlPlane, place } = site;
  const stop = installStopSwitch(stoppedInCluster);
  const waits = chooseWaits(flags.settle, env, site.cluster.location.server);
  const store = new ClusterStore(place, storeOptions(waits, stop, streams));
  return {
    store,
    stop,
    settings: { settings: collectSettings((name) => controlPlane.mtls?.[name]), problem: undefined },
    trustDomain: controlPlane.trustDomain,
    daprVersion: controlPlane.release,
    place: undefined,
    inCluster: { ...site, stop, store },
  };
}

function storeOptions(waits: ClusterWaits, stop: StopSwitch, streams: Streams): ClusterStoreOptions {
  return {
    now: () => new Date(),
    sleep: stop.sleep,
    sleepThrough,
    ...waits,
    holder: describeHolder(),
    process: identifyThisProcess(),
    isDead: isProvablyDead,
    newId: () => randomBytes(8).toString('hex'),
    assertRunning: stop.assertRunning,
    uninterrupted: (work) => stop.uninterrupted(work, answerSignals(waits.pauseMs, streams)),
    onProgress: progressNotes(streams),
  };
}

/** Some requests beside the pause. */
const requestsMs = 1000;

/** While the ConfigMap is away people who press Ctrl-C are told why it is not obeyed yet, each time. */
function answerSignals(pauseMs: number, streams: Streams): (signal: StopSignal) => void {
  const startedAt = performance.now();
  return (signal) => {
    const leftMs = startedAt + pauseMs + requestsMs - performance.now();
    const wait =
      leftMs > 0
        ? `this takes about ${Math.ceil(leftMs / 1000)} s more`
        : 'the API server has not taken it yet, and is asked again';
    streams.warn(
      `${signal}: not yet. The ConfigMap is being put back, without which no Sentry starts; ${wait}. Then this run stops. Should it end now: \`dapr-mtls repair -k\`\n`,
    );
  };
}

/** One line for each wait, not one a second. */
function progressNotes(streams: Streams): (progress: ClusterProgress) => void {
  let announced: ClusterProgress['kind'] | undefined;
  return (progress) => {
    if (progress.kind === announced) return;
    announced = progress.kind;
    streams.note(`${sentenceOf(progress)}\n`);
  };
}

function sentenceOf(progress: ClusterProgress): string {
  switch (progress.kind) {
    case 'other-run':
      return `"${progress.purpose}" (${progress.holder}) is at work there or has died; waiting ${Math.ceil(progress.remainingMs / 1000)} s to see whether it moves`;
    case 'finishing':
      return `Finishing the change that "${progress.purpose}" began at ${progress.startedAt} and did not end`;
    case 'writing':
      return progress.what === 'both'
        ? 'Writing Secret and ConfigMap; the ConfigMap is away meanwhile, so that no Sentry starts on two different roots'
        : 'Writing the Secret';
    case 'watching':
      return `Watching both objects for ${Math.ceil(progress.remainingMs / 1000)} s (--settle SECONDS sets it)`;
  }
}
