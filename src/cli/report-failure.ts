import { apiVersion } from '../app/report.ts';
import { aimDocument } from '../render/aim-advice.ts';
import { renderNagiosFailure } from '../render/machine/nagios.ts';
import { printableLines } from '../render/text.ts';
import { describeFailure, type Failure, formatAskedFor } from './failure.ts';
import { openOutlet } from './outlet.ts';
import { readAim } from './read-aim.ts';

/** Prints what went wrong, and the mend, and returns the exit code. */
export function reportFailure(error: unknown, command: string, argv: readonly string[]): number {
  const failure = aimDocument(describeFailure(error, command), readAim(argv));
  const format = formatAskedFor(argv);
  const [out, remarks] = [openOutlet(1), openOutlet(2)];
  // JSON is YAML, too.
  if (format === 'json' || format === 'yaml') out.write(`${JSON.stringify(toDocument(failure), undefined, 2)}\n`);
  remarks.write(printableLines(`Error: ${failure.message}\n${failure.hint}\n`));
  if (process.env.DAPR_MTLS_DEBUG && error instanceof Error) remarks.write(`${error.stack}\n`);
  if (format !== 'nagios') return failure.exitCode;
  const { text, exitCode } = renderNagiosFailure(failure.message);
  out.write(text);
  return exitCode;
}

function toDocument({ code, message, hint, exitCode }: Failure) {
  return { apiVersion, kind: 'Error', code, message, hint, exitCode };
}
