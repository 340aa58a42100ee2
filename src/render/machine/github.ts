import { findingsOf, type Observation } from '../../app/observation/observation.ts';
import { printable } from '../text.ts';

const levels = { error: 'error', warning: 'warning', info: 'notice' } as const;

/** Annotations of GitHub Actions (workflow commands), and the verdict as a line of its own. */
export function renderGithub(observation: Observation): string {
  const annotations = findingsOf(observation).map(({ severity, code, subject, message, hint }) => {
    const title = escapeProperty(`${code}: ${printable(subject)}`);
    return `::${levels[severity]} title=${title}::${escapeData(`${printable(message)}\nMend: ${printable(hint)}`)}`;
  });
  return `${[...annotations, `mtls ${observation.command}: ${printable(observation.verdict)}`].join('\n')}\n`;
}

/** As @actions/core writes them. */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
