import { apiVersion } from '../app/report.ts';
import { aimDocument } from '../render/aim-advice.ts';
import { renderNagiosFailure } from '../render/machine/nagios.ts';
import { printableLines } from '../render/text.ts';
import { describeFailure, type Failure, formatAskedFor } from './failure.ts';
import { readAim } from './read-aim.ts';

/** Prints what went wrong, and the mend, and returns the exit code. */
export function reportFailure(error: unknown, command: string, argv: readonly string[]): number {
  const failure = aimDocument(describeFailure(error, command), readAim(argv));
  const format = formatAskedFor(argv);
  // JSON is YAML, too.
  if (format === 'json' || format === 'yaml')
    process.stdout.write(`${JSON.stringify(toDocument(failure), undefined, 2)}\n`);
  process.stderr.write(printableLines(`Error: ${failure.message}\n${failure.hint}\n`));
  if (process.env.DAPR_MTLS_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  if (format !== 'nagios') return failure.exitCode;
  const { text, exitCode } = renderNagiosFailure(failure.message);
  process.stdout.write(text);
  return exitCode;
}

function toDocument({ code, message, hint, exitCode }: Failure) {
  return { apiVersion, kind: 'Error', code, message, hint, exitCode };
}
