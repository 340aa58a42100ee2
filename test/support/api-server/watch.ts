import type { Kind } from './kinds.ts';
import { type Representation, represent } from './representation.ts';
import { parseSelection, type Selection } from './selectors.ts';
import { expired, type Status } from './status.ts';
import type { Change, ObjectStore } from './store.ts';

/** The watches that are under way, and what may befall all of them. */
export class Watches {
  readonly #store: ObjectStore;
  readonly #stops = new Set<(how: 'end' | 'expire') => void>();
  #oldest = 0;
  #refusal: 'event' | 'status' = 'event';

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  get count(): number {
    return this.#stops.size;
  }

  /** Ends every watch as the server does when its time is up. */
  end(): void {
    for (const stop of [...this.#stops]) stop('end');
  }

  /**
   * Forgets the past: watches under way get the event that says so and end, and a later one from an
   * older revision is answered 410, as an event or as a status.
   */
  expire(as: 'event' | 'status'): void {
    this.#oldest = this.#store.revision;
    this.#refusal = as;
    this.#store.changes.length = 0;
    for (const stop of [...this.#stops]) stop('expire');
  }

  /** @throws Refusal 400, 410 */
  open(
    kind: Kind,
    namespace: string,
    query: URLSearchParams,
    representation: Representation,
    signal: AbortSignal,
  ): AsyncIterable<string> {
    const isSelected = parseSelection(kind, query);
    const isOurs = (object: Parameters<Selection>[0]) =>
      (namespace === '' || object.metadata.namespace === namespace) && isSelected(object);
    const since = Number(query.get('resourceVersion') ?? 0);
    if (since > 0 && since < this.#oldest) {
      const refusal = expired(`too old resource version: ${since} (${this.#oldest})`);
      if (this.#refusal === 'status') throw refusal;
      return once(write('ERROR', refusal.status));
    }
    const past =
      since === 0
        ? this.#store
            .list(kind, namespace)
            .filter(isOurs)
            .map((object) => write('ADDED', represent(object, representation)))
        : this.#store.changes
            .filter(({ revision }) => revision > since)
            .flatMap((change) => tell(change, kind, isOurs, representation));
    return this.#follow(past, (change) => tell(change, kind, isOurs, representation), readTimeout(query), signal);
  }

  async *#follow(
    past: readonly string[],
    toLines: (change: Change) => readonly string[],
    timeoutMs: number | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<string> {
    const queue = [...past];
    let isOver = signal.aborted;
    let wake = (): void => undefined;
    const finish = () => {
      isOver = true;
      wake();
    };
    const unsubscribe = this.#store.subscribe((change) => {
      queue.push(...toLines(change));
      wake();
    });
    const stop = (how: 'end' | 'expire') => {
      if (how === 'expire') queue.push(write('ERROR', expired(`too old resource version: (${this.#oldest})`).status));
      finish();
    };
    this.#stops.add(stop);
    signal.addEventListener('abort', finish);
    const timer = timeoutMs === undefined ? undefined : setTimeout(finish, timeoutMs);
    try {
      for (;;) {
        if (queue.length > 0) yield queue.splice(0).join('');
        else if (isOver) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    } finally {
      clearTimeout(timer);
      unsubscribe();
      this.#stops.delete(stop);
    }
  }
}

function readTimeout(query: URLSearchParams): number | undefined {
  const seconds = Number(query.get('timeoutSeconds') ?? 0);
  return seconds > 0 ? seconds * 1000 : undefined;
}

/** A change as a watcher of a selection sees it: what leaves the selection is deleted to it. */
function tell(
  { type, kind, object, previous }: Change,
  watched: Kind,
  isOurs: Selection,
  representation: Representation,
): string[] {
  if (kind !== watched) return [];
  const was = previous !== undefined && isOurs(previous);
  const is = type !== 'DELETED' && isOurs(object);
  if (is) return [write(was ? 'MODIFIED' : 'ADDED', represent(object, representation))];
  return was ? [write('DELETED', represent(object, representation))] : [];
}

function write(type: string, object: object | Status): string {
  return `${JSON.stringify({ type, object })}\n`;
}

async function* once(line: string): AsyncGenerator<string> {
  yield line;
}
