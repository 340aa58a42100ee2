import { assertBundle } from '../app/assert-bundle.ts';
import { describeExport, type ExportReport } from '../app/export.ts';
import { DaprMtlsError } from '../errors.ts';
import { exportBundle } from '../store/directory/export.ts';
import { locate, type Place } from '../store/directory/place.ts';
import type { DirectoryReader } from '../store/directory/read.ts';

/** Copies the bundle out of the store; never into the directory that Sentry watches. */
export function exportStore(store: DirectoryReader, place: Place, target: string, now: Date): ExportReport {
  const destination = locate(target, place.names);
  if (destination.directory === place.directory || destination.directory === place.workDirectory) {
    throw new DaprMtlsError('usage.invalid', {
      message: `${target} is the store itself`,
      hint: 'Name another folder with --out.',
    });
  }
  const stored = store.read();
  assertBundle(stored, store.location);
  const stamp = now.toISOString().replace(/[-:]|\.\d+/g, '');
  return describeExport(stored, store.location, exportBundle(stored.files, place.names, target, stamp));
}
