import { DaprMtlsError } from '../../errors.ts';

/** What a request came to: the `cause` of every DaprMtlsError of the client. */
export interface ApiFailure {
  /** Of HTTP; 0 where no answer came. */
  readonly status: number;
  /** Of the Status (`Conflict`, `AlreadyExists`); without an answer the code of system or TLS (`ECONNREFUSED`, `TIMEOUT`). */
  readonly reason: string;
  /** The fields that the server objects to: `details.causes[].field`. */
  readonly fields: readonly string[];
  /** The server may have carried the request out all the same. */
  readonly outcomeUnknown: boolean;
}

/** Undefined for an error of another origin. */
export function apiFailureOf(error: unknown): ApiFailure | undefined {
  if (!(error instanceof DaprMtlsError)) return undefined;
  const { cause } = error;
  return typeof cause === 'object' && cause !== null && 'outcomeUnknown' in cause ? (cause as ApiFailure) : undefined;
}
