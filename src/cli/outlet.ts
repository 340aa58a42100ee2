import { fstatSync, statSync, writeSync } from 'node:fs';

/** Standard output (1) or standard error (2). */
export interface Outlet {
  readonly isTty: boolean;
  readonly columns: number;
  /** @returns false where a reader has to catch up before more is written */
  write(text: string): boolean;
}

type Descriptor = 1 | 2;

export interface OutletOptions {
  /** Told when something could not be written, or nobody reads any more. */
  readonly onLoss?: () => void;
}

/**
 * A way out that waits for no slow reader: Node's stream keeps what is not taken. For who holds a lock, or serves
 * others meanwhile. A file never lets anybody wait; it is written directly, because Node takes a part for the whole
 * where a disk has become full.
 */
export function openOutlet(fd: Descriptor, { onLoss }: OutletOptions = {}): Outlet {
  return kindOf(fd) === 'file' ? openDirectly(fd, onLoss) : openStream(fd, onLoss);
}

/**
 * A way out past Node's streams, of which that for a pipe loads all that speaks to sockets: 3 ms. It waits for a slow
 * reader, as `cat` does.
 */
export function openQuickOutlet(fd: Descriptor): Outlet {
  return kindOf(fd) === 'other' ? openStream(fd) : openDirectly(fd);
}

/** A terminal keeps its stream, and so does all on Windows but files: it has pipes of other manners. */
function kindOf(fd: Descriptor): 'file' | 'pipe' | 'other' {
  try {
    const stats = fstatSync(fd);
    if (stats.isFile() || (stats.isCharacterDevice() && stats.rdev === statSync('/dev/null').rdev)) return 'file';
    return process.platform !== 'win32' && (stats.isFIFO() || stats.isSocket()) ? 'pipe' : 'other';
  } catch {
    return 'other';
  }
}

function openDirectly(fd: Descriptor, onLoss?: () => void): Outlet {
  let isGone = false;
  let hasTold = false;
  let stream: Outlet | undefined;
  const write = (text: string) => {
    if (isGone) return true;
    if (stream) return stream.write(text);
    let rest = Buffer.from(text);
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      const cause = error as NodeJS.ErrnoException;
      if (cause.code === 'EAGAIN') {
        // Another program has made it a pipe that lets nobody wait.
        stream = openStream(fd, onLoss);
        return stream.write(rest.toString());
      }
      isGone = isReaderGone(cause, false);
      // What is full today may have room for the next line.
      if (!isGone && !hasTold) void tellLoss(fd, cause);
      hasTold = true;
      onLoss?.();
    }
    return true;
  };
  return { isTty: false, columns: 80, write };
}

function openStream(fd: Descriptor, onLoss?: () => void): Outlet {
  const stream = fd === 1 ? process.stdout : process.stderr;
  const isTty = stream.isTTY === true;
  if (stream.listenerCount('error') === 0)
    stream.once('error', (error: NodeJS.ErrnoException) => {
      stream.on('error', () => {});
      if (!isReaderGone(error, isTty)) void tellLoss(fd, error);
    });
  if (onLoss) stream.once('error', onLoss);
  return { isTty, columns: stream.columns || 80, write: (text) => stream.write(text) };
}

/** A reader such as `head` that has had enough is no error, nor is a terminal that was closed. */
export function isReaderGone({ code = '' }: NodeJS.ErrnoException, isTty: boolean): boolean {
  return ['EPIPE', 'ECONNRESET', 'EOF'].includes(code) || (isTty && code === 'EIO');
}

async function tellLoss(fd: Descriptor, error: NodeJS.ErrnoException): Promise<void> {
  const { reportLoss } = await import('./report-loss.ts');
  const exitCode = reportLoss(fd === 1 ? 'standard output' : 'standard error', error);
  // Before the one that ends the process, and after the command has said how it went.
  process.prependOnceListener('exit', () => {
    process.exitCode ||= exitCode;
  });
}
