import { DaprMtlsError } from '../errors.ts';
import type { StoredBundle, StoreLocation } from '../store/port.ts';

/** @throws DaprMtlsError `store.missing` where none of the three files is there */
export function assertBundle({ files }: StoredBundle, { name }: StoreLocation): void {
  if (Object.values(files).some((content) => content !== undefined)) return;
  throw new DaprMtlsError('store.missing', {
    message: `there is no bundle in ${name}`,
    hint: 'Name the directory of the bundle with --dir, or make a bundle: `dapr-mtls init`.',
  });
}
