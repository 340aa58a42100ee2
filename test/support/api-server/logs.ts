import type { Answer } from './answer.ts';
import { textAnswer } from './answer.ts';
import { badRequest } from './status.ts';

interface Entry {
  /** RFC 3339 with nanoseconds, in any zone. */
  readonly at: string;
  readonly text: string;
}

interface Log {
  readonly entries: Entry[];
  readonly previous: Entry[];
  readonly followers: Set<() => void>;
  /** How often followers were sent home. */
  ends: number;
}

/** What containers have written, as a kubelet hands it out through the API server. */
export class ContainerLogs {
  readonly #logs = new Map<string, Log>();

  /** `pod/container`; a container that has never written is one that has not started. */
  write(where: string, at: string, ...texts: readonly string[]): void {
    const log = this.#open(where);
    for (const text of texts) log.entries.push({ at, text });
    wake(log);
  }

  /** The container has ended and starts anew: who follows gets to an end, its lines are those of the past. */
  restart(where: string): void {
    const log = this.#open(where);
    log.previous.splice(0, log.previous.length, ...log.entries.splice(0));
    this.end(where);
  }

  /** Ends the answers of those who follow; the log stays. */
  end(where: string): void {
    const log = this.#open(where);
    log.ends += 1;
    wake(log);
  }

  /** How many follow at this moment. */
  get followers(): number {
    return [...this.#logs.values()].reduce((sum, { followers }) => sum + followers.size, 0);
  }

  /** Whether a container has started. */
  has(where: string): boolean {
    return this.#logs.has(where);
  }

  answer(pod: string, query: URLSearchParams, signal: AbortSignal): Answer {
    const container = query.get('container') ?? '';
    const log = this.#logs.get(`${pod}/${container}`);
    if (!log) throw badRequest(`container "${container}" in pod "${pod}" is waiting to start: ContainerCreating`);
    const isPrevious = query.get('previous') === 'true';
    if (isPrevious && log.previous.length === 0)
      throw badRequest(`previous terminated container "${container}" in pod "${pod}" not found`);
    const withInstant = query.get('timestamps') === 'true';
    const write = ({ at, text }: Entry) => `${withInstant ? `${at} ` : ''}${text}\n`;
    const first = select(isPrevious ? log.previous : log.entries, query);
    if (query.get('follow') !== 'true') return textAnswer(200, first.map(write).join(''));
    return { code: 200, contentType: 'text/plain', body: follow(log, first.map(write), write, signal) };
  }

  #open(where: string): Log {
    const log = this.#logs.get(where) ?? { entries: [], previous: [], followers: new Set(), ends: 0 };
    this.#logs.set(where, log);
    return log;
  }
}

function wake({ followers }: Log): void {
  for (const follower of [...followers]) follower();
}

/** Kubernetes hands `sinceTime` on in whole seconds. */
function select(entries: readonly Entry[], query: URLSearchParams): readonly Entry[] {
  const [sinceTime, sinceSeconds, tail] = ['sinceTime', 'sinceSeconds', 'tailLines'].map((name) => query.get(name));
  const fromMs = sinceTime
    ? Math.floor(Date.parse(sinceTime) / 1000) * 1000
    : sinceSeconds
      ? Date.now() - Number(sinceSeconds) * 1000
      : Number.NEGATIVE_INFINITY;
  const since = entries.filter(({ at }) => Date.parse(at.replace(/(\.\d{3})\d*/, '$1')) >= fromMs);
  return tail === null || tail === undefined ? since : since.slice(Math.max(0, since.length - Number(tail)));
}

async function* follow(
  log: Log,
  first: readonly string[],
  write: (entry: Entry) => string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let told = log.entries.length;
  const { ends } = log;
  if (first.length > 0) yield first.join('');
  while (!signal.aborted && log.ends === ends) {
    const fresh = log.entries.slice(told);
    told = log.entries.length;
    if (fresh.length > 0) yield fresh.map(write).join('');
    else await nextEvent(log, signal);
  }
}

function nextEvent({ followers }: Log, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      followers.delete(done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    followers.add(done);
    signal.addEventListener('abort', done);
  });
}
