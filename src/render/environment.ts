import type { EnvironmentReport } from '../app/environment.ts';

export const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;
export type Shell = (typeof shells)[number];

/** Lines that the shell can evaluate; values may hold line breaks and quotes. */
export function renderEnvironment({ variables }: EnvironmentReport, shell: Shell): string {
  return Object.entries(variables)
    .map(([name, value]) => `${assignments[shell](name, value)}\n`)
    .join('');
}

const posix = (name: string, value: string) => `export ${name}='${value.replaceAll("'", "'\\''")}'`;

const assignments: Record<Shell, (name: string, value: string) => string> = {
  bash: posix,
  zsh: posix,
  // Within single quotes fish knows \\ and \' alone.
  fish: (name, value) => `set -gx ${name} '${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`,
  powershell: (name, value) => `$env:${name} = '${value.replaceAll("'", "''")}'`,
};
