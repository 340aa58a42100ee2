import type { Kind } from './kinds.ts';
import type { StoredObject } from './object.ts';
import { listHead, type Representation, representItem } from './representation.ts';
import { parseSelection } from './selectors.ts';
import { badRequest, failure, Refusal } from './status.ts';
import type { ObjectStore } from './store.ts';

export interface Page {
  readonly resourceVersion: string;
  readonly continue: string;
  readonly remaining: number | undefined;
  readonly items: readonly StoredObject[];
}

/** What lists in pages need to be remembered: the state at which each of them began. */
export class Pager {
  readonly #store: ObjectStore;
  readonly #snapshots = new Map<string, readonly StoredObject[]>();

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** As after five minutes: no list that has begun can be continued. */
  expire(): void {
    this.#snapshots.clear();
  }

  /** @throws Refusal 400, 410 */
  read(kind: Kind, namespace: string, query: URLSearchParams): Page {
    const page = this.#read(kind, namespace, query);
    // What a selector would leave of the rest is not known before it is looked at.
    return query.get('labelSelector') || query.get('fieldSelector') ? { ...page, remaining: undefined } : page;
  }

  #read(kind: Kind, namespace: string, query: URLSearchParams): Page {
    const isSelected = parseSelection(kind, query);
    const token = query.get('continue');
    const limit = Number(query.get('limit') ?? 0);
    if (token) return this.#continue(decode(token), limit, isSelected);
    const all = this.#store.list(kind, namespace);
    const resourceVersion = String(this.#store.revision);
    // The watch cache answers resourceVersion=0 in one page, whatever the limit.
    if (limit <= 0 || query.get('resourceVersion') === '0') {
      return { resourceVersion, continue: '', remaining: undefined, items: all.filter(isSelected) };
    }
    const snapshot = `${resourceVersion}/${kind.plural}/${namespace}`;
    this.#snapshots.set(snapshot, all);
    return this.#cut(all, { snapshot, resourceVersion, start: 0 }, limit, isSelected);
  }

  #continue(token: Token, limit: number, isSelected: (object: StoredObject) => boolean): Page {
    const all = this.#snapshots.get(token.snapshot);
    if (all) return this.#cut(all, token, limit > 0 ? limit : Number.POSITIVE_INFINITY, isSelected);
    const message =
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';
    throw new Refusal({
      ...failure(410, 'Expired', message),
      metadata: { continue: encode({ ...token, snapshot: '' }) },
    });
  }

  #cut(
    all: readonly StoredObject[],
    { snapshot, resourceVersion, start }: Token,
    limit: number,
    isSelected: (object: StoredObject) => boolean,
  ): Page {
    const items: StoredObject[] = [];
    let next = start;
    for (; next < all.length && items.length < limit; next += 1) {
      const object = all[next] as StoredObject;
      if (isSelected(object)) items.push(object);
    }
    const left = all.length - next;
    const rest = left > 0 ? encode({ snapshot, resourceVersion, start: next }) : '';
    return { resourceVersion, continue: rest, remaining: left > 0 ? left : undefined, items };
  }
}

interface Token {
  readonly snapshot: string;
  readonly resourceVersion: string;
  readonly start: number;
}

function encode(token: Token): string {
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

function decode(text: string): Token {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString()) as Token;
  } catch {
    throw badRequest('continue key is not valid: invalid character');
  }
}

const chunkBytes = 64 * 1024;

/** A list as it goes over the wire, a chunk at a time. */
export function* writeJsonList(kind: Kind, page: Page, representation: Representation): Generator<string> {
  const metadata = {
    resourceVersion: page.resourceVersion,
    ...(page.continue ? { continue: page.continue } : {}),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  };
  const head = JSON.stringify({ ...listHead(kind, representation), metadata });
  let chunk = `${head.slice(0, -1)},"items":[`;
  for (const [index, item] of page.items.entries()) {
    chunk += (index === 0 ? '' : ',') + JSON.stringify(representItem(item, kind, representation));
    if (chunk.length < chunkBytes) continue;
    yield chunk;
    chunk = '';
  }
  yield `${chunk}]}\n`;
}
