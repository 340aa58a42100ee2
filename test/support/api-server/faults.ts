import { type Answer, jsonAnswer } from './answer.ts';
import type { ApiRequest } from './request.ts';
import { failure } from './status.ts';

export type FaultAction =
  /** No answer; after the write, if so ordered. The connection stays open. */
  | 'hang'
  | 'hang-after-write'
  /** TCP RST instead of an answer. */
  | 'reset'
  | 'reset-after-write'
  /** The connection ends after so many bytes of the body; 0: after the headers. */
  | { readonly cutAfterBytes: number }
  /** This answer instead of the real one; with `afterWrite` the request was carried out all the same. */
  | {
      readonly status: number;
      readonly afterWrite?: boolean;
      readonly headers?: Readonly<Record<string, string>>;
      /** A Status in the server's own words where it is left out. */
      readonly body?: string | object;
    }
  /** The real answer, later. */
  | { readonly delayMs: number };

export interface Fault {
  /** Every request where it is left out. */
  readonly when?: (request: ApiRequest) => boolean;
  /** How often; once where it is left out. */
  readonly times?: number;
  readonly do: FaultAction;
}

export interface Faults {
  add(fault: Fault): void;
  /** How many of the ordered faults have not happened yet. */
  readonly left: number;
  clear(): void;
}

export interface FaultPlan extends Faults {
  /** What befalls this request; the fault is then one less. */
  draw(request: ApiRequest): Disturbance;
}

export interface Disturbance {
  readonly delayMs: number;
  /** Whether the request is carried out at all. */
  readonly isCarriedOut: boolean;
  /** No answer follows. */
  readonly silence: 'hang' | 'reset' | undefined;
  /** Instead of the real answer. */
  readonly answer: Answer | undefined;
  readonly cutAfterBytes: number | undefined;
}

export function planFaults(): FaultPlan {
  let ordered: { readonly fault: Fault; left: number }[] = [];
  return {
    add: (fault) => {
      ordered.push({ fault, left: fault.times ?? 1 });
    },
    get left() {
      return ordered.reduce((sum, { left }) => sum + left, 0);
    },
    clear: () => {
      ordered = [];
    },
    draw: (request) => {
      const met = ordered.find(({ fault, left }) => left > 0 && (fault.when?.(request) ?? true));
      if (!met) return undisturbed;
      met.left -= 1;
      return { ...undisturbed, ...readAction(met.fault.do) };
    },
  };
}

const undisturbed: Disturbance = {
  delayMs: 0,
  isCarriedOut: true,
  silence: undefined,
  answer: undefined,
  cutAfterBytes: undefined,
};

function readAction(action: FaultAction): Partial<Disturbance> {
  switch (action) {
    case 'hang':
    case 'reset':
      return { silence: action, isCarriedOut: false };
    case 'hang-after-write':
      return { silence: 'hang' };
    case 'reset-after-write':
      return { silence: 'reset' };
  }
  if (!('status' in action)) return action;
  return { isCarriedOut: action.afterWrite === true, answer: answerOf(action) };
}

function answerOf({ status, headers, body }: Extract<FaultAction, { status: number }>): Answer {
  const [reason, message] = knownFailures[status] ?? ['', `the server answered ${status}`];
  const text = typeof body === 'string' ? { code: status, contentType: 'text/plain; charset=utf-8', body } : undefined;
  const answer = text ?? jsonAnswer(status, body === undefined ? failure(status, reason, message) : (body as object));
  return headers ? { ...answer, headers } : answer;
}

/** What the real server says where it is in trouble itself. */
const knownFailures: Readonly<Record<number, readonly [reason: string, message: string]>> = {
  401: ['Unauthorized', 'Unauthorized'],
  410: ['Expired', 'The resourceVersion for the provided watch is too old.'],
  429: ['TooManyRequests', 'too many requests, please try again later'],
  500: ['InternalError', 'Internal error occurred: etcdserver: request timed out'],
  503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
  504: ['Timeout', 'Timeout: request did not complete within the allotted timeout'],
};
