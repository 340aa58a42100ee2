import { type Observation, type PerformanceFigure, worstSeverity } from '../../app/observation/observation.ts';
import { printable } from '../text.ts';

/** The four answers of a monitoring plugin (Monitoring Plugins' development guidelines). */
const answers = {
  OK: 0,
  WARNING: 1,
  CRITICAL: 2,
  UNKNOWN: 3,
} as const;

/** One line with the figures behind a bar, then each finding; and the exit code of a plugin. */
export function renderNagios(observation: Observation): { readonly text: string; readonly exitCode: number } {
  const { command, verdict, checks, performance } = observation;
  const answer = answerTo(observation);
  const grave = checks
    .flatMap(({ findings }) => findings)
    .filter(({ severity }) => severity !== 'info')
    .map(({ severity, subject, message, hint }) => plain(`${severity}: ${subject}: ${message}. ${hint}`));
  const head = `MTLS ${command.toUpperCase()} ${answer} - ${plain(verdict)} | ${performance.map(describeFigure).join(' ')}`;
  return { text: `${[head, ...grave].join('\n')}\n`, exitCode: answers[answer] };
}

/** What is known to be broken outweighs what nobody knows, and that outweighs a warning: it may be as bad as any. */
function answerTo({ checks }: Observation): keyof typeof answers {
  const worst = worstSeverity({ checks: checks.filter(({ isUnread }) => !isUnread) });
  if (worst === 'error') return 'CRITICAL';
  if (checks.some(({ isUnread }) => isUnread)) return 'UNKNOWN';
  return worst === 'warning' ? 'WARNING' : 'OK';
}

/** What a plugin says that could not look. */
export function renderNagiosFailure(message: string): { readonly text: string; readonly exitCode: number } {
  return { text: `MTLS UNKNOWN - ${plain(message)}\n`, exitCode: answers.UNKNOWN };
}

/** `'label'=value[unit];[warn];[critical];[min]` */
function describeFigure({ label, value, unit, warn, critical }: PerformanceFigure): string {
  return `${label}=${value}${unit};${warn};${critical};${unit === '' ? '0' : ''}`.replace(/;+$/, '');
}

/** A bar would begin the figures. */
function plain(text: string): string {
  return printable(text).replaceAll('|', '/');
}
