import { DaprMtlsError } from '../../errors.ts';
import { isAbsentLog } from '../absent-log.ts';
import type { LogLine, LogQuery } from '../port.ts';
import { resources } from '../resources.ts';
import { callForStream, type Line } from './call.ts';
import { chunksOf } from './chunks.ts';
import { apiFailureOf } from './failure.ts';
import { logLinesOf } from './log-lines.ts';
import { passes, pauseMs } from './passing.ts';
import { isNotFound } from './read.ts';
import { type ApiRequest, objectPath, withQuery } from './request.ts';

/** A connection that has died without a word is found out by asking again, which costs little. */
const followSilenceMs = 60_000;
/** What was followed for longer had nothing to tell, and is no failure. */
const healthyMs = 1_000;
/** Without `follow` who reads is waiting for an end. */
const mostFailures = 5;

/**
 * As `Cluster.logs`. An answer that breaks off is asked for anew from where it stood, and so is one
 * that ends while it is followed: of a container that starts again, or of a server that goes down.
 */
export async function* readLogs(line: Line, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogLine> {
  const told = startTelling(query);
  const { follow } = query;
  let isTroubled = false;
  for (let failures = 0; !signal.aborted; ) {
    const before = told.count();
    let openedMs = Number.POSITIVE_INFINITY;
    const onOpen = () => {
      openedMs = performance.now();
      isTroubled = false;
    };
    try {
      const isNew = told.resume();
      for await (const logLine of openLog(line, query, told, signal, onOpen)) if (isNew(logLine)) yield logLine;
      if (!follow) return;
    } catch (error) {
      if (signal.aborted) return;
      if (follow && isNotFound(error, '')) return;
      if (!(error instanceof DaprMtlsError) || !isWorthAnotherTry(error, query)) throw error;
      const isOpened = Number.isFinite(openedMs);
      // A call has tried for itself until it was answered; what breaks off behind its head has not.
      if (!follow && (!isOpened || failures >= mostFailures)) throw error;
      if (!isOpened && !isTroubled && (passes(error) || failures > 0)) {
        isTroubled = true;
        follow?.onTrouble(error);
      }
    }
    if (follow?.gone.aborted) return;
    const wasWell = told.count() > before || (follow && performance.now() - openedMs >= healthyMs);
    failures = wasWell ? 1 : failures + 1;
    await line.sleep(pauseMs(failures, line.random), follow ? either(signal, follow.gone) : signal);
    // Another pod may bear the name by now: a StatefulSet's do.
    if (follow?.gone.aborted) return;
  }
}

function either(...signals: AbortSignal[]): AbortSignal {
  return AbortSignal.any(signals);
}

/** Who follows waits for a container that has not started yet. */
function isWorthAnotherTry(error: unknown, { follow }: LogQuery): boolean {
  return passes(error) || (follow !== undefined && isAbsentLog(error));
}

async function* openLog(
  line: Line,
  query: LogQuery,
  told: Telling,
  signal: AbortSignal,
  onOpen: () => void,
): AsyncGenerator<LogLine> {
  const { namespace, pod: name, container, follow, previous, sinceSeconds, tailLines } = query;
  const from = told.resumeFrom();
  const request: ApiRequest = {
    verb: 'get',
    resource: resources.podLogs,
    namespace,
    name,
    path: withQuery(`${objectPath({ resource: resources.pods, namespace, name })}/log`, {
      container,
      timestamps: 'true',
      follow: follow && 'true',
      previous: previous ? 'true' : undefined,
      ...(from === undefined
        ? { sinceSeconds: sinceSeconds?.toString(), tailLines: tailLines?.toString() }
        : { sinceTime: `${from}Z` }),
    }),
    accept: 'application/json, */*',
    effect: 'none',
  };
  const message = await callForStream(line, request, signal).catch((error: unknown) => {
    throw ofNode(error, line, query);
  });
  onOpen();
  told.begin(message.headers.date);
  yield* logLinesOf(chunksOf(line, message, follow ? followSilenceMs : line.timeoutMs));
}

/** Who has named the pods just now, and then does not answer in time, waits for a node to do so. */
function ofNode(error: unknown, { timeoutMs }: Line, { namespace, pod }: LogQuery): unknown {
  const failure = apiFailureOf(error);
  if (failure?.reason !== 'TIMEOUT') return error;
  return new DaprMtlsError('cluster.rejected', {
    message: `the API server had no log from the node of pod ${namespace}/${pod} within ${timeoutMs / 1000} s`,
    hint: `See whether the node is there (\`kubectl get pod ${pod} -n ${namespace} -o wide\`), or give it longer: --request-timeout 60`,
    cause: failure,
  });
}

interface Telling {
  count(): number;
  /** `sinceTime` of the next request, without its zone; undefined where there is nothing to go on from. */
  resumeFrom(): string | undefined;
  /** The server's clock when it first answered: what is written from then on is not to be lost. */
  begin(date: string | undefined): void;
  /** For the lines of one more answer: false for what was told from an earlier one. */
  resume(): (line: LogLine) => boolean;
}

/**
 * What was told, as far as it may come again. Kubernetes takes `sinceTime` in whole seconds, and the two
 * streams of a container may be written a little out of order: so one asks from a second earlier, and
 * passes over each line that was told, by instant and text, as often as it was.
 */
function startTelling({ tailLines }: LogQuery): Telling {
  const recent = new Map<string, { at: string; times: number }>();
  let count = 0;
  let first: string | undefined;
  let newest = '';
  let begun: string | undefined;
  // Where only new lines are wanted, there is a place to go on from before the first one.
  const windowStart = () =>
    newest !== '' ? secondsText(Date.parse(`${newest.slice(0, 19)}Z`) - 1000) : tailLines === 0 ? begun : undefined;
  const record = ({ at, text }: LogLine) => {
    count += 1;
    const isNextSecond = at.slice(0, 19) > newest.slice(0, 19);
    if (at > newest) newest = at;
    const from = windowStart() ?? '';
    if (isNextSecond) for (const [key, line] of recent) if (line.at < from) recent.delete(key);
    const key = `${at} ${text}`;
    first ??= key;
    recent.set(key, { at, times: (recent.get(key)?.times ?? 0) + 1 });
  };
  return {
    count: () => count,
    resumeFrom: windowStart,
    begin: (date = '') => {
      const ms = Date.parse(date);
      begun ??= Number.isNaN(ms) ? undefined : secondsText(ms);
    },
    resume: () => {
      const from = windowStart() ?? '';
      const again = new Map([...recent].map(([key, { times }]) => [key, times]));
      // What stands before the first line told was not wanted: `tailLines` has left it out.
      let isBefore = first !== undefined && again.has(first);
      return (line) => {
        const key = `${line.at} ${line.text}`;
        if (key === first) isBefore = false;
        if (line.at < from || isBefore) return false;
        const left = again.get(key) ?? 0;
        if (left > 0) again.set(key, left - 1);
        else record(line);
        return left === 0;
      };
    },
  };
}

/** `2026-11-22T01:02:03`: instants compare with it as text. */
function secondsText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19);
}
