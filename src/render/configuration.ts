import type { ConfigurationReport } from '../app/configuration/report.ts';
import { columns, printable } from './text.ts';

export function renderConfiguration({ settings }: ConfigurationReport): string {
  const rows = settings.map(({ name, value, source }) => [
    name,
    printable(String(value ?? '-')),
    source === 'default' ? '(default)' : '',
  ]);
  return `${columns(rows).join('\n')}\n`;
}
