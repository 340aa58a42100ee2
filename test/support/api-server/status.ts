import type { Resource } from '../../../src/kube/port.ts';
import { qualifiedName } from './kinds.ts';

/** The `kind: Status` document of an answer that is not the object asked for. */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: { readonly continue?: string };
  readonly status: 'Failure' | 'Success';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code?: number;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/** A refusal on its way to the client. */
export class Refusal extends Error {
  readonly status: Status;
  constructor(status: Status) {
    super(status.message);
    this.status = status;
  }
}

export function failure(code: number, reason: string, message: string, details?: StatusDetails): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason ? { reason } : {}),
    ...(details ? { details } : {}),
    code,
  };
}

/** The texts and details of k8s.io/apimachinery/pkg/api/errors. */
export function notFound(resource: Resource, name: string): Refusal {
  return refuse(404, 'NotFound', `${qualifiedName(resource)} "${name}" not found`, detailsOf(resource, name));
}

export function alreadyExists(resource: Resource, name: string): Refusal {
  const message = `${qualifiedName(resource)} "${name}" already exists`;
  return refuse(409, 'AlreadyExists', message, detailsOf(resource, name));
}

export function conflict(resource: Resource, name: string, why: string): Refusal {
  const message = `Operation cannot be fulfilled on ${qualifiedName(resource)} "${name}": ${why}`;
  return refuse(409, 'Conflict', message, detailsOf(resource, name));
}

export const modified = 'the object has been modified; please apply your changes to the latest version and try again';

export function badRequest(message: string): Refusal {
  return refuse(400, 'BadRequest', message);
}

export function tooLarge(limit: number): Refusal {
  return refuse(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limit}`);
}

export function expired(message: string): Refusal {
  return refuse(410, 'Expired', message);
}

/** What a field is refused for; `type` as k8s.io/apimachinery/pkg/util/validation/field words it. */
export interface FieldError {
  readonly field: string;
  readonly type: keyof typeof fieldErrors;
  readonly value?: string | number | readonly string[];
  readonly detail: string;
}

const fieldErrors = {
  invalid: { reason: 'FieldValueInvalid', words: 'Invalid value' },
  forbidden: { reason: 'FieldValueForbidden', words: 'Forbidden' },
  tooLong: { reason: 'FieldValueTooLong', words: 'Too long' },
  required: { reason: 'FieldValueRequired', words: 'Required value' },
  unsupported: { reason: 'FieldValueNotSupported', words: 'Unsupported value' },
} as const;

/** 422. The kind, not the plural, stands in the details. */
export function invalid(resource: Partial<Resource>, name: string, errors: readonly FieldError[]): Refusal {
  const causes = errors.map(({ field, type, value, detail }) => {
    const { reason, words } = fieldErrors[type];
    const given = value === undefined ? '' : `: ${JSON.stringify(value)}`;
    return { reason, message: `${words}${given}: ${detail}`, field };
  });
  const listed = [...new Set(causes.map(({ field, message }) => `${field}: ${message}`))];
  const all = listed.length === 1 ? listed[0] : `[${listed.join(', ')}]`;
  const kind = resource.kind && resource.group ? `${resource.kind}.${resource.group}` : (resource.kind ?? '');
  return refuse(422, 'Invalid', `${kind} ${JSON.stringify(name)} is invalid: ${all}`, {
    ...(name ? { name } : {}),
    ...(resource.group ? { group: resource.group } : {}),
    ...(resource.kind ? { kind: resource.kind } : {}),
    causes,
  });
}

export function refuse(code: number, reason: string, message: string, details?: StatusDetails): Refusal {
  return new Refusal(failure(code, reason, message, details));
}

export function detailsOf({ group, plural }: Pick<Resource, 'group' | 'plural'>, name: string): StatusDetails {
  return { ...(name ? { name } : {}), ...(group ? { group } : {}), kind: plural };
}
