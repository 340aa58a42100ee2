import { DaprMtlsError } from '../errors.ts';

/** The answer to `-k`, wherever it is said. */
export function noClusters(): DaprMtlsError {
  return new DaprMtlsError('usage.store', {
    message: 'this version of dapr-mtls works on directories, not on clusters',
    hint: 'Leave -k out and name a directory with --dir; for a cluster use the official dapr CLI.',
  });
}
