import { constants } from 'node:os';
import { DaprMtlsError } from '../errors.ts';
import { Interrupted } from './stop.ts';

/** What is said of an error, whatever it was thrown as. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly exitCode: number;
}

export function describeFailure(error: unknown, command: string): Failure {
  if (error instanceof DaprMtlsError) {
    return { code: error.code, message: withoutParserWords(error.message), hint: error.hint, exitCode: error.exitCode };
  }
  if (error instanceof Interrupted) return describeInterruption(error);
  if (isParseError(error)) {
    return {
      code: 'usage.invalid',
      message: withoutParserWords(error.message).replaceAll('Nonexistent flag', 'unknown flag'),
      hint: `See how it is written: ${command} --help`,
      exitCode: 2,
    };
  }
  return {
    code: 'bug',
    message: error instanceof Error ? error.message : String(error),
    hint: 'This is a defect of dapr-mtls. Please report it with the command line; DAPR_MTLS_DEBUG=1 shows where it happened.',
    exitCode: 1,
  };
}

function describeInterruption({ signal, account }: Interrupted): Failure {
  const { message, hint } = account ?? {
    message: 'what was begun stands in the journal, and Sentry accepts the directory as it is',
    hint: 'Run the same command again: it goes on where this one stopped.',
  };
  return {
    code: 'interrupted',
    message: `stopped by ${signal}; ${message}`,
    hint,
    exitCode: 128 + constants.signals[signal],
  };
}

/** oclif's parser writes its own words around the message of what a flag's reader throws. */
function withoutParserWords(message: string): string {
  return message.replace(/^Parsing --\S+ \n\t/, '').replace(/\nSee more help with --help$/, '');
}

/** oclif's parser throws its own errors; they carry what was parsed. */
function isParseError(error: unknown): error is Error {
  return error instanceof Error && ('parse' in error || 'oclif' in error);
}

/**
 * In which format an answer is due on standard output. Looked for in the raw words, because a command
 * line that cannot be parsed must be answered, too.
 */
export function formatAskedFor(argv: readonly string[]): string | undefined {
  const end = argv.indexOf('--');
  const words = end < 0 ? argv : argv.slice(0, end);
  const index = words.findIndex((word) => word === '--format' || word.startsWith('--format='));
  return words[index] === '--format' ? words[index + 1] : words[index]?.slice('--format='.length);
}
