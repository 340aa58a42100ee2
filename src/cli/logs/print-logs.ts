import { constants } from 'node:os';
import { clusterRemark, describeCluster } from '../../app/cluster-report.ts';
import { type ExplanationReport, startExplaining } from '../../app/explain/explain.ts';
import { readEntry } from '../../app/logs/read-entry.ts';
import { readServiceLogs } from '../../app/logs/service-logs.ts';
import { findControlPlane } from '../../kube/dapr/find.ts';
import { controlPlaneServices } from '../../kube/dapr/services.ts';
import type { Cluster } from '../../kube/port.ts';
import { startRenderingLines } from '../../render/log-line.ts';
import type { Streams } from '../streams.ts';
import { openLineOutput } from './write-lines.ts';

export interface LogFlags {
  readonly namespace: string | undefined;
  readonly service: string;
  readonly follow: boolean;
  readonly previous: boolean;
  /** Milliseconds. */
  readonly since: number | undefined;
  readonly tail: number | undefined;
  readonly format: string;
}

/**
 * Prints the lines until they end, or somebody asks for it.
 * @returns the exit code: 128 and the number of the signal that ended it
 * @throws DaprMtlsError as `readServiceLogs` does
 */
export async function printLogs(cluster: Cluster, flags: LogFlags, streams: Streams): Promise<number> {
  const stop = new AbortController();
  const output = openLineOutput(() => stop.abort());
  const signals = (['SIGINT', 'SIGTERM'] as const).map((name) => {
    const end = () => stop.abort(name);
    // A second one ends the process as it would without us.
    process.once(name, end);
    return () => process.off(name, end);
  });
  try {
    const namespace = await findControlPlane(cluster, flags.namespace);
    streams.note(`${clusterRemark(describeCluster(cluster.location, namespace))}\n`);
    const wish = {
      namespace,
      services: servicesOf(flags.service),
      follow: flags.follow,
      previous: flags.previous,
      sinceSeconds: flags.since === undefined ? undefined : Math.max(1, Math.ceil(flags.since / 1000)),
      tailLines: flags.tail,
    };
    const surroundings = { clock, signal: stop.signal, remark: (text: string) => streams.warn(`${text}\n`) };
    const render = flags.format === 'json' ? undefined : startRenderingLines(streams.outTerminal.colour);
    const explaining = startExplaining(undefined);
    try {
      for await (const line of readServiceLogs(cluster, wish, surroundings)) {
        if (stop.signal.aborted) break;
        const entry = readEntry(line);
        explaining.take(line.text);
        await output.write(render ? render(entry) : `${JSON.stringify(entry)}\n`);
      }
    } finally {
      // What came before a failure was wanted, too.
      await output.flush();
      noteSeen(explaining.report(), streams);
    }
    const name = stop.signal.reason as unknown;
    return name === 'SIGINT' || name === 'SIGTERM' ? 128 + constants.signals[name] : 0;
  } finally {
    // Who has failed leaves nobody behind who still waits for a log.
    stop.abort();
    for (const off of signals) off();
  }
}

function noteSeen({ explanations }: ExplanationReport, streams: Streams): void {
  for (const { title, seen } of explanations)
    streams.note(`Seen ${seen.count === 1 ? 'once' : `${seen.count} times`}: ${title}\n`);
  if (explanations.length > 0)
    streams.note('What that means, how to check and how to mend it: `dapr-mtls logs -k | dapr-mtls explain`\n');
}

function servicesOf(word: string): string[] {
  return controlPlaneServices.filter(({ role }) => word === 'all' || role === word).map(({ name }) => name);
}

/** setTimeout takes no more than 24 days. */
const longestTimerMs = 2 ** 31 - 1;

const clock = {
  nowMs: () => performance.now(),
  wait: (ms: number, signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      if (signal.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(ms, longestTimerMs));
      signal.addEventListener('abort', done);
    }),
};
