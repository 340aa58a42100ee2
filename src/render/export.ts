import type { ExportReport } from '../app/export.ts';

/** Upstream's words: scripts look for them. */
export function renderExport({ directory }: ExportReport): string {
  return `Trust certs successfully exported to ${directory}\n`;
}
