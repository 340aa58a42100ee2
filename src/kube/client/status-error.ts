import { DaprMtlsError, type ErrorCode } from '../../errors.ts';
import type { ApiFailure } from './failure.ts';
import { type ApiRequest, describeTarget } from './request.ts';
import { allowingRole } from './role.ts';
import { type ApiStatus, namelessReason } from './status.ts';

/**
 * An answer that is no success. The words of the server are shown for what is no Secret only: a 422
 * about a Secret repeats all of it, issuer key included.
 * @param outcomeUnknown of an earlier try that the server may have carried out
 */
export function statusError(
  request: ApiRequest,
  answer: ApiStatus,
  server: string,
  outcomeUnknown: boolean,
): DaprMtlsError {
  const { code, message, hint } = explain(request, answer, server);
  const { status, reason, fields } = answer;
  const cause: ApiFailure = { status, reason, fields, outcomeUnknown };
  return new DaprMtlsError(code, {
    message: outcomeUnknown ? `${message}; whether an earlier try of it was carried out is not known` : message,
    hint: outcomeUnknown ? `Look at the object before you try again. ${hint}` : hint,
    cause,
  });
}

interface Explanation {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

function explain(request: ApiRequest, answer: ApiStatus, server: string): Explanation {
  const { status, reason, fields } = answer;
  const target = describeTarget(request);
  switch (status) {
    case 401:
      return {
        code: 'cluster.unauthorized',
        message: `the API server ${server} does not know this user (401)`,
        hint: 'Log in anew as your cluster has it, or get a new kubeconfig; see who you are: kubectl auth whoami',
      };
    case 403:
      return forbidden(request, answer);
    case 409:
      return {
        code: 'cluster.conflict',
        message:
          reason === 'AlreadyExists'
            ? `${target} exists already`
            : `${target} was changed by somebody else since it was read`,
        hint: 'Look at it, then run the command again.',
      };
    case 429:
      return {
        code: 'cluster.rejected',
        message: `the API server ${server} has too much to do (429)`,
        hint: 'Try again later.',
      };
  }
  const words = fields.length > 0 ? ` (fields: ${fields.join(', ')})` : '';
  const named = reason === namelessReason(status) ? reason : `${status} ${reason}`;
  const shown = answer.message ? `: ${answer.message}` : '';
  if (!answer.isStatus) {
    return {
      code: 'cluster.rejected',
      message: `${server} answered ${status} and not as an API server does`,
      hint: 'See what stands at that address: kubectl get --raw /version',
    };
  }
  return {
    code: 'cluster.rejected',
    message: `the API server ${status < 500 ? 'refused' : 'failed'} to ${request.verb} ${target}: ${named}${words}${shown}`,
    hint: status < 500 ? hintForRefusal(answer) : "Try again; if it stays so, look at the API server's logs.",
  };
}

function hintForRefusal({ status, reason }: ApiStatus): string {
  if (status === 413 || reason === 'RequestEntityTooLarge')
    return 'An object may hold 1 MiB: remove what it does not need.';
  return 'See what the object holds now: kubectl get -o yaml';
}

function forbidden(request: ApiRequest, { user, isAuthorization, message }: ApiStatus): Explanation {
  const what = `this user may not ${request.verb} ${describeTarget(request)} (403)`;
  if (!isAuthorization) {
    return {
      code: 'cluster.forbidden',
      message: `the cluster does not let anybody ${request.verb} ${describeTarget(request)} now (403)${message ? `: ${message}` : ''}`,
      hint: 'No Role would allow it: see the admission policies, the quota, and whether the namespace is being deleted.',
    };
  }
  return {
    code: 'cluster.forbidden',
    message: what,
    hint: `This would allow it; have it applied by who may (kubectl apply -f FILE):\n${allowingRole(request, user)}`,
  };
}
