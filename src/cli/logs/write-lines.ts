import { openOutlet } from '../outlet.ts';

export interface LineOutput {
  /** Resolves when more may be written. */
  write(text: string): Promise<void>;
  /** Writes what is held back. */
  flush(): Promise<void>;
}

/** In characters: one write for each line would cost more than all that is done with it. */
const mostHeld = 64 * 1024;

/**
 * Writes to standard output no faster than it is read, so that a long log stands in no memory; lines
 * that come together are written together.
 * @param closed called when nobody reads any more, as behind `head`
 */
export function openLineOutput(closed: () => void): LineOutput {
  const out = openOutlet(1, { onLoss: closed });
  let held = '';
  let soon: NodeJS.Immediate | undefined;
  /** While the reader has not taken what was written. */
  let draining: Promise<void> | undefined;

  async function flush(): Promise<void> {
    clearImmediate(soon);
    soon = undefined;
    await draining;
    const text = held;
    held = '';
    if (text === '' || out.write(text)) return;
    draining = drained().finally(() => {
      draining = undefined;
    });
    await draining;
  }

  return {
    async write(text) {
      held += text;
      if (draining || held.length >= mostHeld) await flush();
      else soon ??= setImmediate(() => void flush());
    },
    flush,
  };
}

/** Also when nobody will ever read again. */
function drained(): Promise<void> {
  const { stdout } = process;
  if (stdout.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      stdout.off('drain', done).off('close', done);
      resolve();
    };
    stdout.on('drain', done).on('close', done);
  });
}
