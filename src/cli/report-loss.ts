import { writeSync } from 'node:fs';
import { DaprMtlsError } from '../errors.ts';

/**
 * Tells on standard error that an account could not be written to its end.
 * @param name of what could not be written
 * @returns the exit code of a run that had no worse to tell
 */
export function reportLoss(name: string, cause: Error): number {
  const { message, hint, exitCode } = new DaprMtlsError('file.io', {
    message: `${name} cannot be written: ${cause.message}`,
    hint: 'What was to be done is done, or goes on; its account is incomplete. Make room where it is written to.',
    cause,
  });
  try {
    writeSync(2, `Error: ${message}\n${hint}\n`);
  } catch {
    // Standard error is what cannot be written, or as full: the exit code tells.
  }
  return exitCode;
}
