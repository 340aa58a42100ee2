/** What is taken of an answer that is no success. */
export interface ApiStatus {
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly string[];
  /** False where what answered is no API server. */
  readonly isStatus: boolean;
  /** The server's words, on one line and cut; empty for Secrets. */
  readonly message: string;
  /** True for a 403 of the authorizer, which a Role mends; false for one of an admission plugin. */
  readonly isAuthorization: boolean;
  /** Who was refused, where the authorizer says so. */
  readonly user: string | undefined;
}

const longestMessage = 500;
const mostFields = 20;

/** @param aboutSecret the message is then only looked at for who was refused */
export function readStatus(status: number, body: string, aboutSecret: boolean): ApiStatus {
  const found = parse(body);
  const message = typeof found?.message === 'string' ? found.message : '';
  return {
    status,
    reason: word(found?.reason) || namelessReason(status),
    fields: fieldsOf(found?.details),
    isStatus: found?.kind === 'Status',
    message: aboutSecret ? '' : oneLine(message),
    isAuthorization: status === 403 && refusal.test(message),
    user: status === 403 ? refusal.exec(message)?.[1] : undefined,
  };
}

/** Of an answer that names none, as one that the API server passes on from a kubelet. */
export function namelessReason(status: number): string {
  return `HTTP ${status}`;
}

/**
 * How the API server's authorizers begin a refusal. The name is shown even where the object is a
 * Secret: shorter than any key, and of letters that user names have.
 */
const refusal =
  /^[a-z.0-9-]+(?: "[^"]{0,253}")? is forbidden: User "([A-Za-z0-9@:._ /-]{1,100})" cannot [a-z]+ resource /;

interface StatusBody {
  readonly kind?: unknown;
  readonly reason?: unknown;
  readonly message?: unknown;
  readonly details?: unknown;
}

function parse(body: string): StatusBody | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Names of fields are paths: anything longer is not shown. */
function fieldsOf(details: unknown): string[] {
  const causes = (details as { causes?: unknown } | undefined)?.causes;
  if (!Array.isArray(causes)) return [];
  const fields = causes.map((cause: { field?: unknown } | undefined) => cause?.field);
  return fields
    .filter((field): field is string => typeof field === 'string' && /^[\w.[\]/"'-]{1,120}$/.test(field))
    .slice(0, mostFields);
}

function word(value: unknown): string {
  return typeof value === 'string' && /^\w{1,60}$/.test(value) ? value : '';
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= longestMessage ? line : `${line.slice(0, longestMessage)}…`;
}
