import { createInterface } from 'node:readline';
import { DaprMtlsError } from '../errors.ts';

/**
 * The lines to explain, one at a time: the words of the command line, else standard input.
 * @throws DaprMtlsError `usage.invalid` where nobody pipes anything in
 */
export async function* readLogLines(words: string | undefined): AsyncGenerator<string> {
  if (words !== undefined && words !== '-') {
    yield* words.split('\n');
    return;
  }
  if (process.stdin.isTTY && words === undefined) {
    throw new DaprMtlsError('usage.invalid', {
      message: 'no line to explain',
      hint: 'Give it as one word, in quotes, or pipe a log in: `kubectl logs POD -c daprd | dapr-mtls explain`. --list shows all lines that are known.',
    });
  }
  yield* createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
}
