import { DaprMtlsError } from '../errors.ts';
import type { StoredBundle, StoreLocation } from '../store/port.ts';

/** @throws DaprMtlsError `store.missing` where none of the three files is there */
export function assertBundle({ files }: StoredBundle, location: StoreLocation): void {
  if (Object.values(files).some((content) => content !== undefined)) return;
  throw new DaprMtlsError('store.missing', {
    message: `there is no bundle in ${location.name}`,
    hint: hintForMissing(location),
  });
}

/** Where to look for a bundle that is not there. */
export function hintForMissing({ kind }: StoreLocation): string {
  return kind === 'cluster'
    ? 'If Dapr runs there, restart nothing: `dapr-mtls check -k` says what is wrong, and `dapr-mtls repair -k --from backup` brings a copy back. Else name its namespace with -n, another cluster with --context, or install it: `dapr init -k`.'
    : 'Name the directory of the bundle with --dir, or make a bundle: `dapr-mtls init`.';
}
