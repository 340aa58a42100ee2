import { once } from 'node:events';

/**
 * Writes to standard output no faster than it is read, so that a long log stands in no memory.
 * @param closed called when nobody reads any more, as behind `head`
 */
export function openLineOutput(closed: () => void): (text: string) => Promise<void> {
  const { stdout } = process;
  stdout.once('error', closed);
  return async (text) => {
    if (stdout.write(text) || stdout.destroyed) return;
    await Promise.race([once(stdout, 'drain'), once(stdout, 'close')]).catch(() => undefined);
  };
}
