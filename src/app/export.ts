import type { StoredBundle, StoreLocation } from '../store/port.ts';
import { type Document, describeStore, document, type StoreReport } from './report.ts';

export interface ExportReport extends Document<'Export'> {
  readonly store: StoreReport;
  /** Absolute. */
  readonly directory: string;
  readonly files: readonly string[];
  /** Where the bundle that was there before is kept; null where there was none, or the same. */
  readonly replaced: string | null;
}

export function describeExport(
  stored: StoredBundle,
  location: StoreLocation,
  written: Pick<ExportReport, 'directory' | 'files' | 'replaced'>,
): ExportReport {
  return document('Export', { store: describeStore(location, stored), ...written });
}
