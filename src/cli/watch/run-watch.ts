import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultWarnBeforeMs } from '../../app/report.ts';
import { describeWatch } from '../../app/watch/figures.ts';
import { whyNotAlive, whyNotReady } from '../../app/watch/health.ts';
import type { WatchReport } from '../../app/watch/report.ts';
import { beginWatch, type Effect, type LogEntry } from '../../app/watch/watch.ts';
import { type Aim, aimDocument } from '../../render/aim-advice.ts';
import { renderLogLine } from '../../render/watch-log.ts';
import { isReaderGone } from '../outlet.ts';
import type { Streams } from '../streams.ts';
import { openAnnouncing } from './announcing.ts';
import { type Clock, systemClock } from './clock.ts';
import { type Hook, openHook } from './hooks.ts';
import { type Loop, longestWaitMs, runLoop } from './loop.ts';
import { type OpenedWatch, openWatch } from './open-watch.ts';
import { describeProcess } from './process-figures.ts';
import type { Endpoints, RunningServer } from './server.ts';
import type { WatchFlags } from './watch-flags.ts';

declare const DAPR_MTLS_VERSION: string;

const defaultEveryMs = 300_000;
/** A service is asked to stop and is gone within a second; commands of the user's get most of it. */
const stopWithinMs = 700;
const hookGraceMs = 500;

/**
 * Watches until SIGTERM or SIGINT: that is how a service ends, and no failure.
 * @throws DaprMtlsError `usage.*`, and those of a cluster that cannot be reached at all
 */
export async function runWatch(flags: WatchFlags, env: NodeJS.ProcessEnv, streams: Streams): Promise<void> {
  const clock = systemClock(flags.at);
  const isJson = flags.format === 'json' || flags['log-as-json'];
  const writer = { instance: hostname(), version: DAPR_MTLS_VERSION, isJson };
  const log = (entry: LogEntry) => {
    if (entry.level === 'info' && flags.quiet) return;
    streams.out(renderLogLine(aimDocument(entry, streams.aim), clock.now().at, writer));
  };
  const everyMs = flags.every ?? defaultEveryMs;
  // Before anything that takes time: the first process of a container ends by no signal that it does not handle.
  const stop = stopOnSignal(log);
  const watched = await Promise.race([openWatch(flags, everyMs, env), untilAborted(stop.signal)]);
  try {
    if (watched) await watchOpened(watched, flags, { clock, log, aim: streams.aim, everyMs, stop: stop.signal });
  } finally {
    stop.abort();
    watched?.close();
  }
  // A request that hangs must not keep a service that was asked to stop.
  setTimeout(() => process.exit(), 50).unref();
}

interface Surroundings {
  readonly clock: Clock;
  readonly log: (entry: LogEntry) => void;
  /** Of the command line: what is advised leads to what is watched. */
  readonly aim: Aim;
  readonly everyMs: number;
  readonly stop: AbortSignal;
}

async function watchOpened(
  { source, announcer, leadership }: OpenedWatch,
  flags: WatchFlags,
  { clock, log, aim, everyMs, stop }: Surroundings,
): Promise<void> {
  const thresholds = flags['warn-at'] ?? [{ kind: 'time', ms: defaultWarnBeforeMs }];
  const begin = beginWatch(source.location, thresholds, leadership?.leads ?? true);
  let loop: Loop = { state: begin, turnedAt: clock.now() };
  const server = await serve(flags, clock, everyMs, () => loop, log);
  const hooks = openHooks(flags, log);
  const announcing = openAnnouncing(announcer, log);
  const perform = (effect: Effect) => {
    if (effect.kind === 'log') log(effect);
    // Who reads an Event is in the cluster already, and has a kubeconfig of his own.
    else if (effect.kind === 'announce')
      announcing.announce(aimDocument(effect.announcement, { namespace: aim.namespace }));
    else hooks[effect.report.event]?.call(aimDocument(effect.report, aim));
  };
  const ended = runLoop(begin, { source, leadership, clock, everyMs, perform }, stop, (turned) => {
    loop = turned;
  });
  try {
    await Promise.race([ended, untilAborted(stop)]);
    const closed = Promise.all([ended, ...Object.values(hooks).map((hook) => hook?.close(hookGraceMs))]);
    await Promise.race([closed, sleep(stopWithinMs, undefined, { ref: false })]);
  } finally {
    server?.close();
  }
}

async function serve(
  { listen }: WatchFlags,
  clock: Clock,
  everyMs: number,
  loop: () => Loop,
  log: (entry: LogEntry) => void,
): Promise<RunningServer | undefined> {
  if (!listen) return undefined;
  const [{ serveEndpoints }, { renderPrometheus }] = await Promise.all([
    import('./server.ts'),
    import('../../render/machine/prometheus.ts'),
  ]);
  const endpoints: Endpoints = {
    metrics: () => {
      const metrics = describeWatch(loop().state, clock.now().at, DAPR_MTLS_VERSION);
      return renderPrometheus({ metrics: [...metrics, ...describeProcess()] });
    },
    whyNotAlive: () => whyNotAlive(loop().turnedAt, clock.now(), longestWaitMs),
    whyNotReady: () => whyNotReady(loop().state.lookedAt, clock.now(), everyMs),
  };
  const server = await serveEndpoints(listen, endpoints);
  log({ level: 'info', message: `Serving /metrics, /healthz and /readyz on ${server.address}` });
  return server;
}

function openHooks(
  flags: WatchFlags,
  log: (entry: LogEntry) => void,
): Readonly<Record<WatchReport['event'], Hook | undefined>> {
  const open = (name: 'on-change' | 'on-warning') => {
    const command = flags[name];
    return command === undefined ? undefined : openHook({ name, command, log });
  };
  return { change: open('on-change'), warning: open('on-warning') };
}

/** A second signal ends the process at once. */
function stopOnSignal(log: (entry: LogEntry) => void): AbortController {
  const stop = new AbortController();
  const signals = ['SIGTERM', 'SIGINT'] as const;
  const take = (signal: NodeJS.Signals) => {
    for (const one of signals) process.off(one, take);
    log({ level: 'info', message: `Stopped by ${signal}` });
    stop.abort();
  };
  for (const one of signals) process.on(one, take);
  // Nobody reads any more what it is there to tell. A full disk is no such end: others are told all the same.
  process.stdout.on('error', (error) => isReaderGone(error, process.stdout.isTTY) && stop.abort());
  return stop;
}

function untilAborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined));
    if (signal.aborted) resolve(undefined);
  });
}
