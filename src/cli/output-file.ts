import { resolve } from 'node:path';
import * as Flags from '@oclif/core/flags';
import { DaprMtlsError } from '../errors.ts';
import type { Streams } from './streams.ts';

/** `-o FILE`, for a result that is one document. */
export const outputFileFlag = (description: string) =>
  Flags.custom<string>({
    char: 'o',
    description,
    helpValue: 'FILE',
    helpGroup: 'OUTPUT',
    // An empty name would mean the folder in which the command runs; it comes from a variable that is not set.
    parse: async (path) => {
      if (path !== '') return path;
      throw new DaprMtlsError('usage.invalid', {
        message: '--output names no file',
        hint: 'Name a file; - is standard output, which is meant without the flag, too.',
      });
    },
  })();

/** @returns undefined where standard output is meant */
export function fileOf(output: string | undefined): string | undefined {
  return output === '-' ? undefined : output;
}

/**
 * Writes a result to where `-o` leads.
 * @throws DaprMtlsError `file.io`, `store.permission`, `store.full` where the file cannot be written
 */
export async function writeOutput(text: string, output: string | undefined, streams: Streams): Promise<void> {
  const file = fileOf(output);
  if (file === undefined) return streams.out(text);
  (await import('./replace-output.ts')).replaceOutput(resolve(file), text);
}
