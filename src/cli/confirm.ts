import { createInterface } from 'node:readline/promises';
import { DaprMtlsError } from '../errors.ts';

/**
 * Asks who sits at a terminal; a script goes on as it would with the official CLI. Ctrl-C and the
 * end of the input mean no.
 * @throws DaprMtlsError `usage.declined`
 */
export async function confirmAtTerminal(question: string, isAssumed: boolean): Promise<void> {
  if (isAssumed || !process.stdin.isTTY || !process.stderr.isTTY) return;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new Promise<string>((resolve) => {
    for (const event of ['SIGINT', 'close'] as const) {
      terminal.once(event, () => {
        process.stderr.write('\n');
        resolve('');
      });
    }
  });
  try {
    const answer = await Promise.race([terminal.question(`${question} [y/N] `), ended]);
    terminal.removeAllListeners('close');
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    terminal.close();
  }
  throw new DaprMtlsError('usage.declined', {
    message: 'not confirmed; nothing was written',
    hint: 'Answer y, or say --yes, to go on all the same.',
  });
}
