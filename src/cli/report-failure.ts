import { apiVersion } from '../app/report.ts';
import { printableLines } from '../render/text.ts';
import { asksForDocument, describeFailure, type Failure } from './failure.ts';

/** Prints what went wrong, and the mend, and returns the exit code. */
export function reportFailure(error: unknown, command: string, argv: readonly string[]): number {
  const failure = describeFailure(error, command);
  // JSON is YAML, too.
  if (asksForDocument(argv)) process.stdout.write(`${JSON.stringify(toDocument(failure), undefined, 2)}\n`);
  process.stderr.write(printableLines(`Error: ${failure.message}\n${failure.hint}\n`));
  if (process.env.DAPR_MTLS_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return failure.exitCode;
}

function toDocument({ code, message, hint, exitCode }: Failure) {
  return { apiVersion, kind: 'Error', code, message, hint, exitCode };
}
