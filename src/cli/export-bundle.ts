import { assertBundle } from '../app/assert-bundle.ts';
import { describeExport, type ExportReport } from '../app/export.ts';
import { DaprMtlsError } from '../errors.ts';
import { exportBundle } from '../store/directory/export.ts';
import { locate } from '../store/directory/place.ts';
import type { BundleReader } from '../store/port.ts';

/** Copies the bundle out of the store; never into the directory that Sentry watches. */
export async function exportStore(store: BundleReader, target: string, now: Date): Promise<ExportReport> {
  const { kind, name, names } = store.location;
  if (kind === 'directory') assertOutside(target, name);
  const stored = await store.read();
  assertBundle(stored, store.location);
  const stamp = now.toISOString().replace(/[-:]|\.\d+/g, '');
  return describeExport(stored, store.location, exportBundle(stored.files, names, target, stamp));
}

function assertOutside(target: string, directory: string): void {
  const destination = locate(target);
  const place = locate(directory);
  if (destination.directory !== place.directory && destination.directory !== place.workDirectory) return;
  throw new DaprMtlsError('usage.invalid', {
    message: `${target} is the store itself`,
    hint: 'Name another folder with --out.',
  });
}
