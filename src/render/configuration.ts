import type { ConfigurationReport } from '../app/configuration/report.ts';
import { columns, printable } from './text.ts';

export function renderConfiguration({ settings, tokenValidators }: ConfigurationReport): string {
  const rows = settings.map(({ name, value, source }) => [
    name,
    printable(String(value ?? '-')),
    source === 'default' ? '(default)' : '',
  ]);
  const validators = tokenValidators.map(({ name, source }) => [
    'tokenValidators',
    printable(name || '-'),
    printable(source ?? '(no source)'),
  ]);
  return `${columns([...rows, ...validators]).join('\n')}\n`;
}

/** What is wrong with them, a sentence each, for standard error. */
export function configurationRemarks({ findings }: ConfigurationReport): string[] {
  return findings.map(({ severity, subject, message, hint }) => `${severity}: ${subject}: ${message}. Mend: ${hint}`);
}
