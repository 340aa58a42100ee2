import type { StatusReport } from '../app/status/report.ts';
import { printable } from './text.ts';

const header = ['NAME', 'NAMESPACE', 'HEALTHY', 'STATUS', 'REPLICAS', 'VERSION', 'AGE', 'CREATED'];

/** Stands where there is nothing to say, so that a script finds every column. */
const nothing = '-';

/**
 * The official CLI's table, byte for byte: its table printer pads the last column, too, and leaves
 * two spaces behind each.
 * @param minutesBehindUtc of the reader's time zone at an instant, as `Date.getTimezoneOffset` tells
 */
export function renderStatus({ cluster, services }: StatusReport, minutesBehindUtc: (instant: Date) => number): string {
  const rows = services.map((service) => [
    service.name,
    cluster.namespace,
    service.healthy ? 'True' : 'False',
    service.status,
    String(service.replicas),
    service.version ?? nothing,
    service.ageSeconds === null ? nothing : formatAge(service.ageSeconds),
    service.created === null ? nothing : formatCreated(new Date(service.created), minutesBehindUtc),
  ]);
  const table = [header, ...rows].map((row) => row.map(printable));
  const widths = header.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table.map((row) => `${row.map((cell, column) => cell.padEnd((widths[column] ?? 0) + 2)).join('')}\n`).join('');
}

/** As the official CLI counts: 60 seconds, 60 minutes and 24 hours are still told in the smaller unit. */
export function formatAge(seconds: number): string {
  if (seconds <= 60) return `${seconds}s`;
  if (seconds <= 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds <= 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** `2026-11-22 00:54.55` in the reader's time zone, with the point that the official CLI has there. */
function formatCreated(instant: Date, minutesBehindUtc: (instant: Date) => number): string {
  const local = new Date(instant.getTime() - minutesBehindUtc(instant) * 60_000).toISOString();
  return `${local.slice(0, 10)} ${local.slice(11, 16)}.${local.slice(17, 19)}`;
}
