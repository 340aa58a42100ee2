import type { Socket } from 'node:net';
import { Readable } from 'node:stream';

/** A body that is read past Node's HTTP. */
export interface BulkBody {
  readonly stream: Readable;
  /** A part of it, which is copied: who read it reads the next one into the same place. */
  take(bytes: Buffer, start: number, end: number): void;
  /** It is whole. */
  end(): void;
  /** A chunk of the stream that nobody looks at any more: the next ones are written over it. */
  giveBack(chunk: Buffer): void;
}

/** Chunks are so long, so that there are few of them. */
const slabBytes = 256 * 1024;

/** What has come waits so long for its chunk to become full, and twice as long at most. */
const patienceMs = 10;

/** So many chunks wait to be taken before the server has to. */
const chunksAhead = 4;

/** @param socket stands still while the body is not read, and ends with it */
export function openBulkBody(socket: Socket): BulkBody {
  const free: Buffer[] = [];
  let slab: Buffer = Buffer.allocUnsafeSlow(slabBytes);
  let told = 0;
  let filled = 0;
  let patience: NodeJS.Timeout | undefined;
  let hasTold = false;
  // Of bytes it would make one chunk of all that wait.
  const stream = new Readable({
    objectMode: true,
    highWaterMark: chunksAhead,
    read: () => void socket.resume(),
    destroy: (error, done) => {
      clearTimeout(patience);
      socket.destroy();
      // Who is given the head in this very turn has to be able to listen before.
      setImmediate(done, error);
    },
  });
  // Who reads later is told all the same, and who does not read at all is not to fall over it.
  stream.on('error', () => undefined);

  function tell(): void {
    hasTold = true;
    if (filled === told || stream.destroyed) return;
    const wantsMore = stream.push(told === 0 && filled === slabBytes ? slab : slab.subarray(told, filled));
    told = filled;
    if (!wantsMore) socket.pause();
  }

  /** One timer for the chunks of so long a time: one for each chunk would cost as much as the chunk. */
  function beginToWait(): void {
    hasTold = false;
    patience = setTimeout(() => {
      patience = undefined;
      if (hasTold) beginToWait();
      else tell();
    }, patienceMs);
  }

  return {
    stream,
    take(bytes, start, end) {
      for (let at = start; at < end; ) {
        const copied = bytes.copy(slab, filled, at, end);
        at += copied;
        filled += copied;
        if (filled < slabBytes) continue;
        tell();
        slab = free.pop() ?? Buffer.allocUnsafeSlow(slabBytes);
        told = 0;
        filled = 0;
      }
      if (filled > told && !patience) beginToWait();
    },
    end() {
      clearTimeout(patience);
      tell();
      stream.push(null);
    },
    giveBack(chunk) {
      // Of one that was told in parts the others may still be looked at.
      if (chunk.length === slabBytes) free.push(chunk);
    },
  };
}
