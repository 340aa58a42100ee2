import { forbidden, isAllowed, type UserRules } from './access.ts';
import { type Answer, jsonAnswer, statusAnswer, textAnswer } from './answer.ts';
import { discover } from './discovery.ts';
import { type Pager, writeJsonList } from './list.ts';
import type { ContainerLogs } from './logs.ts';
import { isObject, type JsonObject } from './object.ts';
import type { PodListEncoder } from './protobuf.ts';
import { negotiate, represent } from './representation.ts';
import { type ApiRequest, isWriting, type Target } from './request.ts';
import { review } from './reviews.ts';
import { badRequest, failure, notFound, Refusal } from './status.ts';
import type { ObjectStore } from './store.ts';
import type { Watches } from './watch.ts';
import type { Writer } from './write.ts';

/** What stands behind the server's paths. */
export interface Rooms {
  readonly store: ObjectStore;
  readonly pager: Pager;
  readonly logs: ContainerLogs;
  readonly watches: Watches;
  readonly writer: Writer;
  readonly encoder: PodListEncoder;
  readonly users: ReadonlyMap<string, UserRules>;
}

/** Carries a request out and says what to answer. `signal`: the client has gone. */
export function handle(rooms: Rooms, request: ApiRequest, signal: AbortSignal): Answer {
  try {
    return route(rooms, request, signal);
  } catch (error) {
    if (error instanceof Refusal) return statusAnswer(error.status);
    throw error;
  }
}

function route(rooms: Rooms, request: ApiRequest, signal: AbortSignal): Answer {
  const { target, user } = request;
  if (user === undefined) return statusAnswer(failure(401, 'Unauthorized', 'Unauthorized'));
  const rules = rooms.users.get(user);
  if (!target) return answerApart(request, rules);
  if (!isAllowed(rules, target)) throw forbidden(user, target);
  return isWriting(request) ? write(rooms, request, target) : read(rooms, request, target, signal);
}

/** The paths that lead to no resource: reviews, discovery, health. */
function answerApart({ method, path, body }: ApiRequest, rules: UserRules | undefined): Answer {
  const [pathname = ''] = path.split('?');
  const reviewed = method === 'POST' && rules ? review(pathname, parse(body), rules) : undefined;
  if (reviewed) return jsonAnswer(201, reviewed);
  const discovered = method === 'GET' ? discover(pathname) : undefined;
  if (discovered === undefined) return textAnswer(404, '404 page not found\n');
  return typeof discovered === 'string' ? textAnswer(200, discovered) : jsonAnswer(200, discovered);
}

function write({ writer }: Rooms, request: ApiRequest, target: Target): Answer {
  const representation = negotiate(request.headers.accept, target.kind, false);
  const written = writer.carryOut(request, target);
  return jsonAnswer(written.code, 'object' in written ? represent(written.object, representation) : written.status);
}

function read(rooms: Rooms, { headers, query }: ApiRequest, target: Target, signal: AbortSignal): Answer {
  const { kind, namespace, name, verb, subresource } = target;
  const representation = negotiate(headers.accept, kind, verb === 'list');
  if (verb === 'watch') {
    const body = rooms.watches.open(kind, namespace, query, representation, signal);
    return { code: 200, contentType: 'application/json', body };
  }
  if (verb === 'list') {
    const page = rooms.pager.read(kind, namespace, query);
    return representation.encoding === 'protobuf'
      ? { code: 200, contentType: 'application/vnd.kubernetes.protobuf', body: rooms.encoder.encode(page) }
      : { code: 200, contentType: 'application/json', body: writeJsonList(kind, page, representation) };
  }
  if (kind.plural === 'pods' && subresource === 'log') {
    if (!rooms.store.find(kind, namespace, name)) throw notFound(kind, name);
    return rooms.logs.answer(name, query, signal);
  }
  const found = ['', 'status'].includes(subresource) ? rooms.store.find(kind, namespace, name) : undefined;
  if (!found) throw notFound(kind, name);
  return jsonAnswer(200, represent(found, representation));
}

function parse(body: string): JsonObject {
  try {
    const value: unknown = JSON.parse(body);
    if (isObject(value)) return value;
  } catch {
    // Told below: it is the client's mistake.
  }
  throw badRequest('the object provided is unrecognized (must be of type JSON)');
}
