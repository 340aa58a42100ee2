import { addAbortSignal } from 'node:stream';
import { DaprMtlsError } from '../../errors.ts';
import type { Access, Login } from '../kubeconfig/access.ts';
import { type Answer, type Broken, collect } from './answer.ts';
import { connectionError, destinationOf } from './connection-error.ts';
import { apiFailureOf } from './failure.ts';
import { type ApiRequest, methods } from './request.ts';
import { mayHaveHappened, pauseBeforeRetryMs, type Refused } from './retry.ts';
import type { Transport } from './transport.ts';

/** What all calls of one client share. */
export interface Line {
  readonly access: Access;
  readonly transport: Transport;
  readonly userAgent: string;
  /** For one call, all its tries and pauses together. */
  readonly timeoutMs: number;
  readonly random: () => number;
  /** Ends early where the signal is given. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** What is read of an answer: its JSON, or its body as it comes. */
type Read<T> = (message: Answer, signal: AbortSignal) => Promise<T | Broken>;

/** One object or one page of a list: a Secret is at most 1 MiB, 500 pods are about 7. */
const maxJsonBytes = 32 * 1024 * 1024;
const maxErrorBytes = 4 * 1024 * 1024;

/**
 * Sends a request, again where that is safe, and reads the JSON of the answer.
 * @throws DaprMtlsError `cluster.*`, with an ApiFailure as its cause
 */
export function call<T>(line: Line, request: ApiRequest, outer?: AbortSignal): Promise<T> {
  return callFor(
    line,
    request,
    async (message, signal) => {
      const body = await collect(message, maxJsonBytes, signal);
      if (!Buffer.isBuffer(body)) return body;
      try {
        return JSON.parse(body.toString('utf8')) as T;
      } catch {
        throw new DaprMtlsError('cluster.rejected', {
          message: `${line.access.address.server} answered ${message.statusCode} and not as an API server does`,
          hint: 'See what stands at that address: kubectl get --raw /version',
        });
      }
    },
    outer,
  );
}

/**
 * The same for an answer that is read as it comes: the time limit ends with its head.
 * @param outer ends the call, and the body after it
 */
export async function callForStream(line: Line, request: ApiRequest, outer?: AbortSignal): Promise<Answer> {
  const message = await callFor(line, request, async (head) => head, outer);
  return outer ? addAbortSignal(outer, message) : message;
}

/** A login may ask somebody, who takes his time: the time limit is for the server alone. */
async function callFor<T>(line: Line, request: ApiRequest, read: Read<T>, outer?: AbortSignal): Promise<T> {
  const { credentials } = line.access;
  const login = await credentials.current();
  try {
    return await withinTime(line, outer, (limit) => tryUntilAnswered(line, request, read, limit, login, false));
  } catch (error) {
    const failure = apiFailureOf(error);
    if (failure?.status !== 401 || !credentials.renew) throw error;
    const renewed = await credentials.renew(login);
    return await withinTime(line, outer, (limit) =>
      tryUntilAnswered(line, request, read, limit, renewed, failure.outcomeUnknown),
    );
  }
}

interface Limit {
  readonly signal: AbortSignal;
  /** Of `monotonicMs()`. */
  readonly endsAtMs: number;
}

/** The first use of `performance` would load a dozen of Node's modules. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

async function withinTime<T>(
  { timeoutMs }: Line,
  outer: AbortSignal | undefined,
  run: (limit: Limit) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort('timeout'), timeoutMs);
  const signal = outer ? AbortSignal.any([outer, controller.signal]) : controller.signal;
  try {
    return await run({ signal, endsAtMs: monotonicMs() + timeoutMs });
  } finally {
    clearTimeout(timer);
  }
}

/** @param isUncertain whether a try before these may have been carried out */
async function tryUntilAnswered<T>(
  line: Line,
  request: ApiRequest,
  read: Read<T>,
  { signal, endsAtMs }: Limit,
  firstLogin: Login,
  isUncertain: boolean,
): Promise<T> {
  let login = firstLogin;
  let mayBeDone = isUncertain;
  for (let tries = 1; ; tries++) {
    const outcome = await attempt(line, request, login, read, signal);
    if (outcome.kind === 'answered') return outcome.value;
    mayBeDone ||= request.effect !== 'none' && mayHaveHappened(outcome);
    const pauseMs = pauseBeforeRetryMs(outcome, request.effect, tries, line.random);
    if (pauseMs === undefined || monotonicMs() + pauseMs >= endsAtMs)
      throw await toError(line, request, outcome, mayBeDone);
    await line.sleep(pauseMs, signal);
    login = await line.access.credentials.current();
  }
}

interface Answered<T> {
  readonly kind: 'answered';
  readonly value: T;
}

async function attempt<T>(
  line: Line,
  request: ApiRequest,
  login: Login,
  read: Read<T>,
  signal: AbortSignal,
): Promise<Answered<T> | Refused | Broken> {
  const head = await line.transport.send(
    {
      method: methods[request.verb],
      path: request.path,
      headers: {
        Accept: request.accept ?? 'application/json',
        'User-Agent': line.userAgent,
        ...(request.acceptEncoding !== undefined && { 'Accept-Encoding': request.acceptEncoding }),
        ...(request.contentType !== undefined && { 'Content-Type': request.contentType }),
        ...line.access.headers,
      },
      body: request.body,
      isLong: request.isLong,
    },
    login,
    signal,
  );
  if (head.kind === 'broken') return head;
  const { message } = head;
  const status = message.statusCode ?? 0;
  if (status < 200 || status > 299) {
    const body = await collect(message, maxErrorBytes, signal);
    if (!Buffer.isBuffer(body)) return body;
    const { 'retry-after': retryAfter, 'content-encoding': encoding } = message.headers;
    // An API server packs no refusal; what stands in front of it may.
    const unpacked = encoding === 'gzip' ? (await import('./gunzip.ts')).gunzipWhole(body, maxErrorBytes) : body;
    return { kind: 'refused', status, retryAfter, text: unpacked.toString('utf8') };
  }
  const value = await read(message, signal);
  return isBroken(value) ? value : { kind: 'answered', value };
}

function isBroken(value: unknown): value is Broken {
  return typeof value === 'object' && value !== null && (value as Partial<Broken>).kind === 'broken';
}

async function toError(
  { access, timeoutMs }: Line,
  request: ApiRequest,
  outcome: Refused | Broken,
  outcomeUnknown: boolean,
): Promise<DaprMtlsError> {
  const { server } = access.address;
  if (outcome.kind === 'broken') return connectionError(outcome, destinationOf(access, timeoutMs), outcomeUnknown);
  const [{ readStatus }, { statusError }] = await Promise.all([import('./status.ts'), import('./status-error.ts')]);
  const status = readStatus(outcome.status, outcome.text, request.resource.plural === 'secrets');
  return statusError(request, status, server, outcomeUnknown);
}
